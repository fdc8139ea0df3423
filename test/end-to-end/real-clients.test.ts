import { Client, type FhirResource } from 'fhir-kit-client';
import { type Browser, chromium, type Page } from 'playwright-core';
import { Agent } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../examples/demo/stack.ts';
import { stackFor } from '../support/stack.ts';

/** Hiding must not break good clients: a FHIR library as apps use it, and a browser at the EMR's own pages. */

let stack: Stack;
let north: string;
let closed: number;
const ABSENT = 9999;

beforeAll(async () => {
  stack = await stackFor('real-clients', { workers: 1 });
  north = stack.tenants.north.origin;
  closed = stack.tenants.north.restricted[0] ?? 0;
}, 120_000);
afterAll(() => stack?.stop());

describe('a FHIR client library', () => {
  let client: Client;
  let agent: Agent;

  beforeAll(async () => {
    agent = new Agent({
      connect: {
        ca: stack.authority,
        // `*.localhost` is not resolved everywhere.
        lookup: (_name, options, found) =>
          options.all === true
            ? found(null, [{ address: '127.0.0.1', family: 4 }])
            : found(null, '127.0.0.1', 4),
      },
    });
    client = new Client({
      baseUrl: `${north}/fhir`,
      bearerToken: await stack.token({ tenant: 'north', scopes: ['system/*.cruds'] }),
      requestOptions: { dispatcher: agent } as Record<string, unknown>,
    });
  });
  afterAll(() => agent?.destroy());

  const failure = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    const { response } = error as {
      response: { status: number; data: { resourceType: string; issue: { code: string }[] } };
    };
    return { status: response.status, type: response.data.resourceType, code: response.data.issue[0]?.code };
  };

  it('reads what it may, with the validator that an update needs', async () => {
    const patient = await client.read({ resourceType: 'Patient', id: '1' });
    expect(patient).toMatchObject({ resourceType: 'Patient', id: '1' });
    expect(Client.httpFor(patient).response?.headers.get('etag')).toMatch(/^(?:W\/)?"/);
  });

  it('gets one OperationOutcome that it can parse for what is absent and for what is closed to it', async () => {
    const answers = await Promise.all(
      [ABSENT, closed].map((id) => failure(client.read({ resourceType: 'Patient', id: String(id) }))),
    );
    expect(answers[0]).toEqual({ status: 404, type: 'OperationOutcome', code: 'not-found' });
    expect(answers[1]).toEqual(answers[0]);
  });

  it('finds, creates, updates under the validator, and is told of a stale one', async () => {
    const observation = {
      resourceType: 'Observation',
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
      subject: { reference: 'Patient/1' },
      valueQuantity: { value: 61, unit: '/min' },
    };
    const made = await client.create({ resourceType: 'Observation', body: observation as FhirResource });
    const { response } = Client.httpFor(made);
    expect(response?.status).toBe(201);
    const id = /Observation\/(\d+)/.exec(response?.headers.get('location') ?? '')?.[1] ?? '';
    const read = await client.read({ resourceType: 'Observation', id });
    const tag = Client.httpFor(read).response?.headers.get('etag') ?? '';
    const update = (value: number, match: string) =>
      client.update({
        resourceType: 'Observation',
        id,
        body: { ...observation, id, valueQuantity: { value, unit: '/min' } } as FhirResource,
        options: { headers: { 'if-match': match } },
      });
    await update(62, tag);
    expect(await client.read({ resourceType: 'Observation', id })).toMatchObject({
      valueQuantity: { value: 62 },
    });
    expect((await failure(update(63, tag))).status).toBe(412);
    const found = await client.resourceSearch({
      resourceType: 'Observation',
      searchParams: { patient: '1' },
    });
    expect(found).toMatchObject({ resourceType: 'Bundle', type: 'searchset' });
  });

  it('is told the same of a change to what is absent and to what is closed to it, whatever the validator', async () => {
    const change = (id: number, match: string) =>
      failure(
        client.update({
          resourceType: 'Patient',
          id: String(id),
          body: { resourceType: 'Patient', id: String(id), name: [{ family: 'Nobody' }] } as FhirResource,
          options: { headers: { 'if-match': match } },
        }),
      );
    const answers = await Promise.all(
      [ABSENT, closed].flatMap((id) => [change(id, 'W/"1"'), change(id, 'W/"999"')]),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]?.status).toBe(404);
  });
});

describe('a browser at the pages of the EMR', () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
    const token = await stack.token({
      tenant: 'north',
      client: 'front-desk',
      scopes: ['emr/pages', 'emr/documents'],
    });
    // That TLS is verified is tested elsewhere.
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      extraHTTPHeaders: { authorization: `Bearer ${token}` },
    });
    page = await context.newPage();
  }, 60_000);
  afterAll(() => browser?.close());

  it('works through list, chart and form, and back', async () => {
    await page.goto(`${north}/patients`);
    await page.click('table.list a >> nth=0');
    await page.waitForURL(/\/patients\/\d+$/);
    const chart = page.url();
    // The EMR's own link has its inner address, which a browser outside cannot reach.
    await page.goto(`${chart}/edit`);
    await page.fill('input[name=city]', 'Newtown');
    page.once('dialog', (dialog) => void dialog.accept());
    await page.click('input[type=submit]');
    await page.waitForURL(chart);
    expect(await page.content()).toContain('Newtown');
    await page.goBack();
    await page.goForward();
    expect(page.url()).toBe(chart);
    await page.goto(`${north}/patients`);
    expect(await page.locator('table.list tr').count()).toBeGreaterThan(5);
  });

  it('shows one page for a chart that is closed, and the way on from it works', async () => {
    const closedPage = await page.goto(`${north}/patients/${closed}`);
    expect(closedPage?.status()).toBe(404);
    const text = (await page.locator('main').innerText()).replaceAll(/[0-9a-z]{26}/g, 'ID');
    expect(text).not.toMatch(/clinician|restricted|Dr\.?/i);
    await page.goBack();
    expect(page.url()).toBe(`${north}/patients`);
  });
});
