/**
 * The gateway's cookies (RFC 6265bis §4.1.3.2: the prefix `__Host-` binds a cookie to one host, to TLS and to
 * the whole of its paths; nobody else's page can set one). The EMR never sees them, and can set none.
 */
export const COOKIES = Object.freeze({
  /** Opens a session. */
  session: '__Host-chartgate',
  /** Binds a sign-in that is under way to the browser that began it. */
  signIn: '__Host-chartgate-sign-in',
  /** Opens a form that was kept when a session had ended. */
  form: '__Host-chartgate-form',
  /** Tells, to this gateway only, whether the next to sign in is the one who did before. */
  who: '__Host-chartgate-who',
});
export type CookieName = keyof typeof COOKIES;

/** 256 random bits or a SHA-256, base64url. */
const VALUE = /^[A-Za-z0-9_-]{43}$/;
/** Whatever begins like one of ours, in any spelling: some browsers compare the prefix without case. */
const RESERVED = /^__host-chartgate/i;

const NONE: Readonly<Partial<Record<CookieName, string>>> = Object.freeze({});
const NAMES: ReadonlyMap<string, CookieName> = new Map(
  (Object.entries(COOKIES) as [CookieName, string][]).map(([key, name]) => [name, key]),
);

/**
 * Our cookies out of a `Cookie` header. One that is there twice, or is not of the form of its value, is not
 * there: which of two was meant cannot be told.
 */
export function readCookies(header: string | undefined): Readonly<Partial<Record<CookieName, string>>> {
  // The common request of an API has none, and that of an EMR's page without sign-in none of ours.
  if (header === undefined || !header.includes('__Host-chartgate')) return NONE;
  const found: Partial<Record<CookieName, string>> = {};
  const twice = new Set<CookieName>();
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals < 0) continue;
    const name = NAMES.get(pair.slice(0, equals).trim());
    if (name === undefined) continue;
    if (found[name] !== undefined) twice.add(name);
    found[name] = pair.slice(equals + 1).trim();
  }
  for (const [name, value] of Object.entries(found) as [CookieName, string][]) {
    if (twice.has(name) || !VALUE.test(value)) delete found[name];
  }
  return found;
}

/** The header for the EMR: without anything that is ours; undefined when nothing is left. */
export function withoutOwnCookies(header: string): string | undefined {
  if (!/__host-chartgate/i.test(header)) return header;
  const kept = header.split(';').filter((pair) => !RESERVED.test(pair.trim()));
  const text = kept.join(';').trim();
  return text === '' ? undefined : text;
}

/** Whether a `Set-Cookie` value names a cookie that only the gateway may set. */
export function setsOwnCookie(setCookie: string): boolean {
  return RESERVED.test(setCookie.trimStart());
}

/** The names of the cookies in a header that are not ours. */
export function foreignCookies(header: string | undefined): readonly string[] {
  const names = (header ?? '').split(';').map((pair) => pair.split('=', 1)[0]?.trim() ?? '');
  // RFC 6265 §4.1.1 tokens only: a name that is none cannot be written back.
  return [...new Set(names)].filter(
    (name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && !RESERVED.test(name),
  );
}

/** Lax: a link from elsewhere into the EMR works, a form or an image from elsewhere comes without the cookie. */
const ATTRIBUTES = '; Path=/; Secure; HttpOnly; SameSite=Lax';

/** A `Set-Cookie` value. Without an age it ends with the browser. @param value of 43 characters of base64url */
export function setCookie(name: CookieName, value: string): string {
  if (!VALUE.test(value)) throw new TypeError('not a value of a cookie of ours');
  return `${COOKIES[name]}=${value}${ATTRIBUTES}`;
}

export function clearCookie(name: CookieName): string {
  return `${COOKIES[name]}=${ATTRIBUTES}; Max-Age=0`;
}
