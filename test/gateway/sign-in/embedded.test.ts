import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BrowserContext, type Browser as Chromium, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { secretOf } from '../../../config/secret.ts';
import { issuerWiring } from '../../../console/issuer.ts';
import { systemClock } from '../../../contracts/clock.ts';
import { give } from '../../../examples/demo/isolation.ts';
import { writeSecret } from '../../../examples/demo/layout.ts';
import type { BeforeGateway, Stack } from '../../../examples/demo/stack.ts';
import { ask } from '../../../examples/support/https-client.ts';
import { type OpenIssuer, openIssuer } from '../../../identity/issuer/process.ts';
import { clinic, enrolled, GOOD_PASSWORD, must, QUICK } from '../../identity/accounts/support/world.ts';
import { nextCode } from '../../identity/issuer/support/sign-in.ts';
import { Browser } from '../../support/sign-in/browser.ts';
import { stackFor } from '../../support/stack.ts';

const LOGIN = 'nina@riverside.example';

describe('the embedded issuer behind the gateway', () => {
  let stack: Stack;
  let issuer: OpenIssuer;
  let url = '';
  let browser: Chromium;
  let context: BrowserContext;
  const phone = { key: '', step: 0 };

  beforeAll(async () => {
    stack = await stackFor('sign-in-embedded', { workers: 2, prepare });
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
    context = await browser.newContext({ ignoreHTTPSErrors: true });
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  });

  async function prepare({ layout, isolation, authority, gatewayPort, tenants }: BeforeGateway) {
    const host = `id.localhost:${gatewayPort}`;
    url = `https://${host}`;
    const pair = await authority.issue({
      commonName: 'localhost',
      hosts: ['id.localhost', 'north.localhost', 'south.localhost', 'localhost'],
    });
    writeFileSync(join(layout.gateway, 'certificate.pem'), pair.certificatePem);
    writeSecret(join(layout.gateway, 'certificate.key'), pair.keyPem, isolation.gateway);
    const secret = randomBytes(32);
    writeFileSync(join(layout.gateway, 'issuer.secret'), secret, { mode: 0o600 });
    give(join(layout.gateway, 'issuer.secret'), isolation.gateway);
    const clientSecret = randomBytes(24).toString('base64url');
    writeSecret(join(layout.gateway, 'portal.secret'), clientSecret, isolation.gateway);
    writeSecret(join(layout.gateway, 'state.key'), randomBytes(32).toString('base64'), isolation.gateway);
    mkdirSync(join(layout.gateway, 'state'), { mode: 0o700 });
    give(join(layout.gateway, 'state'), isolation.gateway, isolation.gateway);
    const policy = join(layout.gateway, 'policy.yaml');
    writeFileSync(
      policy,
      stringify({
        routes: [
          { id: 'patients', methods: ['GET'], path: '/patients', credential: 'session', scopes: ['emr'] },
          {
            id: 'chart',
            methods: ['GET'],
            path: '/patients/{id}',
            credential: 'session',
            scopes: ['emr'],
            factorMaxAge: '10m',
          },
        ],
      }),
    );
    give(policy, isolation.gateway);
    const south = join(layout.gateway, 'south.yaml');
    writeFileSync(
      south,
      stringify({ routes: [{ id: 'any', methods: ['GET'], path: '/patients', scopes: ['emr'] }] }),
    );
    give(south, isolation.gateway);
    const folder = join(layout.issuer, 'embedded');
    mkdirSync(folder, { mode: 0o700 });
    const socket = join(layout.run, 'i.sock');
    const settings = {
      file: join(folder, 'issuer.yaml'),
      issuer: url,
      socket,
      secret: secretOf(secret),
      state: { kind: 'sqlite', file: join(folder, 'state.sqlite') },
      stateKeys: [secretOf(randomBytes(32))],
      brand: { name: 'Northgate Clinic' },
      accounts: QUICK,
      secondFactor: { required: true, exemptRoles: [] },
      tokens: { accessMs: 300_000, refreshIdleMs: 86_400_000, refreshMs: 86_400_000, sessionMs: 43_200_000 },
      tenants: [
        {
          id: 'north',
          name: 'Northgate Clinic',
          audience: tenants.north.audience,
          fhir: `${tenants.north.origin}/fhir`,
        },
      ],
      clients: [
        {
          id: 'gateway',
          name: 'Northgate Clinic',
          kind: 'gateway',
          tenants: ['north'],
          redirectUris: [`${tenants.north.origin}/.chartgate/callback/portal`],
          postLogoutRedirectUris: [`${tenants.north.origin}/.chartgate/signed-out`],
          // The feed tells the gateway; nothing has to be sent to it.
          backChannelLogoutUri: undefined,
          authentication: { method: 'secret', secret: secretOf(Buffer.from(clientSecret)) },
          scopes: ['emr'],
          dpop: false,
        },
      ],
      backChannelAuthority: Buffer.from(authority.certificatePem),
    } as unknown as Parameters<typeof openIssuer>[0];
    issuer = await openIssuer(settings, { ...issuerWiring(settings), clock: systemClock });
    // The issuer's user and the gateway's share a group in life.
    chmodSync(socket, 0o666);
    const { accounts } = issuer;
    const pairOf = await clinic(accounts);
    const asked = must(
      await accounts.asking.setRole(pairOf[0], { organisation: 'riverside', name: 'nurse', scopes: ['emr'] }),
    );
    must(await accounts.deciding.approve(pairOf[1], asked.request?.id ?? ''));
    await enrolled(accounts, pairOf, 'riverside', LOGIN, ['nurse']);
    return {
      stop: () => issuer.close(),
      adjust: (usual: Readonly<Record<string, unknown>>) => ({
        ...usual,
        state: { file: 'state/state.sqlite', keys: [{ file: 'state.key' }] },
        issuers: [
          ...(usual.issuers as object[]),
          {
            id: 'portal',
            issuer: url,
            algorithms: ['ES256'],
            relyingParty: { clientId: 'gateway', clientSecret: { file: 'portal.secret' }, scopes: ['emr'] },
            secondFactor: {
              by: 'issuer',
              acr: ['urn:chartgate:aal2', 'urn:chartgate:aal2-phishing-resistant'],
            },
            embedded: { socket, secret: { file: 'issuer.secret' } },
          },
        ],
        tenants: (usual.tenants as { id: string; issuers: string[] }[]).map((tenant) =>
          tenant.id === 'north'
            ? { ...tenant, issuers: [...tenant.issuers, 'portal'], signIn: { issuers: ['portal'] } }
            : { ...tenant, policy: 'south' },
        ),
        policies: { emr: 'policy.yaml', south: 'south.yaml' },
      }),
    };
  }

  it('is reached at its own host, without what is for the gateway alone', async () => {
    const metadata = await ask({
      url: `${url}/.well-known/openid-configuration`,
      authority: stack.authority,
    });
    expect(metadata.status).toBe(200);
    expect(JSON.parse(metadata.text)).toMatchObject({
      issuer: url,
      authorization_response_iss_parameter_supported: true,
    });
    for (const path of ['/internal/revocations', '/internal', '/Internal/revocations'])
      expect((await ask({ url: `${url}${path}`, authority: stack.authority })).status).toBe(404);
    const forged = await ask({
      url: `${url}/internal/revocations`,
      authority: stack.authority,
      headers: { 'x-chartgate-issuer-secret': 'guess', 'x-forwarded-for': '' },
    });
    expect(forged.status).toBe(404);
    const smart = await ask({
      url: `${stack.tenants.north.origin}/fhir/.well-known/smart-configuration`,
      authority: stack.authority,
    });
    expect(smart.status).toBe(200);
    expect(JSON.parse(smart.text)).toMatchObject({ code_challenge_methods_supported: ['S256'] });
  });

  it('signs somebody in with both factors, who then reaches the EMR', async () => {
    const page = await context.newPage();
    await page.goto(`${stack.tenants.north.origin}/patients`);
    expect(new URL(page.url()).origin).toBe(url);
    await page.fill('input[name=login]', LOGIN);
    await page.fill('input[name=password]', GOOD_PASSWORD);
    await page.click('button[type=submit]');
    await page.waitForSelector('input[name=code]');
    phone.key = /[A-Z2-7]{4}(?: [A-Z2-7]{4}){3,}/.exec(await page.content())?.[0] ?? '';
    await page.fill('input[name=code]', await nextCode(phone));
    await page.click('button[type=submit]');
    await page.waitForSelector('input[name=kept]');
    await page.check('input[name=kept]');
    await page.click('button[type=submit]');
    await page.waitForURL(`${stack.tenants.north.origin}/patients`, { timeout: 8000 }).catch(async () => {
      throw new Error(`${page.url()} ${await page.textContent('main')}`);
    });
    await page.goto(`${stack.tenants.north.origin}/patients/1`);
    expect(page.url()).toBe(`${stack.tenants.north.origin}/patients/1`);
    await page.close();
  });

  it('ends the gateway’s session within seconds of what the issuer’s feed says', async () => {
    const browser = new Browser(stack.authority);
    const { cookies } = await context.storageState();
    for (const { name, value, domain } of cookies) {
      if (domain === 'north.localhost') browser.setCookie(stack.tenants.north.origin, name, value);
    }
    const patients = `${stack.tenants.north.origin}/patients`;
    expect((await browser.get(patients)).status).toBe(200);
    const page = await context.newPage();
    await page.goto(`${url}/session/end`);
    await page.click('button[type=submit]');
    await page.close();
    let status = 200;
    for (let tries = 0; tries < 30 && status === 200; tries += 1) {
      await new Promise((done) => setTimeout(done, 100));
      status = (await browser.get(patients)).status;
    }
    expect(status).toBe(302);
    // Signed in once more, for what follows.
    const again = await context.newPage();
    await again.goto(patients);
    await again.fill('input[name=login]', LOGIN);
    await again.fill('input[name=password]', GOOD_PASSWORD);
    await again.click('button[type=submit]');
    await again.waitForSelector('input[name=code]');
    await again.fill('input[name=code]', await nextCode(phone));
    await again.click('button[type=submit]');
    await again.waitForURL(patients);
    await again.close();
  }, 60_000);

  it('signs out at the issuer too', async () => {
    const page = await context.newPage();
    await page.goto(`${stack.tenants.north.origin}/.chartgate/sign-out`);
    await page.click('button[value="sign-out"]');
    await page.waitForURL((at) => at.origin === url || at.pathname.endsWith('/signed-out'));
    // The issuer asks too: its session may be in use elsewhere.
    if (new URL(page.url()).origin === url) await page.click('button[type=submit]');
    await page.waitForURL(`${stack.tenants.north.origin}/.chartgate/signed-out`, { timeout: 8000 });
    await page.goto(`${stack.tenants.north.origin}/patients`);
    expect(new URL(page.url()).origin).toBe(url);
    await page.close();
  });

  it('is a 503 when it is gone, while others go on', async () => {
    await issuer.close();
    const gone = await ask({ url: `${url}/.well-known/openid-configuration`, authority: stack.authority });
    expect(gone.status).toBe(503);
    const page = await ask({
      url: `${stack.tenants.north.origin}/patients`,
      authority: stack.authority,
      headers: { accept: 'application/json' },
    });
    expect(page.status).toBe(401);
  });
});
