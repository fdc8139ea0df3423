import { canonicalPath } from '../canonical/path.ts';
import { canonicalQuery } from '../canonical/query.ts';

/** First segment of every page of the gateway's own. The EMR never sees a path that begins with it. */
export const OWN_SEGMENT = '.chartgate';
const PREFIX = `/${OWN_SEGMENT}`;

export const PAGES = Object.freeze({
  signIn: `${PREFIX}/sign-in`,
  callback: `${PREFIX}/callback`,
  stepUp: `${PREFIX}/step-up`,
  factor: `${PREFIX}/factor`,
  enrol: `${PREFIX}/enrol`,
  factors: `${PREFIX}/factors`,
  sessions: `${PREFIX}/sessions`,
  sharing: `${PREFIX}/sharing`,
  emergency: `${PREFIX}/emergency-access`,
  incidents: `${PREFIX}/incidents`,
  signOut: `${PREFIX}/sign-out`,
  signedOut: `${PREFIX}/signed-out`,
  continued: `${PREFIX}/continue`,
  backChannelLogout: `${PREFIX}/back-channel-logout`,
  assets: `${PREFIX}/assets/`,
});

/** Query parameter that says: send the form that was kept for this very address. Never the EMR's to see. */
export const CONTINUE = '.chartgate-continue';

/** Characters of a return address; a longer one is left out, and the browser returns to the first page. */
const MAX_RETURN = 2048;
/** Own pages that somebody may return to after signing in. */
const RETURNABLE: ReadonlySet<string> = new Set([
  PAGES.sessions,
  PAGES.continued,
  PAGES.factors,
  PAGES.sharing,
  PAGES.emergency,
  PAGES.incidents,
]);

/**
 * Where a browser goes on to: a canonical path of this very host, with its query; the first page for whatever is
 * not plainly one. So nobody is sent to another site from here, however the address is spelt (CWE-601).
 */
export function returnAddress(text: string | undefined): string {
  if (text === undefined || text.length > MAX_RETURN || !text.startsWith('/') || text.includes('#'))
    return '/';
  const mark = text.indexOf('?');
  const path = canonicalPath(mark < 0 ? text : text.slice(0, mark));
  const query = canonicalQuery(mark < 0 ? '' : text.slice(mark + 1));
  // Canonical: exactly one slash in front, no empty segment, no backslash, no control.
  if (path === undefined || query === undefined) return '/';
  if (path.segments[0] === OWN_SEGMENT && !RETURNABLE.has(path.text)) return '/';
  return query.text === '' ? path.text : `${path.text}?${query.text}`;
}

/** A page of ours with parameters; those without a value are left out. */
export function withQuery(page: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '' && !(name === 'return' && value === '/')) query.set(name, value);
  }
  const text = query.toString();
  return text === '' ? page : `${page}?${text}`;
}
