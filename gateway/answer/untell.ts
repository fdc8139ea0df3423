import type { TellBackendSettings } from '../../contracts/settings.ts';
import { rewriteCookie, rewriteUrl } from './rewrite.ts';

/** A cookie of the EMR's as the client gets it. */
export function clientCookie(cookie: string, told: TellBackendSettings | undefined): string {
  const rewritten = rewriteCookie(cookie);
  return told === undefined ? rewritten : untellCookie(rewritten, told);
}

/** A URL of the EMR's as the client gets it. */
export function clientUrl(
  url: string,
  origin: string,
  authority: string,
  told: TellBackendSettings | undefined,
): string {
  const rewritten = rewriteUrl(url, origin, authority);
  return told === undefined ? rewritten : untellUrl(rewritten, told);
}

/**
 * A URL of the EMR's, rewritten for the client, without what told the EMR the tenant. One that leads out of the tenant's
 * prefix becomes `/`; one that leads to another site is left as it is.
 */
export function untellUrl(url: string, told: TellBackendSettings): string {
  // Absolute: another site's, or it would be a path by now.
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(url)) return url;
  const [, path = '', query = '', fragment = ''] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(url) ?? [];
  const bare = path.startsWith('/') ? untellPath(path, told.pathPrefix) : path;
  return bare === undefined ? '/' : `${bare}${untellQuery(query, told.query?.name)}${fragment}`;
}

/** The path attribute of a cookie: as clients know it. */
export function untellCookie(cookie: string, told: TellBackendSettings): string {
  if (told.pathPrefix === undefined) return cookie;
  return cookie
    .split('; ')
    .map((part) => {
      const [, name = '', path = ''] = /^(path)=(.*)$/i.exec(part) ?? [];
      if (name === '') return part;
      return `${name}=${untellPath(path, told.pathPrefix) ?? path}`;
    })
    .join('; ');
}

/** Undefined: it lies elsewhere. */
function untellPath(path: string, prefix: string | undefined): string | undefined {
  if (prefix === undefined) return path;
  if (path === prefix) return '/';
  // What follows may begin with a slash again, and would then name another site (RFC 3986 §4.2).
  return path.startsWith(`${prefix}/`) ? `/${path.slice(prefix.length).replace(/^[/\\]+/, '')}` : undefined;
}

function untellQuery(query: string, name: string | undefined): string {
  if (name === undefined || query === '') return query;
  const kept = query
    .slice(1)
    .split('&')
    .filter((pair) => pair !== name && !pair.startsWith(`${name}=`));
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}
