import { ChartgateError } from '../contracts/errors.ts';

/** What a page needs beyond its style sheet and the brand's logo. */
export interface PageNeeds {
  /** The passkey script. */
  readonly script?: boolean;
  /** A QR code in the page. */
  readonly qr?: boolean;
  /**
   * Where the answer to a form may redirect besides this host: Chromium applies `form-action` to redirects too.
   * Origins (`https://portal.example`), or schemes of installed apps (`com.example.app:`).
   */
  readonly formTargets?: readonly string[];
}

const ORIGIN = /^https:\/\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[1-9][0-9]{0,4})?$/;
// RFC 8252 §7.3: an app on the same machine listens on a loopback address, on any port.
const LOOPBACK = /^http:\/\/(?:127\.0\.0\.1|localhost)(?::[1-9][0-9]{0,4})?$/;
// RFC 8252 §7.1: a private scheme is a domain name backwards, so it has a dot; "https:" and "data:" have none.
const APP_SCHEME = /^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:$/;

/** The very files that a page loads. */
export interface PageSources {
  readonly styles: readonly string[];
  readonly scripts: readonly string[];
}

const SELF: PageSources = Object.freeze({ styles: ["'self'"], scripts: ["'self'"] });

/**
 * The Content-Security-Policy of a page: nothing, then what it needs.
 *
 * @param sources whole URLs of its files; without, any of this host
 * @throws `internal` for a target that is neither an https origin, a loopback origin nor an app's scheme
 */
export function contentSecurityPolicy(needs: PageNeeds, sources: PageSources = SELF): string {
  const targets = [...new Set(needs.formTargets ?? [])];
  for (const target of targets) {
    if (!ORIGIN.test(target) && !LOOPBACK.test(target) && !APP_SCHEME.test(target)) {
      throw new ChartgateError('internal', 'A page names a target for its form that is not an origin.');
    }
  }
  return [
    "default-src 'none'",
    `style-src ${sources.styles.join(' ')}`,
    `img-src 'self'${needs.qr === true ? ' data:' : ''}`,
    ...(needs.script === true ? [`script-src ${sources.scripts.join(' ')}`] : []),
    ["form-action 'self'", ...targets].join(' '),
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

/** Every header of a page but its status, length and request id. Names are in lower case. */
export function pageHeaders(csp: string): Readonly<Record<string, string>> {
  return Object.freeze({
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': csp,
    'cache-control': 'no-store',
    // With "no-referrer" browsers would send `Origin: null` with our own forms (Fetch, "append a request Origin header").
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy':
      'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), ' +
      'publickey-credentials-create=(self), publickey-credentials-get=(self)',
  });
}
