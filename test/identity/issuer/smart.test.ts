import tls from 'node:tls';
import { Client as FhirKitClient } from 'fhir-kit-client';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../contracts/clock.ts';
import { type AnnouncedLaunch, announce } from '../../../identity/issuer/launch-context.ts';
import { Models } from '../../../identity/issuer/models.ts';
import { createSealer } from '../../../identity/state/index.ts';
import { GOOD_PASSWORD } from '../accounts/support/world.ts';
import { openApp, type SmartApp } from './support/app.ts';
import { AUDIENCE, CLIENTS, type Clinic, client, openClinic } from './support/clinic.ts';
import { nextCode, type Phone } from './support/sign-in.ts';

let app: SmartApp;
let clinic: Clinic;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const phones = new Map<string, Phone>();

beforeAll(async () => {
  app = await openApp();
  clinic = await openClinic({
    settings: {
      tenants: [{ id: 'clinic', name: 'Riverside Clinic', audience: AUDIENCE, fhir: app.fhir }],
      clients: [
        ...CLIENTS.filter(({ id }) => id !== 'growth-chart'),
        client({
          id: 'growth-chart',
          name: 'Growth Chart',
          redirectUris: [app.redirectUri],
          scopes: ['patient/*.cruds', 'user/*.rs'],
        }),
      ],
    },
  });
  app.issuer = { url: clinic.settings.issuer, fetch: clinic.fetch };
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await clinic?.close();
  await app?.close();
});
beforeEach(async () => {
  context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: true });
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
});
afterEach(() => context?.close());

/** Password, and the app's code; the first time the app is enrolled. */
async function signIn(login: string): Promise<void> {
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill(GOOD_PASSWORD);
  await page
    .locator(
      'form:has(input[name=password]) button[type=submit], form:has(input[name=password]) button:not([type])',
    )
    .first()
    .click();
  await page.locator('input[name=code]').waitFor();
  let phone = phones.get(login);
  const enrols = phone === undefined;
  if (phone === undefined) {
    const key = /[A-Z2-7]{4}(?: [A-Z2-7]{4}){3,}/.exec(await page.locator('main').innerText())?.[0] ?? '';
    phone = { key, step: 0 };
    phones.set(login, phone);
  }
  await page.locator('input[name=code]').fill(await nextCode(phone));
  await page.locator('form:has(input[name=code]) button').first().click();
  if (!enrols) return;
  await page.locator('input[name=kept]').check();
  await page.locator('form:has(input[name=kept]) button').first().click();
}

const launch = (parameters: Record<string, string>) =>
  page.goto(`${app.launchUri}?${new URLSearchParams(parameters)}`);

async function result(): Promise<Record<string, unknown>> {
  await page.waitForURL(`${app.redirectUri}**`);
  await expect.poll(() => page.locator('#result').textContent(), { timeout: 15_000 }).not.toBe('');
  return JSON.parse((await page.locator('#result').textContent()) ?? '') as Record<string, unknown>;
}

const allow = () => page.locator('button[name=do][value=allow]').click();

describe('SMART App Launch with fhirclient in Chromium', () => {
  test('standalone: a patient signs in, consents, and the app reads their record and no more', async () => {
    await launch({
      base: app.fhir,
      scope: 'launch/patient openid fhirUser patient/Patient.rs patient/Observation.cruds offline_access',
    });
    await signIn(await clinic.newcomer());
    expect(await page.locator('main').innerText()).toContain('Growth Chart');
    // Whose record it is, in the words of who entered the account.
    expect(await page.locator('main').innerText()).toContain('Uma User (p-1)');
    await allow();
    const told = await result();
    expect(told).toMatchObject({
      patientId: 'p-1',
      user: 'Patient/p-1',
      patient: { resourceType: 'Patient', id: 'p-1' },
    });
    const state = told.state as Record<string, unknown>;
    expect(state).toMatchObject({ patient: 'p-1', need_patient_banner: true, token_type: 'Bearer' });
    expect(state.refresh_token).toEqual(expect.any(String));
    // The role allows reading: of the broad scope the reading half is left.
    expect(String(state.scope).split(' ')).toEqual(
      expect.arrayContaining(['patient/Patient.rs', 'patient/Observation.rs']),
    );
    expect(String(state.scope)).not.toMatch(/cru?d/);
  });

  test('standalone: who stands for two patients chooses one; v1 scopes are granted as asked', async () => {
    await launch({ base: app.fhir, scope: 'launch/patient openid fhirUser patient/*.read' });
    await signIn('mo@riverside.example');
    // She stands for them and is none of them: her account has no names of theirs.
    expect(await page.locator('main').innerText()).not.toContain('Uma User');
    await page.locator('input[name=patient][value=p-2]').check();
    await page.locator('form:has(input[name=patient]) button').first().click();
    await allow();
    const told = await result();
    expect(told).toMatchObject({ patientId: 'p-2' });
    expect(String((told.state as Record<string, unknown>).scope)).toContain('patient/*.read');
  });

  test('launched by the EHR: the patient is the one that it announced, once', async () => {
    const announced: AnnouncedLaunch = {
      client: 'growth-chart',
      patient: 'p-7',
      encounter: 'e-1',
      needPatientBanner: false,
      intent: undefined,
      subject: clinic.people.nurse,
    };
    const models = new Models(clinic.issuer.store, createSealer(clinic.settings.stateKeys), systemClock);
    const name = await announce(models, announced);
    const parameters = {
      iss: app.fhir,
      launch: name,
      scope: 'launch openid fhirUser user/Patient.rs patient/Patient.rs',
    };
    await launch(parameters);
    await signIn('nina@riverside.example');
    await allow();
    const told = await result();
    expect(told).toMatchObject({ patientId: 'p-7', user: 'Practitioner/nina' });
    expect(told.state).toMatchObject({ patient: 'p-7', encounter: 'e-1', need_patient_banner: false });
    await launch(parameters);
    await page.waitForURL(`${app.redirectUri}**`);
    expect(
      new URL(page.url()).searchParams.get('error') ?? (await page.locator('#result').textContent()),
    ).toMatch(/invalid_request/);
  });

  test('who refuses gives the app nothing', async () => {
    await launch({ base: app.fhir, scope: 'launch/patient openid patient/Patient.rs' });
    await signIn(await clinic.newcomer());
    await page.locator('button[name=do][value=deny]').click();
    await page.waitForURL(`${app.redirectUri}**`);
    expect(page.url()).toContain('access_denied');
  });
});

describe('fhir-kit-client', () => {
  test('finds the endpoints by the FHIR base, and reads with a token that was granted', async () => {
    await launch({ base: app.fhir, scope: 'launch/patient openid patient/Patient.rs' });
    await signIn(await clinic.newcomer());
    await allow();
    const { state } = await result();
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), app.authority]);
    const { access_token: bearerToken } = state as { readonly access_token: string };
    const kit = new FhirKitClient({ baseUrl: app.fhir, bearerToken });
    const found = await kit.smartAuthMetadata();
    expect(found.authorizeUrl?.href).toBe(`${clinic.settings.issuer}/authorize`);
    expect(found.tokenUrl?.href).toBe(`${clinic.settings.issuer}/token`);
    expect(await kit.read({ resourceType: 'Patient', id: 'p-1' })).toEqual({
      resourceType: 'Patient',
      id: 'p-1',
    });
  });
});
