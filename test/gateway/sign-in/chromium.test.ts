import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { generateSync } from 'otplib';
import { type BrowserContext, type Browser as Chromium, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SignInStack, signInStackFor } from '../../support/sign-in/stack.ts';

const SHOTS = join(import.meta.dirname, '..', '..', '..', '.work', 'sign-in-shots');

describe('in Chromium, in front of an EMR that knows nothing of it', () => {
  let s: SignInStack;
  let browser: Chromium;
  let context: BrowserContext;
  let page: Page;
  const broken: string[] = [];
  let key = '';
  beforeAll(async () => {
    s = await signInStackFor('sign-in-chromium', { secondFactor: { by: 'gateway' } });
    s.issuer.person = undefined;
    mkdirSync(SHOTS, { recursive: true });
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
    // The authority of the test is not among the system's; that TLS is verified is tested elsewhere.
    context = await browser.newContext({ ignoreHTTPSErrors: true });
    page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') broken.push(message.text());
    });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await s?.stack.stop();
  });
  const shot = (name: string) => page.screenshot({ path: join(SHOTS, `${name}.png`) });

  it('signs in at the provider, enrols a second factor, and reaches the page it wanted', async () => {
    await page.goto(`${s.north}/patients/1`);
    expect(new URL(page.url()).origin).toBe(s.issuer.url);
    await page.fill('input[name=login]', 'doctor-1');
    await page.click('button');
    await page.waitForURL(/\.chartgate\/enrol/);
    await shot('enrol-choice');
    await page.click('a[href*="method=totp"]');
    await shot('enrol-totp');
    key = ((await page.locator('code').first().textContent()) ?? '').replaceAll(' ', '');
    await page.fill('input[name=code]', generateSync({ secret: key }));
    await page.click('button[type=submit]');
    await page.waitForSelector('input[name=kept]');
    await shot('recovery-codes');
    await page.check('input[name=kept]');
    await page.click('button[type=submit]');
    await page.waitForURL(`${s.north}/patients/1`);
    expect(await page.content()).toContain('clinician');
    await shot('emr');
    const cookies = await context.cookies(s.north);
    const session = cookies.find((each) => each.name === '__Host-chartgate');
    expect(session).toMatchObject({ secure: true, httpOnly: true, sameSite: 'Lax', path: '/' });
    expect(await page.evaluate('document.cookie')).not.toContain('__Host-chartgate');
  });

  it('comes in by a link from another site, and not by a form of one', async () => {
    const elsewhere = await context.newPage();
    await elsewhere.goto(`${s.issuer.url}/.well-known/openid-configuration`);
    await elsewhere.setContent(
      `<a href="${s.north}/patients">in</a><form method="post" action="${s.north}/patients/1/edit"><input name="city" value="Forged"><button>send</button></form>`,
    );
    await elsewhere.click('button');
    await elsewhere.waitForURL(`${s.north}/patients/1/edit`);
    await page.goto(`${s.north}/patients/1`);
    expect(await page.content()).not.toContain('Forged');
    await elsewhere.goto(`${s.issuer.url}/.well-known/openid-configuration`);
    await elsewhere.setContent(`<a href="${s.north}/patients">in</a>`);
    await elsewhere.click('a');
    await elsewhere.waitForURL(`${s.north}/patients`);
    await elsewhere.close();
  });

  it('sends a form that was too late after both factors, when its writer says so', async () => {
    await page.goto(`${s.north}/patients/1/edit`);
    const notes = 'Zoë’s “kept” & <i> 3%';
    await page.fill('[name=notes]', notes);
    await context.clearCookies({ name: '__Host-chartgate' });
    await page.evaluate("document.querySelector('form').submit()");
    await page.click('a[href*="sign-in"]');
    await page.waitForURL(/\.chartgate\/factor/);
    // That of the step before was used; the one of the next is good already.
    const epoch = Date.now() / 1000 + 30;
    await page.fill('input[name=code]', generateSync({ secret: key, epoch }));
    await page.click('button[type=submit]');
    await page.waitForURL(/\.chartgate\/continue/);
    await shot('continue');
    expect(await page.content()).not.toContain('kept');
    await page.click('form[action*="chartgate-continue"] button');
    await page.waitForURL(`${s.north}/patients/1`);
    await page.goto(`${s.north}/patients/1/edit`);
    expect(await page.inputValue('[name=notes]')).toBe(notes);
    expect(broken.filter((text) => /Content Security Policy|Refused/.test(text))).toEqual([]);
  });

  it('loses no form when the session ends under it', async () => {
    await page.goto(`${s.north}/patients/1/edit`);
    await page.fill('input[name=notes]', 'Zoë’s “quoted” & <b> 2%');
    await context.clearCookies({ name: '__Host-chartgate' });
    page.once('dialog', (dialog) => dialog.accept());
    await page.evaluate("document.querySelector('form').submit()");
    await page.waitForSelector('a[href*="sign-in"]');
    await shot('expired');
    await page.click('a[href*="sign-in"]');
    await page.waitForURL(/\.chartgate\/factor/);
    await shot('factor');
    await page.goto(`${s.north}/.chartgate/sign-out`);
    await shot('sign-out');
    expect(broken.filter((text) => /Content Security Policy|Refused/.test(text))).toEqual([]);
  });

  it('shows what it kept to nobody before both factors, and signs out to the provider', async () => {
    const reply = await page.goto(`${s.north}/.chartgate/continue`);
    expect(reply?.url()).toContain('/.chartgate/factor');
    expect(await page.content()).not.toContain('quoted');
    await page.goto(`${s.north}/.chartgate/sign-out`);
    await page.click('button[value="sign-out"]');
    await page.waitForURL(/\/session\/end/);
    expect(new URL(page.url()).origin).toBe(s.issuer.url);
    expect(broken.filter((text) => /Content Security Policy|Refused/.test(text))).toEqual([]);
  });
});
