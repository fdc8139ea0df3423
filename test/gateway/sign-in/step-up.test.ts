import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../../../examples/support/https-client.ts';
import { Browser, inputs } from '../../support/sign-in/browser.ts';
import { type SignInStack, signInStackFor } from '../../support/sign-in/stack.ts';

const TWO = { acr: 'urn:test:two', amr: ['pwd', 'otp', 'mfa'] };
const SESSION = '__Host-chartgate';
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

describe('step-up at an outside provider, which takes no pushed requests', () => {
  let s: SignInStack;
  let browser: Browser;
  beforeAll(async () => {
    s = await signInStackFor('sign-in-step-up', { pushed: false });
    s.issuer.person = { sub: 'staff-1', ...TWO };
    browser = new Browser(s.stack.authority);
    await browser.open(`${s.north}/patients`);
  }, 120_000);
  afterAll(() => s?.stack.stop());

  it('signs in by a plain request whose parameters are all there', () => {
    const sent = new URL((browser.visited.find((each) => each.includes('/auth?')) ?? '').slice(4));
    const { searchParams } = sent;
    expect(searchParams.get('response_type')).toBe('code');
    expect(searchParams.get('code_challenge_method')).toBe('S256');
    expect(searchParams.get('code_challenge')).toMatch(/^[\w-]{43}$/);
    expect(searchParams.get('resource')).toBe(s.stack.tenants.north.audience);
    expect(searchParams.get('redirect_uri')).toBe(`${s.north}/.chartgate/callback/people`);
    for (const name of ['state', 'nonce']) expect(searchParams.get(name)).toMatch(/^[\w-]{43}$/);
  });

  it('asks the provider anew for a route that wants a fresher factor, and renames the session', async () => {
    await pause(3000);
    const api = await browser.get(`${s.north}/invoices`, {
      accept: 'application/json',
      'sec-fetch-mode': 'cors',
      'sec-fetch-site': 'same-origin',
    });
    expect(api.status).toBe(401);
    expect(api.headers['www-authenticate']).toContain('insufficient_user_authentication');
    const { url, reply } = await browser.open(`${s.north}/invoices`);
    expect(url).toBe(`${s.north}/.chartgate/step-up?return=%2Finvoices&age=2`);
    const before = browser.cookie(s.north, SESSION);
    const fields = inputs(reply.text);
    const begun = await browser.post(`${s.north}/.chartgate/step-up`, fields);
    expect(begun.status).toBe(303);
    expect(begun.headers.location).toContain('max_age=2');
    const back = await browser.follow(`${s.north}/.chartgate/step-up`, begun);
    expect(s.issuer.errors).toEqual([]);
    // The legacy EMR has no such page; that it was asked for one is what matters.
    expect(`${back.reply.status} ${back.url}`).toBe(`400 ${s.north}/invoices`);
    expect(browser.cookie(s.north, SESSION)).not.toBe(before);
    const old = await ask({
      url: `${s.north}/patients`,
      authority: s.stack.authority,
      headers: { accept: 'application/json', cookie: `${SESSION}=${before}` },
    });
    if (old.status !== 401) await pause(1100);
    const later = await ask({
      url: `${s.north}/patients`,
      authority: s.stack.authority,
      headers: { accept: 'application/json', cookie: `${SESSION}=${before}` },
    });
    expect(later.status).toBe(401);
  });

  it('lets nobody step up as somebody else', async () => {
    await pause(2500);
    const { reply } = await browser.open(`${s.north}/invoices`);
    s.issuer.person = { sub: 'staff-2', ...TWO };
    browser.cookies.delete(new URL(s.issuer.url).host);
    const begun = await browser.post(`${s.north}/.chartgate/step-up`, inputs(reply.text));
    const back = await browser.follow(`${s.north}/.chartgate/step-up`, begun);
    expect(back.reply.status).toBe(403);
    const page = await browser.get(`${s.north}/patients`);
    expect(page.text).toContain('staff-1');
    expect(page.text).not.toContain('staff-2');
  });
});
