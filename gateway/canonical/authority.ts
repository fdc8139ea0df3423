/** A DNS name in the preferred form of RFC 1123 §2.1, lower case; internationalised names only as `xn--`. */
const NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
const IPV6 = /^\[[0-9a-f:.]{2,45}\]$/;
const PORT = /^[1-9][0-9]{0,4}$/;

export interface CanonicalAuthority {
  /** `host` or `host:port`; the port is left out when it is 443. */
  readonly authority: string;
  readonly host: string;
}

/** What was read before, by its own text. Bounded; begun anew when full, so that nobody can keep the others out. */
const known = new Map<string, CanonicalAuthority>();
const MOST_KNOWN = 1024;
const MOST_CHARACTERS = 64;

/** As `readAuthority` says; what clients say again and again is read once. */
export function canonicalAuthority(raw: string): CanonicalAuthority | undefined {
  const before = known.get(raw);
  if (before !== undefined) return before;
  const read = readAuthority(raw);
  if (read === undefined || raw.length > MOST_CHARACTERS) return read;
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(raw, read);
  return read;
}

/**
 * One form for each authority: lower case, no trailing dot, no default port. User information, empty
 * ports, leading zeros and every other character are refused (RFC 9110 §4.2.4, §7.2).
 */
function readAuthority(raw: string): CanonicalAuthority | undefined {
  if (raw.length > 261) return undefined;
  const text = raw.toLowerCase();
  const colon = text.startsWith('[') ? text.indexOf(':', text.indexOf(']')) : text.indexOf(':');
  const port = colon < 0 ? undefined : text.slice(colon + 1);
  let host = colon < 0 ? text : text.slice(0, colon);
  if (host.endsWith('.')) host = host.slice(0, -1);
  if (!NAME.test(host) && !IPV6.test(host)) return undefined;
  if (port !== undefined && (!PORT.test(port) || Number(port) > 65_535)) return undefined;
  return Object.freeze({ authority: port === undefined || port === '443' ? host : `${host}:${port}`, host });
}
