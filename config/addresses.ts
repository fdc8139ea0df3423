import { isIP, isIPv4 } from 'node:net';

/** Whether a host reaches this machine alone. An IPv4-mapped IPv6 address does not count: write it plainly. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIPv4(host) && host.startsWith('127.');
}

/** A URL's host name without the brackets of an IPv6 literal. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

/** Why a text is not a usable listening address; undefined when it is one. */
export function addressFault(host: string): string | undefined {
  return isIP(host) === 0 ? 'must be an IP address such as 127.0.0.1, 0.0.0.0 or "::"' : undefined;
}

/**
 * Why a tenant's host (already of the right characters) cannot be one; undefined when it can.
 * Hosts are compared with the authority of a request in canonical form, so a host in another form
 * would silently never match.
 */
export function tenantHostFault(host: string): string | undefined {
  const [name = '', port] = host.split(':');
  if (isIPv4(name) || /^[0-9.]+$/.test(name)) {
    return 'must be a name: TLS clients send no server name for an IP address (RFC 6066 section 3)';
  }
  if (name.length > 253) return 'is too long: a host name has at most 253 characters (RFC 1035)';
  if (port === '443') return 'must leave out ":443", which is understood';
  if (port !== undefined && Number(port) > 65_535) return 'has a port beyond 65535';
  return undefined;
}

/**
 * Why a text is not a back end's origin; undefined when it is one.
 * @param plain plain HTTP may go to any host: over a Unix socket, or because the settings say so
 */
export function originFault(text: string, plain = false): string | undefined {
  const url = URL.parse(text);
  if (url === null) return 'must be an origin such as http://127.0.0.1:9001 or https://emr.clinic.example';
  if (url.username !== '' || url.password !== '') return 'must not hold a user or password';
  if (url.origin !== text) return `must be written as just the origin, in its canonical form: ${url.origin}`;
  if (url.protocol === 'http:' && !plain && !isLoopback(bareHost(url))) {
    return 'must be https://: plain http:// is allowed only to a loopback address (127.0.0.1, [::1], localhost)';
  }
  return undefined;
}

/** Why a text is not an issuer's identifier (OpenID Connect Discovery 1.0 §3, RFC 8414 §2); undefined when it is one. */
export function issuerFault(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'https:') return 'must be an https:// URL';
  if (url.username !== '' || url.password !== '') return 'must not hold a user or password';
  if (/[?#]/.test(text)) return 'must have no query and no fragment (RFC 8414 section 2)';
  return undefined;
}
