import type { Random } from '../../inspection/framing/random.ts';

/** Tenants that share a back end, told apart by a header; the others have one each. */
export const SHARING = 10;
/** Authorities of client certificates; every fifth tenant asks for none. */
export const AUTHORITIES = 4;

/** One tenant of the measurement. */
export interface Clinic {
  readonly number: number;
  readonly id: string;
  readonly host: string;
  readonly audience: string;
  /** Number of its back end, and what it is told there; empty: it has it for itself. */
  readonly at: number;
  readonly told: string;
  /** Number of the authority whose certificates it takes; undefined: it asks for none. */
  readonly authority: number | undefined;
}

/** What a connection shows before anything is asked on it. */
export interface Door {
  /** Server name of the handshake. */
  readonly sni: number;
  /** Authority of the certificate that is shown; `stranger`: of nobody's. */
  readonly certificate: number | 'stranger' | 'none';
}

/** One request with signs of several tenants. */
export interface Probe {
  readonly number: number;
  /** Tenant of `Host` or `:authority`. */
  readonly host: number;
  /** Tenant of the token; `none`, or one that is no token. */
  readonly token: number | 'none' | 'broken';
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly session: boolean;
}

/** Half of the time what fits, so that a refusal is caused by one sign and not by all of them. */
export function doorOf(random: Random, clinics: readonly Clinic[]): Door {
  const sni = random.below(clinics.length);
  const own = clinics[sni]?.authority ?? 'none';
  const certificate = random.pick([own, own, 'none', random.below(AUTHORITIES), 'stranger'] as const);
  return { sni, certificate };
}

export function probeOf(
  random: Random,
  number: number,
  door: Door,
  clinics: readonly Clinic[],
  withSession: boolean,
): Probe {
  const any = (): Clinic => random.pick(clinics);
  const host = random.chance(0.7) ? door.sni : any().number;
  const token = random.chance(0.6) ? host : random.pick([any().number, door.sni, 'none', 'broken'] as const);
  const other = any();
  const headers: (readonly [string, string])[] = [];
  for (const [name, value] of [
    ['x-clinic', other.id],
    ['X_Clinic', other.id],
    ['x-forwarded-host', other.host],
    ['x-host', other.host],
    ['x-original-host', other.host],
    ['forwarded', `host=${other.host}`],
    ['x-tenant', other.id],
    ['cookie', `clinic=${other.id}`],
  ] as const)
    if (random.chance(0.2)) headers.push([name, value]);
  const path = random.pick([
    '/records/1',
    '/records/1',
    `/records/${other.id}`,
    `/records/1?clinic=${other.id}`,
    `/records/1?tenant=${other.id}&host=${other.host}`,
    `https://${other.host}/records/1`,
    `/${other.id}/records/1`,
    `/records/..%2f..%2f${other.id}`,
    `//${other.host}/records/1`,
  ]);
  return { number, host, token, path, headers, session: withSession && random.chance(0.1) };
}

/** Whether every sign is of one tenant and the path is one that its policy permits: then it has to be served. */
export function agrees(probe: Probe, door: Door, clinics: readonly Clinic[]): boolean {
  const clinic = clinics[probe.host];
  if (clinic === undefined || probe.host !== door.sni || probe.token !== probe.host || probe.session)
    return false;
  const { certificate } = door;
  const fits = certificate === 'none' || certificate === 'stranger' || certificate === clinic.authority;
  return fits && /^\/records\/[a-z0-9]+$/.test(probe.path);
}
