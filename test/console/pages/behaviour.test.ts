import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Page as RenderedPage,
  renderConsent,
  renderContinue,
  renderEnrolPasskey,
  renderFactor,
  renderSignIn,
  type Site,
} from '../../../console/index.ts';
import { RIVERSIDE } from './support/brands.ts';
import { openBrowser, type PageServer, servePages } from './support/browser.ts';
import { SAMPLES } from './support/samples.ts';

const SETTINGS = { brand: RIVERSIDE, assetPath: '/.chartgate/assets/' };
const form = { action: '/form?step=1', csrf: 'token "<&>\'', hidden: { uid: 'x1' } };
/** Pages that one test needs. */
const own: Record<string, (site: Site) => RenderedPage> = {};
let browser: Browser;
let server: PageServer;

beforeAll(async () => {
  server = await servePages(
    SETTINGS,
    new Proxy(SAMPLES, { get: (samples, name: string) => own[name] ?? samples[name] }),
  );
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await server.close();
});
beforeEach(() => {
  server.posts.length = 0;
});

const posted = () => new URLSearchParams(server.posts.at(-1)?.body);

describe('without JavaScript', () => {
  let context: BrowserContext;
  let page: Page;
  beforeAll(async () => {
    context = await browser.newContext({ javaScriptEnabled: false });
    page = await context.newPage();
    own['own-sign-in'] = (it) => renderSignIn(it, { form, passkey: { form, options: {} } });
  });
  afterAll(() => context.close());

  test('one signs in with the keyboard alone, and the form carries its token and our own origin', async () => {
    await page.goto(`${server.origin}/own-sign-in`);
    await page.keyboard.press('Tab');
    await page.keyboard.type('jordan');
    await page.keyboard.press('Tab');
    await page.keyboard.type('correct horse battery staple');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/form?step=1');
    expect(Object.fromEntries(posted())).toEqual({
      csrf: 'token "<&>\'',
      uid: 'x1',
      login: 'jordan',
      password: 'correct horse battery staple',
    });
    // What the anti-forgery check of the gateway looks at.
    expect(server.posts.at(-1)?.headers.origin).toBe(server.origin);
    expect(server.posts.at(-1)?.headers['sec-fetch-site']).toBe('same-origin');
  });

  test('what needs a script is not shown, and the page says what to do instead', async () => {
    await page.goto(`${server.origin}/own-sign-in`);
    expect(await page.getByText('Sign in with a passkey').isVisible()).toBe(false);
    await page.goto(`${server.origin}/factor-passkey`);
    expect(await page.getByText('choose another way').isVisible()).toBe(true);
    expect(await page.getByRole('link', { name: 'Use my authenticator app' }).isVisible()).toBe(true);
  });

  test.each([
    ['sessions', 'End the session in Safari on iPhone', 'end=a1'],
    ['sessions', 'End all others', 'do=end-others'],
    ['sign-out', 'Sign out', 'do=sign-out'],
    ['sign-out', 'Sign out on all devices', 'do=sign-out-everywhere'],
    ['consent', 'Allow', 'do=allow'],
    ['consent', 'Do not allow', 'do=deny'],
    ['factors', 'Remove Security key', 'remove=p2'],
  ])('on "%s", "%s" sends %s', async (name, button, field) => {
    await page.goto(`${server.origin}/${name}`);
    const exact = !button.startsWith('End the');
    await page.getByRole('button', { name: button, exact }).click();
    await page.waitForURL('**/.chartgate/form');
    expect(posted().toString()).toBe(`csrf=csrf-token-of-the-test&${field}`);
  });
});

describe('a reader of the page', () => {
  let page: Page;
  beforeAll(async () => {
    page = await browser.newPage();
  });
  afterAll(() => page.close());

  test('begins with what went wrong, goes from there to the field, and hears it there again', async () => {
    await page.goto(`${server.origin}/password-refused`);
    expect(await page.evaluate('document.activeElement.className')).toBe('problems');
    await page.getByRole('link', { name: 'The two new passwords are not the same' }).click();
    const field = page.getByLabel('New password, once more');
    expect(await page.evaluate('location.hash')).toBe('#again');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(await page.locator('#again-problem').textContent()).toMatch(/Error: .*not the same/);
  });

  test('sees where the focus is, on everything that can have it', async () => {
    const names = ['sign-in', 'consent-choosable', 'sessions', 'enrol-choice', 'choose-patient'];
    for (const name of names) {
      await page.goto(`${server.origin}/${name}`);
      const count = await page.locator('main :is(a, button, input:not([type=hidden])):visible').count();
      for (let index = 0; index < count; index++) {
        await page.keyboard.press('Tab');
        const ring = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
        expect(ring, `${name}, element ${index}`).not.toBe('none');
      }
    }
  });

  test.each([
    ['sign-in', 'Username', 'username webauthn'],
    ['sign-in-plain', 'Username', 'username'],
    ['sign-in', 'Password', 'current-password'],
    ['password-change', 'Present password', 'current-password'],
    ['password-change', 'New password', 'new-password'],
    ['factor', 'Six-digit code', 'one-time-code'],
    ['enrol-totp', 'Six-digit code', 'one-time-code'],
  ])('on "%s" lets a password manager fill in "%s" (%s), and pastes into it', async (name, label, token) => {
    await page.goto(`${server.origin}/${name}`);
    const field = page.getByLabel(label, { exact: true });
    expect(await field.getAttribute('autocomplete')).toBe(token);
    expect(await page.locator('[onpaste], [maxlength]').count()).toBe(0);
    await page.evaluate(
      `document.querySelector('[autocomplete="${token}"]').focus(); document.execCommand('insertText', false, 'pasted text')`,
    );
    expect(await field.inputValue()).toBe('pasted text');
  });

  test('can print the recovery codes, without the form', async () => {
    await page.goto(`${server.origin}/recovery-codes`);
    await page.emulateMedia({ media: 'print' });
    expect(await page.getByText('K7QM-2F9T-XW4H-B3').isVisible()).toBe(true);
    expect(await page.getByText('Account: jordan').isVisible()).toBe(true);
    expect(await page.getByText('I have kept these codes').isVisible()).toBe(false);
    await page.emulateMedia({ media: null });
  });
});

describe('what others put into a page stays text', () => {
  test('in every place of it, and the policy would stop it besides', async () => {
    const hostile = `"'><img src=x onerror="document.title='taken'"><script>document.title='taken'</script>`;
    own.hostile = (it) =>
      renderConsent(it, {
        form: { ...form, csrf: hostile },
        client: hostile,
        patient: hostile,
        account: hostile,
        scopes: [hostile, `patient/Observation.rs?${hostile}`],
        choosable: true,
      });
    const page = await browser.newPage();
    await page.goto(`${server.origin}/hostile`);
    expect(await page.title()).toContain('<img src=x');
    expect(await page.locator('main img, main script').count()).toBe(0);
    const planted = page.evaluate(
      `document.body.appendChild(document.createElement('img')).setAttribute('onerror', "document.title='taken'")`,
    );
    await expect(planted).rejects.toThrow(/TrustedScript/);
    expect(await page.title()).not.toBe('taken');
    await page.close();
  });

  test('whether a held form is sent is confirmed at the address that it was meant for', async () => {
    own.held = (it) =>
      renderContinue(it, {
        route: 'Progress note',
        bytes: 99,
        files: 2,
        send: { action: '/save.php?id=7', csrf: 'token', hidden: { '.chartgate-continue': 'yes' } },
      });
    const page = await browser.newPage();
    await page.goto(`${server.origin}/held`);
    await page.getByRole('button', { name: 'Send now' }).click();
    await page.waitForURL('**/save.php?id=7');
    expect(posted().toString()).toBe('csrf=token&.chartgate-continue=yes');
    await page.close();
  });
});

describe('passkeys', () => {
  test('are made and used by the one script, and a real verifier accepts what it sends', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    const creation = await generateRegistrationOptions({
      rpName: 'Riverside Clinic',
      rpID: 'localhost',
      userName: 'jordan',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    });
    own.create = (it) => renderEnrolPasskey(it, { form, options: creation });
    await page.goto(`${server.origin}/create`);
    await page.getByLabel('Name for this passkey').fill('Work laptop');
    await page.getByRole('button', { name: 'Set up passkey' }).click();
    await page.waitForURL('**/form?step=1');
    expect(posted().get('name')).toBe('Work laptop');
    const registered = await verifyRegistrationResponse({
      response: JSON.parse(posted().get('passkey') ?? ''),
      expectedChallenge: creation.challenge,
      expectedOrigin: server.origin,
      expectedRPID: 'localhost',
      requireUserVerification: true,
    });
    if (!registered.verified) throw new Error('the verifier refused the new passkey');
    const { credential } = registered.registrationInfo;

    const request = await generateAuthenticationOptions({
      rpID: 'localhost',
      allowCredentials: [{ id: credential.id }],
      userVerification: 'required',
    });
    own.use = (it) => renderFactor(it, { form, method: 'passkey', options: request, purpose: 'sign-in' });
    await page.goto(`${server.origin}/use`);
    await page.getByRole('button', { name: 'Use passkey' }).click();
    await page.waitForURL('**/form?step=1');
    expect(posted().get('method')).toBe('passkey');
    const used = await verifyAuthenticationResponse({
      response: JSON.parse(posted().get('passkey') ?? ''),
      expectedChallenge: request.challenge,
      expectedOrigin: server.origin,
      expectedRPID: 'localhost',
      credential,
      requireUserVerification: true,
    });
    expect(used.verified).toBe(true);

    // At sign-in passkeys are also offered quietly in the field; the button takes over from that.
    const presence = (enabled: boolean) =>
      devtools.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
    const anybody = await generateAuthenticationOptions({ rpID: 'localhost', userVerification: 'required' });
    own['sign-in-with-passkey'] = (it) =>
      renderSignIn(it, { form, passkey: { form, options: anybody }, problems: ['wrong'] });
    await presence(false);
    await page.goto(`${server.origin}/sign-in-with-passkey`);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
    server.posts.length = 0;
    await presence(true);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.waitForURL('**/form?step=1');
    expect(server.posts).toHaveLength(1);
    const signedIn = await verifyAuthenticationResponse({
      response: JSON.parse(posted().get('passkey') ?? ''),
      expectedChallenge: anybody.challenge,
      expectedOrigin: server.origin,
      expectedRPID: 'localhost',
      credential: { ...credential, counter: used.authenticationInfo.newCounter },
      requireUserVerification: true,
    });
    expect(signedIn.verified).toBe(true);
    await context.close();
  });

  test('a refusal of the authenticator is said aloud, and the button can be used again', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'usb',
        hasUserVerification: false,
        automaticPresenceSimulation: true,
      },
    });
    await page.goto(`${server.origin}/enrol-passkey`);
    await page.getByRole('button', { name: 'Set up passkey' }).click();
    await page.getByRole('status').filter({ hasText: 'That did not work' }).waitFor();
    expect(
      await page.getByRole('button', { name: 'Set up passkey' }).getAttribute('aria-disabled'),
    ).toBeNull();
    expect(server.posts).toEqual([]);
    await context.close();
  });
});
