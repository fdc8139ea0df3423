import { createHash, X509Certificate } from 'node:crypto';
import * as client from 'openid-client';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACR } from '../../../contracts/issuer-link.ts';
import { GOOD_PASSWORD } from '../accounts/support/world.ts';
import { AUDIENCE, type Clinic, GATEWAY_SECRET, openClinic, REDIRECT } from './support/clinic.ts';
import { nextCode, type Phone } from './support/sign-in.ts';

let clinic: Clinic;
let browser: Browser;
let page: Page;
let gateway: client.Configuration;

beforeAll(async () => {
  clinic = await openClinic();
  gateway = await client.discovery(
    new URL(clinic.settings.issuer),
    'gateway',
    undefined,
    client.ClientSecretBasic(GATEWAY_SECRET),
    { [client.customFetch]: clinic.fetch as unknown as client.CustomFetch },
  );
  const key = new X509Certificate(clinic.certificate).publicKey.export({ type: 'spki', format: 'der' });
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    // A page whose certificate is only tolerated gets no passkeys; this one key is trusted.
    args: [
      '--no-sandbox',
      `--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`,
    ],
  });
  page = await browser.newPage();
  page.setDefaultTimeout(15_000);
  await page.route('https://emr.clinic.example/**', (route) => route.fulfill({ body: 'back' }));
  await withAuthenticator(page);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await clinic?.close();
});

async function withAuthenticator(shown: Page): Promise<void> {
  const cdp = await shown.context().newCDPSession(shown);
  await cdp.send('WebAuthn.enable');
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

async function begin(): Promise<string> {
  const verifier = client.randomPKCECodeVerifier();
  const url = client.buildAuthorizationUrl(gateway, {
    redirect_uri: REDIRECT,
    scope: 'openid portal',
    resource: AUDIENCE,
    acr_values: ACR.resistant,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  await page.goto(url.href);
  return verifier;
}

async function finish(verifier: string) {
  await page.waitForURL(`${REDIRECT}**`);
  const tokens = await client.authorizationCodeGrant(gateway, new URL(page.url()), {
    pkceCodeVerifier: verifier,
  });
  return tokens.claims();
}

test('somebody who is asked for a passkey enrols one, and the next time signs in with nothing else', async () => {
  const login = await clinic.newcomer();
  const first = await begin();
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill(GOOD_PASSWORD);
  await page.locator('form:has(input[name=password]) button').first().click();
  await page.locator('input[name=name]').fill('Telephone');
  await page.locator('form:has(input[name=name]) button').first().click();
  await page.locator('input[name=kept]').check();
  await page.locator('form:has(input[name=kept]) button').first().click();
  expect(await finish(first)).toMatchObject({
    acr: ACR.resistant,
    amr: expect.arrayContaining(['pwd', 'mfa']),
  });

  await page.context().clearCookies();
  const second = await begin();
  // Chromium offers the passkey by itself, and the authenticator of the test agrees at once: mostly nothing is left to click.
  const button = page.locator('form:has(input[value=passkey-sign-in]) button');
  await button.click({ timeout: 2000 }).catch(() => undefined);
  const claims = await finish(second);
  expect(claims).toMatchObject({ acr: ACR.resistant });
  expect(claims?.amr).not.toContain('pwd');
});

test('on the page of one’s own account a passkey is added, and then the authenticator app removed', async () => {
  const login = await clinic.newcomer();
  const phone: Phone = { key: '', step: 0 };
  const context = await browser.newContext();
  const own = await context.newPage();
  own.setDefaultTimeout(15_000);
  await withAuthenticator(own);
  await own.goto(`${clinic.settings.issuer}/account`);
  await own.locator('input[name=login]').fill(login);
  await own.locator('input[name=password]').fill(GOOD_PASSWORD);
  await own.locator('form:has(input[name=password]) button').first().click();
  await own.waitForSelector('input[name=code]');
  phone.key = /[A-Z2-7]{4}(?: [A-Z2-7]{4}){3,}/.exec(await own.content())?.[0] ?? '';
  await own.locator('input[name=code]').fill(await nextCode(phone));
  await own.locator('form:has(input[name=code]) button').first().click();
  await own.locator('input[name=kept]').check();
  await own.locator('form:has(input[name=kept]) button').first().click();
  await own.getByRole('link', { name: 'Second steps and passkeys' }).click();
  expect(await own.locator('button[value=totp]').count()).toBe(0);
  await own.getByRole('link', { name: 'Add a passkey' }).click();
  await own.locator('input[name=name]').fill('Work laptop');
  await own.locator('form:has(input[name=name]) button').first().click();
  await own.waitForURL('**/account/factors');
  expect(await own.textContent('main')).toContain('Work laptop');
  await own.locator('button[value=totp]').click();
  await own.waitForURL('**/account/factors');
  expect(await own.textContent('main')).toContain('Not set up');
  // The passkey is the last one now, and stays.
  await own.locator('button[name=remove]').click();
  expect(await own.textContent('main')).toContain('only second step');
  await context.close();
});
