/** A limit that is put to the test: what it is of, and how it is written. */
export interface LimitCase {
  readonly name: 'peer' | 'principal' | 'client' | 'tenant' | 'route' | 'none';
  /** `limits` of the gateway. */
  readonly limits: Readonly<Record<string, unknown>>;
  /** Keys for the route that is asked. */
  readonly route: Readonly<Record<string, unknown>>;
}

/** Requests in a window. */
export const LIMIT = 200;
export const WINDOW_S = 2;
/** Requests sent for each that may pass. */
export const OVERLOAD = 10;

const limited = () => ({ requests: LIMIT, window: `${WINDOW_S}s` });
const plenty = () => ({ requests: 100_000_000, window: '60s' });

const FREE = () => ({ perPeer: plenty(), perPrincipal: plenty() });

export const CASES: readonly LimitCase[] = [
  { name: 'peer', limits: { ...FREE(), perPeer: limited() }, route: {} },
  { name: 'principal', limits: { ...FREE(), perPrincipal: limited() }, route: {} },
  { name: 'client', limits: { ...FREE(), perClient: limited() }, route: {} },
  { name: 'tenant', limits: { ...FREE(), perTenant: limited() }, route: {} },
  { name: 'route', limits: FREE(), route: { limits: { perRoute: limited() } } },
];

/** Without a limit, everything must pass: that it is the limit that stops the rest. */
export const CONTRAST: LimitCase = { name: 'none', limits: FREE(), route: {} };
