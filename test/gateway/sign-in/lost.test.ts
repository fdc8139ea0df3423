import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activityOf } from '../../../examples/demo/evidence.ts';
import { ask } from '../../../examples/support/https-client.ts';
import { Browser, inputs } from '../../support/sign-in/browser.ts';
import { type SignInStack, signInStackFor } from '../../support/sign-in/stack.ts';

const TWO = { acr: 'urn:test:two', amr: ['pwd', 'otp', 'mfa'] };
const SESSION = '__Host-chartgate';
const BELIEVED_MS = 1100;
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

describe('what ends, is lost or comes too late', () => {
  let s: SignInStack;
  async function signedIn(sub: string): Promise<Browser> {
    s.issuer.person = { sub, ...TWO };
    const browser = new Browser(s.stack.authority);
    const { reply } = await browser.open(`${s.north}/patients`);
    expect(`${reply.status} ${s.issuer.errors.join()}`).toBe('200 ');
    return browser;
  }
  const edit = (): string => `${s.north}/patients/1/edit`;

  beforeAll(async () => {
    s = await signInStackFor('sign-in-lost');
  }, 120_000);
  afterAll(() => s?.stack.stop());

  it('keeps a form that was posted when the session had ended: sign in again, confirm, sent', async () => {
    const browser = await signedIn('clerk-1');
    browser.setCookie(s.north, SESSION, 'C'.repeat(43));
    const text = 'Zoë & Söhne, <5 mg\r\nline=2%';
    const late = await browser.post(edit(), { notes: text, city: 'Testbury' });
    expect(late.status).toBe(401);
    expect(late.text).not.toContain('Testbury');
    const next = /href="(\/\.chartgate\/sign-in\?return=[^"]+)"/
      .exec(late.text)?.[1]
      ?.replaceAll('&amp;', '&');
    expect(next).toBe('/.chartgate/sign-in?return=%2F.chartgate%2Fcontinue');
    const { reply, url } = await browser.open(`${s.north}${next}`);
    expect(`${reply.status} ${url}`).toBe(`200 ${s.north}/.chartgate/continue`);
    expect(reply.headers['cache-control']).toContain('no-store');
    const action = /<form[^>]*action="([^"]*)"/.exec(reply.text)?.[1];
    expect(action).toBe('/patients/1/edit?.chartgate-continue=yes');
    // Nothing of what was entered is in the page.
    expect(reply.text).not.toContain('Testbury');
    const fields = inputs(reply.text);
    const confirm = (path = action, csrf = fields.csrf ?? '') =>
      browser.post(`${s.north}${path}`, { csrf, '.chartgate-continue': 'yes' });
    expect((await confirm(action, 'x'.repeat(43))).status).toBe(403);
    expect((await confirm('/patients/2/edit?.chartgate-continue=yes')).status).toBe(409);
    const sent = await confirm();
    expect(`${sent.status} ${sent.headers.location}`).toBe('302 /patients/1');
    const chart = (await browser.get(`${s.north}/patients/1`)).text;
    expect(chart).toContain('Testbury');
    expect(chart).toContain('Zoë &amp; Söhne');
    // Once: loading the answer anew sends nothing.
    expect((await confirm()).status).toBe(404);
    // A form of the EMR's own at the same address is the EMR's.
    const own = await browser.post(`${s.north}${action}`, { city: 'Elsewhere' });
    expect(own.status).toBe(302);
    expect((await browser.get(`${s.north}/patients/1`)).text).toContain('Elsewhere');
  });

  it('keeps a form with files too, and sends the very same bytes', async () => {
    const browser = await signedIn('clerk-2b');
    browser.setCookie(s.north, SESSION, 'C'.repeat(43));
    const [BOUNDARY, file] = ['----test7MA4YWxkTrZu0gW', Buffer.from([0, 255, 13, 10, 13, 128, 10, 0xc3])];
    const body = Buffer.concat([
      Buffer.from(
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="note"\r\n\r\nZoë\r\n--${BOUNDARY}\r\nContent-Disposition: form-data; name="scan"; filename="scan.png"\r\nContent-Type: image/png\r\n\r\n`,
      ),
      file,
      Buffer.alloc(200_000, 7),
      Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
    ]);
    const type = `multipart/form-data; boundary=${BOUNDARY}`;
    const post = (bytes: Buffer) =>
      browser.request('POST', `${s.north}/documents/upload?title=a%20b`, bytes, {
        'content-type': type,
        origin: s.north,
        'sec-fetch-mode': 'navigate',
        'sec-fetch-site': 'same-origin',
      });
    const tooLarge = await post(Buffer.alloc(300_000, 65));
    expect(tooLarge.status).toBe(401);
    expect(tooLarge.headers['set-cookie']).toBeUndefined();
    expect((await post(body)).status).toBe(401);
    const { reply } = await browser.open(`${s.north}/.chartgate/sign-in?return=%2F.chartgate%2Fcontinue`);
    expect(reply.text).toMatch(/<dd>1<\/dd>/);
    const sent = await browser.post(
      `${s.north}/documents/upload?title=a%20b&.chartgate-continue=yes`,
      inputs(reply.text),
    );
    expect(sent.status).toBe(201);
    expect(JSON.parse(sent.text)).toMatchObject({
      length: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
    });
    const { id } = JSON.parse(sent.text) as { id: number };
    const kept = await browser.get(`${s.north}/documents/${id}/content`);
    expect(kept.headers['content-type']).toBe(type);
    expect(kept.body.equals(body)).toBe(true);
    const entries = await activityOf(s.stack, String(sent.headers['x-request-id']));
    expect(JSON.stringify(entries)).toContain('form-continued');
    expect(JSON.stringify(entries)).toContain('"route":"upload"');
  });

  it('tells a script that the session has ended, in words that it can act on', async () => {
    const browser = await signedIn('clerk-2c');
    const send = () =>
      browser.request('POST', `${s.north}/documents/upload`, '{"note":"Testbury"}', {
        'content-type': 'application/json',
        accept: 'application/json',
        origin: s.north,
        'sec-fetch-mode': 'cors',
        'sec-fetch-site': 'same-origin',
      });
    expect((await send()).status).toBe(201);
    browser.setCookie(s.north, SESSION, 'C'.repeat(43));
    const late = await send();
    expect(late.status).toBe(401);
    expect(late.headers['set-cookie']).toBeUndefined();
    expect(JSON.parse(late.text).issue[0]).toMatchObject({ severity: 'error', code: 'expired' });
    expect(JSON.parse(late.text).issue[0].diagnostics).toMatch(/Keep what was entered, sign in again at/);
    // Whoever was never signed in is told nothing of sessions.
    const stranger = new Browser(s.stack.authority);
    const reply = await stranger.request('POST', `${s.north}/documents/upload`, '{}', {
      'content-type': 'application/json',
      accept: 'application/json',
    });
    expect(JSON.parse(reply.text).issue[0].code).toBe('login');
  });

  it('keeps it on when it does not get as far as the EMR', async () => {
    const browser = await signedIn('clerk-2d');
    const note = `${s.north}/patients/1/note`;
    browser.setCookie(s.north, SESSION, 'C'.repeat(43));
    expect((await browser.post(note, { text: 'late' })).status).toBe(401);
    await browser.open(`${s.north}/.chartgate/sign-in`);
    // The route takes one in four seconds of each person and worker; these are the ones.
    const began = Date.now();
    const first = await browser.post(note, { text: 'first' });
    expect(first.status).not.toBe(429);
    const refused: number[] = [];
    for (let more = 0; more < 16; more += 1)
      refused.push((await browser.post(note, { text: 'first' })).status);
    expect(refused.slice(8)).toEqual(new Array(8).fill(429));
    const { reply } = await browser.open(`${s.north}/.chartgate/continue`);
    const confirm = () => browser.post(`${note}?.chartgate-continue=yes`, inputs(reply.text));
    expect((await confirm()).status).toBe(429);
    expect((await browser.get(`${s.north}/.chartgate/continue`)).status).toBe(200);
    let sent = await confirm();
    for (; sent.status === 429 && Date.now() < began + 20_000; sent = await confirm()) await pause(1000);
    expect(sent.status).toBe(first.status);
    // The EMR has had it, whatever it said.
    expect((await browser.get(`${s.north}/.chartgate/continue`)).status).toBe(404);
  });

  it('gives a kept form to nobody but whom it is of, and keeps none of a stranger', async () => {
    const browser = await signedIn('clerk-2');
    browser.setCookie(s.north, SESSION, 'C'.repeat(43));
    expect((await browser.post(edit(), { city: 'Secretville' })).status).toBe(401);
    expect(browser.cookie(s.north, '__Host-chartgate-form')).toBeDefined();
    // The next to sit down at the same browser.
    s.issuer.person = { sub: 'clerk-3', ...TWO };
    const other = new Browser(s.stack.authority);
    await other.open(`${s.north}/patients`);
    other.setCookie(s.north, '__Host-chartgate-form', browser.cookie(s.north, '__Host-chartgate-form') ?? '');
    const page = await other.get(`${s.north}/.chartgate/continue`);
    expect(page.status).toBe(404);
    expect(page.text).not.toContain('Secretville');
    const stranger = new Browser(s.stack.authority);
    expect((await stranger.post(edit(), { city: 'x' })).status).toBe(401);
    expect(stranger.cookie(s.north, '__Host-chartgate-form')).toBeUndefined();
    // Nor of whoever makes up that they were here.
    stranger.setCookie(s.north, '__Host-chartgate-who', 'A'.repeat(43));
    expect((await stranger.post(edit(), { city: 'x' })).status).toBe(401);
    expect(stranger.cookie(s.north, '__Host-chartgate-form')).toBeUndefined();
    const forged = await browser.post(
      edit(),
      { city: 'x' },
      { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    );
    expect(forged.status).toBe(401);
    expect(forged.headers['set-cookie']).toBeUndefined();
  });

  it('takes the EMR’s cookies away when another person signs in at the same browser', async () => {
    const browser = await signedIn('clerk-4');
    browser.setCookie(s.north, 'EMRSESSID', 'of-clerk-4');
    browser.cookies.get(new URL(s.north).host)?.delete(SESSION);
    await browser.open(`${s.north}/patients`);
    expect(browser.cookie(s.north, 'EMRSESSID')).toBe('of-clerk-4');
    browser.cookies.get(new URL(s.north).host)?.delete(SESSION);
    browser.cookies.delete(new URL(s.issuer.url).host);
    s.issuer.person = { sub: 'clerk-5', ...TWO };
    await browser.open(`${s.north}/patients`);
    expect(browser.cookie(s.north, 'EMRSESSID')).toBeUndefined();
  });

  it('ends the session when the provider says so (back-channel logout)', async () => {
    const browser = await signedIn('clerk-6');
    const stays = await signedIn('clerk-7');
    const end = await browser.get(`${s.issuer.url}/session/end`);
    const { xsrf = '' } = inputs(end.text);
    const out = await browser.post(`${s.issuer.url}/session/end/confirm`, { xsrf, logout: 'yes' });
    expect([302, 303]).toContain(out.status);
    for (let tries = 0; tries < 20; tries += 1) {
      await pause(200);
      if ((await browser.get(`${s.north}/patients`)).status === 302) break;
    }
    expect(s.issuer.errors).toEqual([]);
    await pause(BELIEVED_MS);
    expect((await browser.get(`${s.north}/patients`)).status).toBe(302);
    expect((await stays.get(`${s.north}/patients`)).status).toBe(200);
    for (const token of ['', 'x', 'a.b.c', 'eyJhbGciOiJub25lIn0.e30.']) {
      const reply = await ask({
        url: `${s.north}/.chartgate/back-channel-logout`,
        authority: s.stack.authority,
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ logout_token: token }).toString(),
      });
      expect(reply.status).toBe(400);
    }
  });

  it('answers 503 for signed-in routes while the state cannot be read, and goes on with tokens', async () => {
    const browser = await signedIn('clerk-8');
    const token = await s.stack.token({ tenant: 'north', scopes: ['system/Patient.r'] });
    const state = join(s.stack.layout.gateway, 'state');
    await corrupt(state, async () => {
      await pause(BELIEVED_MS);
      const page = await browser.get(`${s.north}/patients`);
      expect([503]).toContain(page.status);
      const api = await ask({ url: `${s.north}/fhir/Patient/1`, authority: s.stack.authority, token });
      expect(api.status).toBe(200);
    });
  });

  it('answers 503 with a page of its own while the provider cannot be reached', async () => {
    const browser = new Browser(s.stack.authority);
    const stays = await signedIn('clerk-9').catch(() => undefined);
    await s.issuer.stop();
    const { reply } = await browser.open(`${s.north}/patients`);
    expect(reply.status).toBe(503);
    expect(reply.headers['retry-after']).toBeDefined();
    expect(reply.text).toContain(String(reply.headers['x-request-id']));
    // Whoever is signed in stays so.
    if (stays !== undefined) expect((await stays.get(`${s.north}/patients`)).status).toBe(200);
  });
});

/** Makes a SQLite store unreadable for those who have it open: another file of the same name would not be noticed. */
async function corrupt(folder: string, meanwhile: () => Promise<void>): Promise<void> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(join(folder, 'state.sqlite'));
  const tables = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all() as { name: string }[];
  for (const { name } of tables) database.exec(`ALTER TABLE "${name}" RENAME TO "away_${name}"`);
  try {
    await meanwhile();
  } finally {
    for (const { name } of tables) database.exec(`ALTER TABLE "away_${name}" RENAME TO "${name}"`);
    database.close();
  }
}
