/** What of a request tells which page it came from. */
export interface Provenance {
  readonly method: string;
  readonly upgrade: 'websocket' | undefined;
  /** Canonical. */
  readonly authority: string;
  readonly headers: ReadonlyMap<string, string>;
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Whether a request that a cookie would open may be of another site's making.
 *
 * What changes something, and what opens a WebSocket (RFC 6455 §10.2), must say by `Sec-Fetch-Site` or `Origin`
 * that it comes from a page of this very host; saying nothing is not enough, and where both are there both must
 * agree. What only reads may come from elsewhere as a navigation (a link), and as nothing else (W3C Fetch
 * Metadata: the resource isolation policy), in browsers that say so.
 */
export function isCrossSite(request: Provenance): boolean {
  const site = request.headers.get('sec-fetch-site')?.toLowerCase();
  const origin = request.headers.get('origin');
  if (!SAFE.has(request.method) || request.upgrade !== undefined) {
    if (site === undefined && origin === undefined) return true;
    if (site !== undefined && site !== 'same-origin') return true;
    return origin !== undefined && origin !== `https://${request.authority}`;
  }
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  const destination = request.headers.get('sec-fetch-dest')?.toLowerCase();
  return (
    request.headers.get('sec-fetch-mode')?.toLowerCase() !== 'navigate' ||
    destination === 'object' ||
    destination === 'embed'
  );
}

/**
 * Whether somebody looks at the answer as a page: what wants HTML, is not fetched by a script, and shows no
 * credential of its own.
 */
export function isNavigation(request: Pick<Provenance, 'headers' | 'upgrade'>): boolean {
  const { headers } = request;
  if (request.upgrade !== undefined || headers.has('authorization') || headers.has('dpop')) return false;
  if (headers.has('x-requested-with')) return false;
  const mode = headers.get('sec-fetch-mode')?.toLowerCase();
  if (mode !== undefined && mode !== 'navigate') return false;
  return /(?:^|[,\s])(?:text\/html|application\/xhtml\+xml)(?:[;,\s]|$)/i.test(headers.get('accept') ?? '');
}
