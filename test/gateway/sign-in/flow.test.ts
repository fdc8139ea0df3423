import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activityOf } from '../../../examples/demo/evidence.ts';
import { ask } from '../../../examples/support/https-client.ts';
import { Browser, inputs } from '../../support/sign-in/browser.ts';
import { type SignInStack, signInStackFor } from '../../support/sign-in/stack.ts';

const TWO = { acr: 'urn:test:two', amr: ['pwd', 'otp', 'mfa'] };
const SESSION = '__Host-chartgate';

describe('signing in at a browser with a real OpenID provider', () => {
  let s: SignInStack;
  const newBrowser = (): Browser => new Browser(s.stack.authority);
  async function signedIn(sub = 'staff-1', path = '/patients'): Promise<Browser> {
    s.issuer.person = { sub, ...TWO };
    const browser = newBrowser();
    const { reply, url } = await browser.open(`${s.north}${path}`);
    expect(s.issuer.errors.splice(0)).toEqual([]);
    expect(`${reply.status} ${url}`).toBe(`200 ${s.north}${path}`);
    return browser;
  }

  beforeAll(async () => {
    s = await signInStackFor('sign-in-flow');
  }, 120_000);
  afterAll(() => s?.stack.stop());

  it('leads to the provider and back to the page that was wanted, by a pushed request with PKCE', async () => {
    const browser = await signedIn('staff-1', '/patients?name=a');
    expect(s.issuer.seen).toContain('POST /request');
    expect(browser.visited.find((each) => each.includes('/auth?'))).toContain('request_uri=urn');
    expect(browser.cookie(s.north, SESSION)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(browser.cookie(s.north, '__Host-chartgate-sign-in')).toBeUndefined();
    const page = await browser.get(`${s.north}/patients`);
    expect(page.text).toContain('staff-1');
    // Our cookies are ours alone: the EMR's page for what it was sent shows none of them.
    expect(page.text).not.toContain('__Host-chartgate');
    expect(page.headers['cache-control']).toBe('private');
  });

  it('sets the session cookie for this host, TLS, no script and no foreign form', async () => {
    const browser = newBrowser();
    s.issuer.person = { sub: 'staff-2', ...TWO };
    const seen: string[] = [];
    let [url, reply] = [`${s.north}/patients`, await browser.get(`${s.north}/patients`)];
    while (reply.headers.location !== undefined) {
      seen.push(...(reply.headers['set-cookie'] ?? []));
      url = new URL(reply.headers.location, url).href;
      reply = await browser.get(url);
    }
    const cookie = seen.find((each) => each.startsWith(`${SESSION}=`));
    expect(cookie).toMatch(/^__Host-chartgate=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
  });

  it('answers an API without a session 401, and not with a page', async () => {
    for (const headers of [
      { accept: 'application/json' },
      { accept: 'text/html', 'sec-fetch-mode': 'cors' },
      { accept: 'text/html', 'x-requested-with': 'XMLHttpRequest' },
    ] as Record<string, string>[]) {
      const reply = await ask({ url: `${s.north}/patients`, authority: s.stack.authority, headers });
      expect(reply.status).toBe(401);
      expect(reply.headers.location).toBeUndefined();
    }
  });

  it('leads to sign-in for a page that is not there as for one that is', async () => {
    const there = await newBrowser().get(`${s.north}/patients/1`);
    const nowhere = await newBrowser().get(`${s.north}/no-such-page/1`);
    expect([there.status, nowhere.status]).toEqual([302, 302]);
    expect(nowhere.headers.location).toBe('/.chartgate/sign-in?return=%2Fno-such-page%2F1');
    const browser = await signedIn();
    expect((await browser.get(`${s.north}/no-such-page/1`)).status).toBe(404);
  });

  it('knows nobody by a cookie of another tenant, made up, doubled, or in another spelling', async () => {
    const browser = await signedIn();
    const good = browser.cookie(s.north, SESSION) ?? '';
    const cases: readonly (readonly [string, string, string])[] = [
      ['another tenant', s.south, `${SESSION}=${good}`],
      ['made up', s.north, `${SESSION}=${'A'.repeat(43)}`],
      ['two of them', s.north, `${SESSION}=${good}; ${SESSION}=${good}`],
      ['other case', s.north, `__host-Chartgate=${good}`],
      ['shorter', s.north, `${SESSION}=${good.slice(0, 42)}`],
      ['with a tail', s.north, `${SESSION}=${good}x`],
      ['the hash of it, as a dump of the store has it', s.north, `${SESSION}=${hashOf(good)}`],
    ];
    for (const [why, origin, cookie] of cases) {
      const reply = await ask({
        url: `${origin}/patients`,
        authority: s.stack.authority,
        headers: { accept: 'application/json', cookie },
      });
      expect(`${why}: ${reply.status}`).toBe(`${why}: 401`);
    }
    const still = await ask({
      url: `${s.north}/patients`,
      authority: s.stack.authority,
      headers: { accept: 'application/json', cookie: `${SESSION}=${good}` },
    });
    expect(still.status).toBe(200);
  });

  it('never lets a session stand in for a bad token', async () => {
    const browser = await signedIn();
    const reply = await browser.get(`${s.north}/patients`, { authorization: 'Bearer nonsense' });
    expect(reply.status).toBe(401);
  });

  it('takes what changes something only from its own pages', async () => {
    const browser = await signedIn();
    const url = `${s.north}/patients/1/edit`;
    const send = (headers: Record<string, string>) =>
      browser.request('POST', url, 'city=Testbury', {
        'content-type': 'application/x-www-form-urlencoded',
        ...headers,
      });
    const refused: readonly (readonly [string, Record<string, string>])[] = [
      ['says nothing', {}],
      ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
      ['another tenant', { origin: s.south, 'sec-fetch-site': 'same-site' }],
      ['opaque origin', { origin: 'null' }],
      ['plain http', { origin: s.north.replace('https', 'http') }],
      ['typed by hand', { 'sec-fetch-site': 'none' }],
      ['they disagree', { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }],
    ];
    for (const [why, headers] of refused) {
      expect(`${why}: ${(await send(headers)).status}`).toBe(`${why}: 403`);
    }
    expect((await send({ origin: s.north, 'sec-fetch-site': 'same-origin' })).status).toBe(302);
    expect((await send({ origin: s.north })).status).toBe(302);
    // An image or a frame of a script's making on another host of the same site.
    const read = await browser.get(`${s.north}/patients`, {
      'sec-fetch-site': 'same-site',
      'sec-fetch-mode': 'no-cors',
      'sec-fetch-dest': 'image',
    });
    expect(read.status).toBe(403);
  });

  it('refuses an answer that was not asked for, is of another browser, or was used', async () => {
    s.issuer.person = { sub: 'staff-3', ...TWO };
    const browser = newBrowser();
    let [url, reply] = [`${s.north}/patients`, await browser.get(`${s.north}/patients`)];
    while (!(reply.headers.location ?? '').includes('/.chartgate/callback/')) {
      url = new URL(reply.headers.location ?? '', url).href;
      reply = await browser.get(url);
    }
    const back = reply.headers.location ?? '';
    const stranger = newBrowser();
    expect((await stranger.get(back)).status).toBe(400);
    // It was burnt by the stranger's try: a code is shown once.
    expect((await browser.get(back)).status).toBe(400);
    const state = new URL(back).searchParams.get('state') ?? '';
    for (const [why, address] of [
      ['no state', `${s.north}/.chartgate/callback/people?code=x`],
      ['unknown state', `${s.north}/.chartgate/callback/people?code=x&state=${'B'.repeat(43)}`],
      ['two states', `${s.north}/.chartgate/callback/people?code=x&state=${state}&state=${state}`],
    ]) {
      expect(`${why}: ${(await browser.get(address ?? '')).status}`).toBe(`${why}: 400`);
    }
    expect((await browser.get(`${s.north}/.chartgate/callback/demo?code=x&state=${state}`)).status).toBe(404);
    expect(browser.cookie(s.north, SESSION)).toBeUndefined();
  });

  it('refuses a mixed-up issuer (RFC 9207) and another state', async () => {
    for (const change of [
      (u: URL) => u.searchParams.set('iss', 'https://evil.example'),
      (u: URL) => u.searchParams.delete('iss'),
      (u: URL) => u.searchParams.set('code', 'stolen'),
      (u: URL) => u.searchParams.append('code', 'second'),
    ]) {
      s.issuer.person = { sub: 'staff-3', ...TWO };
      const browser = newBrowser();
      let [url, reply] = [`${s.north}/patients`, await browser.get(`${s.north}/patients`)];
      while (!(reply.headers.location ?? '').includes('/.chartgate/callback/')) {
        url = new URL(reply.headers.location ?? '', url).href;
        reply = await browser.get(url);
      }
      const back = new URL(reply.headers.location ?? '');
      change(back);
      expect((await browser.get(back.href)).status).toBe(400);
      expect(browser.cookie(s.north, SESSION)).toBeUndefined();
      s.issuer.errors.splice(0);
    }
  });

  it('lets nobody in who gave one factor only', async () => {
    s.issuer.person = { sub: 'staff-4', amr: ['pwd'] };
    const browser = newBrowser();
    const { reply } = await browser.open(`${s.north}/patients`);
    expect(reply.status).toBe(403);
    expect(browser.cookie(s.north, SESSION)).toBeUndefined();
    const records = JSON.stringify(await activityOf(s.stack, String(reply.headers['x-request-id'])));
    expect(records).toContain('sign-in-failed');
    expect(records).toContain('second factor');
  });

  it('goes on only to a path of its own host, however the address is spelt', async () => {
    const browser = await signedIn();
    for (const address of [
      'https://evil.example/',
      '//evil.example/',
      '/\\evil.example/',
      '/%5cevil.example',
      '/%2f/evil.example',
      '\\\\evil.example',
      'javascript:alert(1)',
      '/.chartgate/sign-out',
      '/a/../../.chartgate/callback/people',
      '/\u0000',
      `/${'a'.repeat(3000)}`,
      '/x#//evil.example',
    ]) {
      const reply = await browser.get(`${s.north}/.chartgate/sign-in?return=${encodeURIComponent(address)}`);
      expect([302, 400]).toContain(reply.status);
      if (reply.status === 302) expect(`${address} → ${reply.headers.location}`).toBe(`${address} → /`);
    }
    const good = await browser.get(
      `${s.north}/.chartgate/sign-in?return=${encodeURIComponent('/patients?name=b')}`,
    );
    expect(good.headers.location).toBe('/patients?name=b');
  });

  it('signs out here and at the provider, and asks first', async () => {
    const browser = await signedIn('staff-5');
    const asked = await browser.get(`${s.north}/.chartgate/sign-out`);
    expect(asked.status).toBe(200);
    expect(asked.headers['content-security-policy']).toContain("default-src 'none'");
    const { csrf = '' } = inputs(asked.text);
    const session = browser.cookie(s.north, SESSION) ?? '';
    expect((await browser.post(`${s.north}/.chartgate/sign-out`, { csrf: 'x', do: 'sign-out' })).status).toBe(
      403,
    );
    expect(
      (
        await browser.post(
          `${s.north}/.chartgate/sign-out`,
          { csrf, do: 'sign-out' },
          { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
        )
      ).status,
    ).toBe(403);
    expect((await browser.get(`${s.north}/patients`)).status).toBe(200);
    const out = await browser.post(`${s.north}/.chartgate/sign-out`, { csrf, do: 'sign-out' });
    expect(out.status).toBe(303);
    expect(out.headers.location).toContain(`${s.issuer.url}/session/end?`);
    expect(out.headers.location).toContain('id_token_hint=');
    expect(browser.cookie(s.north, SESSION)).toBeUndefined();
    // The other worker may believe it for a second.
    await new Promise((done) => setTimeout(done, 1100));
    const later = await ask({
      url: `${s.north}/patients`,
      authority: s.stack.authority,
      headers: { accept: 'application/json', cookie: `${SESSION}=${session}` },
    });
    expect(later.status).toBe(401);
  });

  it('shows one’s own sessions, and ends the others', async () => {
    const first = await signedIn('staff-6');
    const second = await signedIn('staff-6');
    await signedIn('staff-7');
    const page = await second.get(`${s.north}/.chartgate/sessions`, {
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    });
    expect(page.status).toBe(200);
    expect(page.text.match(/class="card"/g)?.length).toBe(2);
    const { csrf = '' } = inputs(page.text);
    const ended = await second.post(`${s.north}/.chartgate/sessions`, { csrf, do: 'end-others' });
    expect(ended.status).toBe(200);
    await new Promise((done) => setTimeout(done, 1100));
    expect((await first.get(`${s.north}/patients`)).status).toBe(302);
    expect((await second.get(`${s.north}/patients`)).status).toBe(200);
  });
});

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
