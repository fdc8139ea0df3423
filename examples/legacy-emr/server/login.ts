import { createHash, randomBytes } from 'node:crypto';
import { type Exchange, parameter, type RouteEntry, readBody, redirect } from './exchange.ts';
import { escapeHtml, sendPage } from './html.ts';
import { cookie, SESSION_COOKIE } from './who.ts';

function sendForm(exchange: Exchange, next: string, username = '', fault = ''): void {
  const message = fault === '' ? '' : `<p class="error">${escapeHtml(fault)}</p>`;
  sendPage(exchange, {
    title: 'Log in',
    body: `${message}<form method="post" action="/login"><input type="hidden" name="next" value="${escapeHtml(next)}">
<table><tr><td>User name</td><td><input name="username" value="${escapeHtml(username)}"></td></tr>
<tr><td>Password</td><td><input type="password" name="password"></td></tr>
<tr><td></td><td><input type="submit" value="Log in"></td></tr></table></form>`,
  });
}

function form(exchange: Exchange): void {
  sendForm(exchange, parameter(exchange, 'next') ?? '/patients');
}

async function login(exchange: Exchange): Promise<void> {
  const { emr, request, response } = exchange;
  const fields = new URLSearchParams((await readBody(request)).toString('latin1'));
  const username = fields.get('username') ?? '';
  const next = fields.get('next') ?? '/patients';
  const [user] = await emr.database.rows(
    'SELECT id, username, password FROM users WHERE username = ? AND active = 1',
    [username],
  );
  if (user === undefined) {
    sendForm(exchange, next, username, `Unknown user ${username}`);
    return;
  }
  const md5 = createHash('md5')
    .update(fields.get('password') ?? '')
    .digest('hex');
  if (user.password !== md5) {
    sendForm(exchange, next, username, `Wrong password for ${user.username}`);
    return;
  }
  const sid = randomBytes(16).toString('hex');
  await emr.database.change('INSERT INTO sessions SET started_at = NOW(), ?', [
    { sid, user_id: user.id, address: request.socket.remoteAddress ?? '' },
  ]);
  await emr.database.change('UPDATE users SET last_login = NOW() WHERE id = ?', [user.id]);
  response.setHeader('Set-Cookie', [
    `${SESSION_COOKIE}=${sid}; path=/`,
    `EMRLANG=en; Domain=${emr.hostname}; Path=/; Max-Age=31536000`,
  ]);
  redirect(exchange, next.startsWith('/') ? next : '/patients');
}

async function logout(exchange: Exchange): Promise<void> {
  const sid = cookie(exchange.request, SESSION_COOKIE);
  if (sid !== undefined) await exchange.emr.database.change('DELETE FROM sessions WHERE sid = ?', [sid]);
  exchange.response.setHeader('Set-Cookie', [
    `${SESSION_COOKIE}=deleted; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/`,
  ]);
  redirect(exchange, '/login');
}

export const LOGIN_ROUTES: readonly RouteEntry[] = [
  ['GET', /^\/login$/, form],
  ['POST', /^\/login$/, login],
  ['GET', /^\/logout$/, logout],
];
