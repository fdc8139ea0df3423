import type { IncomingMessage } from 'node:http';
import type { Row } from './database.ts';
import { type Exchange, redirect } from './exchange.ts';

/** The session cookie's name. */
export const SESSION_COOKIE = 'EMRSESSID';

/**
 * The name that a single sign-on front end is supposed to have written, believed without question.
 * Like any CGI program it cannot tell `X-Forwarded-User` from `X_Forwarded_User`; the last one wins.
 */
function forwardedUser(request: IncomingMessage): string | undefined {
  let user: string | undefined;
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? '';
    if (name.toLowerCase().replaceAll('_', '-') === 'x-forwarded-user') user = request.rawHeaders[i + 1];
  }
  return user === '' ? undefined : user;
}

export function cookie(request: IncomingMessage, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

/** The user name of whoever asks, by header or by session; undefined when nobody says. */
export async function whoIsAsking(exchange: Exchange): Promise<string | undefined> {
  const forwarded = forwardedUser(exchange.request);
  if (forwarded !== undefined) return forwarded;
  const sid = cookie(exchange.request, SESSION_COOKIE);
  if (sid === undefined) return undefined;
  const [session] = await exchange.emr.database.rows(
    'SELECT u.username FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.sid = ? AND u.active = 1',
    [sid],
  );
  return session === undefined ? undefined : String(session.username);
}

/** For pages: the user name, or undefined after having sent the browser to the login form. */
export async function signedIn(exchange: Exchange): Promise<string | undefined> {
  const who = await whoIsAsking(exchange);
  if (who === undefined) redirect(exchange, `/login?next=${encodeURIComponent(exchange.path)}`);
  return who;
}

/**
 * Whether a row that has `restricted` and `owner` may be shown.
 * Only a restricted chart's own clinician may open it; everybody may open the others.
 */
export function mayOpen(chart: Row, who: string | undefined): boolean {
  return chart.restricted !== 1 || (who !== undefined && chart.owner === who);
}
