import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GOOD_PASSWORD } from '../../identity/accounts/support/world.ts';
import {
  APP_REDIRECT,
  AUDIENCE,
  type Clinic,
  FHIR,
  openClinic,
} from '../../identity/issuer/support/clinic.ts';
import { nextCode } from '../../identity/issuer/support/sign-in.ts';
import { openBrowser } from './support/browser.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

let clinic: Clinic;
let browser: Browser;
beforeAll(async () => {
  clinic = await openClinic();
  browser = await openBrowser();
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await clinic?.close();
});

function authorize(): string {
  const url = new URL('/authorize', clinic.settings.issuer);
  url.search = new URLSearchParams({
    client_id: 'growth-chart',
    response_type: 'code',
    redirect_uri: APP_REDIRECT,
    scope: 'openid fhirUser launch/patient patient/Observation.rs',
    aud: FHIR,
    resource: AUDIENCE,
    state: 'the-state-of-the-app',
    code_challenge: createHash('sha256').update(randomBytes(32).toString('base64url')).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  return url.href;
}

/** Heading of the page, which axe must find nothing on. */
async function seen(page: Page): Promise<string> {
  const heading = (await page.getByRole('heading', { level: 1 }).textContent()) ?? '';
  await page.evaluate(AXE);
  const found = await page.evaluate<readonly string[]>(
    `axe.run(document, { runOnly: ${JSON.stringify(TAGS)} }).then((result) => result.violations.map((one) => one.id + ': ' + one.nodes.map((node) => node.html)))`,
  );
  expect(found, heading).toEqual([]);
  return heading;
}

test('from the app through sign-in, second step, choice and consent, and back: accessible all the way, nothing blocked', async () => {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    viewport: { width: 400, height: 800 },
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (/Content Security Policy|Refused|Trusted/.test(message.text())) complaints.push(message.text());
  });
  const next = async (button: string) => {
    await Promise.all([
      page.waitForEvent('load'),
      page.getByRole('button', { name: button, exact: true }).click(),
    ]);
  };

  await page.goto(authorize());
  expect(await seen(page)).toBe('Sign in');
  await page.getByLabel('Username').fill('mo@riverside.example');
  await page.getByLabel('Password').fill('not the password');
  await next('Sign in');
  expect(await seen(page)).toBe('Sign in');
  expect(await page.title()).toMatch(/^Error: /);
  await page.getByLabel('Username').fill('mo@riverside.example');
  await page.getByLabel('Password').fill(GOOD_PASSWORD);
  await next('Sign in');

  expect(await seen(page)).toBe('Set up your app');
  const key = (await page.locator('.key').innerText()).trim();
  await page.getByLabel('Six-digit code').fill('000000');
  await next('Confirm');
  expect(await page.title()).toMatch(/^Error: /);
  await seen(page);
  await page.getByLabel('Six-digit code').fill(await nextCode({ key, step: 0 }));
  await next('Confirm');

  expect(await seen(page)).toBe('Keep your recovery codes');
  expect(await page.locator('.codes li').count()).toBe(10);
  await next('Continue');
  expect(await page.title()).toMatch(/^Error: /);
  await page.getByLabel('I have kept these codes').check();
  await next('Continue');

  expect(await seen(page)).toBe('Whose record?');
  await page.getByRole('radio').nth(1).check();
  await next('Continue');

  expect(await seen(page)).toBe('Allow Growth Chart?');
  expect(await page.getByText('See: test results and vital signs').isVisible()).toBe(true);
  const back = page.waitForRequest((request) => request.url().startsWith(APP_REDIRECT));
  await page.getByRole('button', { name: 'Allow', exact: true }).click();
  const answer = new URL((await back).url()).searchParams;
  expect(answer.get('state')).toBe('the-state-of-the-app');
  expect(answer.get('code')).toMatch(/^[\w-]{20,}$/);
  expect(complaints).toEqual([]);
  await context.close();
}, 90_000);
