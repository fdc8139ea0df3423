import { generateSync } from 'otplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activityOf } from '../../../examples/demo/evidence.ts';
import { Browser, inputs } from '../../support/sign-in/browser.ts';
import { type SignInStack, signInStackFor } from '../../support/sign-in/stack.ts';

const SESSION = '__Host-chartgate';
const STEP_MS = 30_000;

describe('a second factor that the gateway asks for itself', () => {
  let s: SignInStack;
  let key = '';
  let recovery: string[] = [];
  /** A step of the clock is good for one code. */
  let used = -1;

  async function nextCode(): Promise<string> {
    // The step before and the one after are good too: three codes without waiting.
    const now = (): number => Math.floor(Date.now() / STEP_MS);
    while (used >= now() + 1) await new Promise((done) => setTimeout(done, 250));
    used = Math.max(used + 1, now() - 1);
    return generateSync({ secret: key, epoch: (used * STEP_MS) / 1000 });
  }
  async function firstFactor(sub: string): Promise<{ browser: Browser; url: string; text: string }> {
    s.issuer.person = { sub, amr: ['pwd'] };
    const browser = new Browser(s.stack.authority);
    const { url, reply } = await browser.open(`${s.north}/patients`);
    return { browser, url, text: reply.text };
  }

  beforeAll(async () => {
    s = await signInStackFor('sign-in-factor', { secondFactor: { by: 'gateway' } });
  }, 120_000);
  afterAll(() => s?.stack.stop());

  it('opens no page of the EMR after the first factor alone, and asks to enrol', async () => {
    const { browser, url, text } = await firstFactor('nurse-1');
    expect(url).toContain('/.chartgate/enrol');
    expect(text).toContain('method=totp');
    expect(browser.cookie(s.north, SESSION)).toMatch(/^[\w-]{43}$/);
    for (const path of [
      '/',
      '/patients',
      '/patients/1',
      '/login',
      '/fhir/Patient/1',
      '/.chartgate/sessions',
    ]) {
      const reply = await browser.get(`${s.north}${path}`);
      expect(`${path} ${reply.status}`).toBe(`${path} 302`);
      expect(reply.headers.location).toContain('/.chartgate/factor');
      const api = await browser.get(`${s.north}${path}`, {
        accept: 'application/json',
        'sec-fetch-mode': 'cors',
      });
      if (!path.startsWith('/.chartgate')) expect(`${path} ${api.status}`).toBe(`${path} 401`);
    }
    const post = await browser.post(`${s.north}/patients/1/edit`, { city: 'Nowhere' });
    expect(post.status).toBe(401);
  });

  it('enrols an app by a code, gives recovery codes once, and a new name to the session', async () => {
    const { browser } = await firstFactor('nurse-1');
    const before = browser.cookie(s.north, SESSION);
    const page = await browser.get(`${s.north}/.chartgate/enrol?method=totp&return=%2Fpatients`);
    expect(page.status).toBe(200);
    key = (/<code[^>]*>([A-Z2-7 ]+)<\/code>/.exec(page.text)?.[1] ?? '').replaceAll(' ', '');
    expect(key.length).toBeGreaterThanOrEqual(32);
    const { csrf = '' } = inputs(page.text);
    const fields = { csrf, method: 'totp', return: '/patients' };
    const wrong = await browser.post(`${s.north}/.chartgate/enrol`, { ...fields, code: '000000' });
    expect(wrong.status).toBe(403);
    const done = await browser.post(`${s.north}/.chartgate/enrol`, { ...fields, code: await nextCode() });
    expect(done.status).toBe(200);
    recovery = [...done.text.matchAll(/<(?:code|li)[^>]*>([0-9A-Z]{4,}(?:-[0-9A-Z]{4,})+)</g)].map(
      (each) => each[1] ?? '',
    );
    expect(recovery.length).toBeGreaterThanOrEqual(8);
    expect(browser.cookie(s.north, SESSION)).not.toBe(before);
    const on = await browser.post(`${s.north}/.chartgate/enrol`, {
      ...inputs(done.text),
      kept: 'yes',
    });
    expect(`${on.status} ${on.headers.location}`).toBe('303 /patients');
    expect((await browser.get(`${s.north}/patients`)).text).toContain('nurse-1');
    const records = JSON.stringify(await activityOf(s.stack, String(done.headers['x-request-id'])));
    expect(records).toContain('factor-enrolled');
    expect(records).not.toContain(key);
  });

  it('asks for a code at the next sign-in; a wrong one, a used one and none open nothing', async () => {
    const { browser, url, text } = await firstFactor('nurse-1');
    expect(url).toContain('/.chartgate/factor');
    const { csrf = '' } = inputs(text);
    const give = (code: string) =>
      browser.post(`${s.north}/.chartgate/factor`, { csrf, method: 'totp', return: '/patients', code });
    expect((await give('')).status).toBe(403);
    expect((await give('123456')).status).toBe(403);
    expect((await browser.get(`${s.north}/patients`)).status).toBe(302);
    const code = await nextCode();
    const old = browser.cookie(s.north, SESSION);
    const right = await give(code);
    expect(`${right.status} ${right.headers.location}`).toBe('303 /patients');
    expect(browser.cookie(s.north, SESSION)).not.toBe(old);
    expect((await browser.get(`${s.north}/patients`)).status).toBe(200);
    const other = await firstFactor('nurse-1');
    const again = await other.browser.post(`${s.north}/.chartgate/factor`, {
      csrf: inputs(other.text).csrf ?? '',
      method: 'totp',
      return: '/patients',
      code,
    });
    expect(again.status).toBe(403);
    // The name that the session had before the code is nobody's; the other worker may believe it for a second.
    await new Promise((done) => setTimeout(done, 1100));
    other.browser.setCookie(s.north, SESSION, old ?? '');
    expect((await other.browser.get(`${s.north}/patients`)).headers.location).toContain(
      '/.chartgate/sign-in',
    );
  });

  it('takes a recovery code once', async () => {
    const { browser, text } = await firstFactor('nurse-1');
    const fields = { csrf: inputs(text).csrf ?? '', method: 'recovery-code', return: '/' };
    const code = recovery[0] ?? '';
    expect((await browser.post(`${s.north}/.chartgate/factor`, { ...fields, code })).status).toBe(303);
    const other = await firstFactor('nurse-1');
    const again = { ...fields, csrf: inputs(other.text).csrf ?? '', code };
    expect((await other.browser.post(`${s.north}/.chartgate/factor`, again)).status).toBe(403);
  });

  it('asks for it anew where a route wants a fresher one, and keeps a form meanwhile', async () => {
    const { browser, text } = await firstFactor('nurse-1');
    const give = {
      csrf: inputs(text).csrf ?? '',
      method: 'recovery-code',
      return: '/',
      code: recovery[1] ?? '',
    };
    expect((await browser.post(`${s.north}/.chartgate/factor`, give)).status).toBe(303);
    expect((await browser.get(`${s.north}/patients/1/edit`)).status).toBe(200);
    await new Promise((done) => setTimeout(done, 3000));
    const api = await browser.get(`${s.north}/invoices`, {
      accept: 'application/json',
      'sec-fetch-mode': 'cors',
    });
    expect(api.status).toBe(401);
    expect(api.headers['www-authenticate']).toMatch(/error="insufficient_user_authentication".*max_age="2"/);
    const page = await browser.open(`${s.north}/invoices`);
    expect(page.url).toContain('/.chartgate/factor');
    expect(inputs(page.reply.text).return).toBe('/invoices');
    // A page that wants nothing fresh still opens.
    expect((await browser.get(`${s.north}/patients`)).status).toBe(200);
  });

  it('locks after five wrong codes, whether or not the next one is right', async () => {
    const { browser, text } = await firstFactor('nurse-1');
    const fields = { csrf: inputs(text).csrf ?? '', method: 'totp', return: '/' };
    const statuses: number[] = [];
    for (let tries = 0; tries < 6; tries += 1) {
      const reply = await browser.post(`${s.north}/.chartgate/factor`, {
        ...fields,
        code: String(100_000 + tries),
      });
      statuses.push(reply.status);
    }
    expect(statuses.at(-1)).toBe(429);
    const right = await browser.post(`${s.north}/.chartgate/factor`, { ...fields, code: await nextCode() });
    expect(right.status).toBe(429);
  });
});
