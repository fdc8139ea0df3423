const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Headers whose URL may name the back end by its internal address. */
export const URL_HEADERS: ReadonlySet<string> = new Set(['location', 'content-location']);

/**
 * A URL from the EMR as the client can use it: one that names the back end, or the tenant's own authority
 * under another scheme, becomes a path of the tenant's; any other is left as it is.
 */
export function rewriteUrl(value: string, backendOrigin: string, authority: string): string {
  let url: URL;
  try {
    // Relative references are fine already, and protocol-relative ones are absolute.
    if (!/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(value)) return value;
    url = new URL(asText(value), backendOrigin);
  } catch {
    return '/';
  }
  const ours =
    url.host.toLowerCase() === authority ||
    `${url.hostname.toLowerCase()}:${url.port || '443'}` === authority;
  if (url.origin === backendOrigin || ours || isLoopback(url.hostname))
    // Without its authority, a path that begins with two slashes would name another site (RFC 3986 §4.2).
    return `${url.pathname.replace(/^\/{2,}/, '/')}${url.search}${url.hash}`;
  return value;
}

/**
 * Header values are bytes, one to a character. Old systems write UTF-8 into a URL without escaping it; read
 * as it was meant, so that it is not escaped as something else.
 */
function asText(value: string): string {
  if (!/[\u0080-\u00ff]/.test(value)) return value;
  try {
    return utf8.decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}

/** A loopback name in a URL can only mean the machine the EMR runs on: never the client's. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/**
 * A cookie of the EMR (RFC 6265bis §5): bound to the tenant's exact host (`Domain` is taken away, and with
 * it the EMR's idea of its own name), and `Secure`, since the client only ever speaks TLS.
 */
export function rewriteCookie(value: string): string {
  const parts = value.split(';');
  const kept = [parts[0]?.trim() ?? ''];
  let secure = false;
  for (const part of parts.slice(1)) {
    const attribute = part.trim();
    const name = attribute.split('=', 1)[0]?.trim().toLowerCase();
    if (name === 'domain' || attribute === '') continue;
    if (name === 'secure') secure = true;
    kept.push(attribute);
  }
  if (!secure) kept.push('Secure');
  return kept.join('; ');
}
