import type { Route } from '../../contracts/policy.ts';

const HSTS = 'max-age=31536000';

/** On every answer without exception. */
export const TRANSPORT_SECURITY: readonly string[] = Object.freeze(['strict-transport-security', HSTS]);

/** On every answer that the gateway writes itself: a page of ours needs no script, style, frame or cache. */
export const OWN_ANSWER_HEADERS: readonly string[] = Object.freeze([
  'strict-transport-security',
  HSTS,
  'x-content-type-options',
  'nosniff',
  'content-security-policy',
  "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-frame-options',
  'DENY',
  'referrer-policy',
  'no-referrer',
  'cache-control',
  'no-store',
]);

/** Names that `securityHeaders` writes, so that the EMR's own cannot stand beside them. */
export const SECURITY_HEADER_NAMES: ReadonlySet<string> = new Set([
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
  'referrer-policy',
]);

const BASE: readonly string[] = Object.freeze([
  'strict-transport-security',
  HSTS,
  'x-content-type-options',
  'nosniff',
  'x-frame-options',
  'SAMEORIGIN',
  'referrer-policy',
  'same-origin',
]);

/** Old EMRs are built of frames of their own, so the floor for framing is the same origin. */
const FRAMES = "frame-ancestors 'self'";

const perRoute = new WeakMap<Route, readonly string[]>();

/** The headers added to the EMR's answers on a route; made once a route. */
export function securityHeaders(route: Route): readonly string[] {
  const known = perRoute.get(route);
  if (known !== undefined) return known;
  const headers = [...BASE];
  const policy = route.contentSecurityPolicy;
  if (policy === undefined) {
    headers.push('content-security-policy', FRAMES);
  } else if (policy.reportOnly) {
    // The page is only watched, but who may frame it is enforced even so.
    headers.push('content-security-policy', FRAMES, 'content-security-policy-report-only', policy.value);
  } else {
    headers.push('content-security-policy', policy.value);
  }
  perRoute.set(route, Object.freeze(headers));
  return headers;
}
