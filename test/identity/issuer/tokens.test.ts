import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../contracts/clock.ts';
import { ACR, ISSUER_KEY_HEADER, issuerKey, type Revocation } from '../../../contracts/issuer-link.ts';
import { IssuerKeys } from '../../../identity/issuer/keys.ts';
import { createSealer } from '../../../identity/state/index.ts';
import { must } from '../accounts/support/world.ts';
import {
  APP_REDIRECT,
  AUDIENCE,
  client as app,
  CLIENTS,
  type Clinic,
  FHIR,
  GATEWAY_SECRET,
  gatewayKey,
  openClinic,
  REDIRECT,
} from './support/clinic.ts';
import { enrol, type Phone, signIn } from './support/sign-in.ts';
import { Visitor } from './support/visitor.ts';

let clinic: Clinic;
const phones = new Map<string, Phone>();

beforeAll(async () => {
  clinic = await openClinic({ settings: { clients: [...CLIENTS, app({ id: 'second-app' })] } });
}, 60_000);
afterAll(() => clinic?.close());

const payload = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

async function configuration(id: string, authentication?: client.ClientAuth): Promise<client.Configuration> {
  return client.discovery(new URL(clinic.settings.issuer), id, undefined, authentication ?? client.None(), {
    [client.customFetch]: clinic.fetch as unknown as client.CustomFetch,
  });
}
const gateway = () => configuration('gateway', client.ClientSecretBasic(GATEWAY_SECRET));

interface Flow {
  readonly config: client.Configuration;
  readonly verifier: string;
  readonly visitor: Visitor;
}

/** As far as the redirect back to the client, whoever signs in and whatever is asked on the way. */
async function authorize(
  config: client.Configuration,
  login: string,
  parameters: Record<string, string>,
  visitor = new Visitor(clinic.fetch, clinic.settings.issuer),
): Promise<Flow> {
  const verifier = client.randomPKCECodeVerifier();
  const url = client.buildAuthorizationUrl(config, {
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...parameters,
  });
  await visitor.go(url.href);
  if (visitor.forms().some(({ fields }) => fields.get('step') === 'sign-in')) {
    const phone = phones.get(login) ?? { key: '', step: 0 };
    if (phones.has(login)) await signIn(visitor, login, phone);
    else await enrol(visitor, login, phone);
    phones.set(login, phone);
  }
  if (visitor.forms().some(({ fields }) => fields.get('step') === 'consent'))
    await visitor.send({ do: 'allow' }, 'consent');
  return { config, verifier, visitor };
}

const back = ({ visitor }: Flow): URL => {
  if (visitor.left === undefined)
    throw new Error(`did not come back: ${visitor.page.status}\n${visitor.page.html}`);
  return visitor.left;
};

const grant = (flow: Flow, options?: client.DPoPOptions) =>
  client.authorizationCodeGrant(
    flow.config,
    back(flow),
    { pkceCodeVerifier: flow.verifier },
    undefined,
    options,
  );

const APP = {
  redirect_uri: APP_REDIRECT,
  aud: FHIR,
  scope: 'launch/patient openid patient/Patient.rs offline_access',
};
const GATEWAY = { redirect_uri: REDIRECT, resource: AUDIENCE, scope: 'openid portal patient/*.rs' };

describe('codes and refresh tokens', () => {
  test('a code counts once, also for two at the same moment; then nothing that came of it counts', async () => {
    const flow = await authorize(await configuration('growth-chart'), await clinic.newcomer(), APP);
    const redeemed = await Promise.allSettled([grant(flow), grant(flow), grant(flow)]);
    expect(redeemed.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
    for (const each of redeemed) {
      if (each.status === 'rejected') expect(String(each.reason.error)).toBe('invalid_grant');
      else {
        await expect(
          client.refreshTokenGrant(flow.config, String(each.value.refresh_token)),
        ).rejects.toMatchObject({ error: 'invalid_grant' });
        expect(await client.tokenIntrospection(await gateway(), each.value.access_token)).toMatchObject({
          active: false,
        });
      }
    }
  });

  test('a code of another verifier, another redirect URI or another client is refused', async () => {
    const config = await configuration('growth-chart');
    const flow = await authorize(config, await clinic.newcomer(), APP);
    await expect(grant({ ...flow, verifier: client.randomPKCECodeVerifier() })).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    const second = await authorize(config, '', APP, flow.visitor);
    await expect(grant({ ...second, config: await configuration('second-app') })).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  test('a refresh token is replaced at each use, and its second use ends all of them', async () => {
    const flow = await authorize(await configuration('growth-chart'), await clinic.newcomer(), APP);
    const first = await grant(flow);
    const second = await client.refreshTokenGrant(flow.config, String(first.refresh_token));
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(payload(second.access_token)).toMatchObject({ patient: 'p-1', aud: AUDIENCE });
    expect(second).toMatchObject({ patient: 'p-1' });
    await expect(client.refreshTokenGrant(flow.config, String(first.refresh_token))).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    await expect(client.refreshTokenGrant(flow.config, String(second.refresh_token))).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });
});

describe('who may ask about tokens', () => {
  test('the gateway of the tenant; not an app, and a token that was revoked is not active', async () => {
    const flow = await authorize(await configuration('growth-chart'), await clinic.newcomer(), APP);
    const { access_token: token } = await grant(flow);
    expect(await client.tokenIntrospection(await gateway(), token)).toMatchObject({
      active: true,
      patient: 'p-1',
      aud: AUDIENCE,
    });
    expect(await client.tokenIntrospection(flow.config, token)).toMatchObject({ active: false });
    await client.tokenRevocation(flow.config, token);
    expect(await client.tokenIntrospection(await gateway(), token)).toMatchObject({ active: false });
  });

  test('a `jti`, a changed token and a token of another key are active for nobody', async () => {
    const flow = await authorize(await gateway(), await clinic.newcomer('nurse'), GATEWAY);
    const { access_token: token } = await grant(flow);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const forged = await new SignJWT(payload(token))
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'x' })
      .sign(privateKey);
    for (const bad of [
      String(payload(token).jti),
      `${token.slice(0, -4)}AAAA`,
      forged,
      `~${payload(token).jti}~${'A'.repeat(43)}`,
    ]) {
      expect(await client.tokenIntrospection(flow.config, bad), bad).toMatchObject({ active: false });
    }
  });
});

describe('what a token is bound to', () => {
  test('DPoP: the token says whose key, the client that must prove one gets none without, and no proof counts twice', async () => {
    const config = await configuration('bound-app');
    await expect(
      authorize(config, await clinic.newcomer(), APP).then((flow) => grant(flow)),
    ).rejects.toMatchObject({ error: expect.stringMatching(/invalid_(grant|request|dpop_proof)/) });
    const flow = await authorize(config, await clinic.newcomer(), APP);
    const keys = await client.randomDPoPKeyPair('ES256', { extractable: true });
    const tokens = await grant(flow, { DPoP: client.getDPoPHandle(config, keys) });
    expect(tokens.token_type).toBe('dpop');
    const thumbprint = await calculateJwkThumbprint(await exportJWK(keys.publicKey));
    expect(payload(tokens.access_token)).toMatchObject({ cnf: { jkt: thumbprint } });
    const proof = await new SignJWT({
      htm: 'POST',
      htu: `${clinic.settings.issuer}/token`,
      jti: randomUUID(),
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(keys.publicKey) })
      .setIssuedAt()
      .sign(keys.privateKey);
    const refresh = (token: string) =>
      clinic.fetch(`${clinic.settings.issuer}/token`, {
        method: 'POST',
        headers: { dpop: proof },
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token: token,
          client_id: 'bound-app',
        }),
      });
    const first = await refresh(String(tokens.refresh_token));
    expect(first.status).toBe(200);
    const { refresh_token: next } = (await first.json()) as { refresh_token: string };
    expect((await refresh(next)).status).toBe(400);
  });

  test('private_key_jwt: a gateway proves itself with its key, and an assertion counts once', async () => {
    const key = await crypto.subtle.importKey(
      'pkcs8',
      gatewayKey.privateKey.export({ type: 'pkcs8', format: 'der' }),
      { name: 'ECDSA', namedCurve: 'P-256' },
      false,
      ['sign'],
    );
    const config = await configuration('gateway-by-key', client.PrivateKeyJwt({ key, kid: 'gateway-1' }));
    const flow = await authorize(config, 'nina@riverside.example', {
      ...GATEWAY,
      scope: 'openid patient/*.rs',
    });
    expect(payload((await grant(flow)).access_token)).toMatchObject({ client_id: 'gateway-by-key' });
    const assertion = await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256', kid: 'gateway-1' })
      .setIssuer('gateway-by-key')
      .setSubject('gateway-by-key')
      .setAudience(clinic.settings.issuer)
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(gatewayKey.privateKey);
    const ask = () =>
      clinic.fetch(`${clinic.settings.issuer}/token/introspection`, {
        method: 'POST',
        body: new URLSearchParams({
          token: 'x',
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: assertion,
        }),
      });
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe('step-up', () => {
  test('asks for a stronger factor only, and says so in the token', async () => {
    const flow = await authorize(await gateway(), await clinic.newcomer(), GATEWAY);
    expect(payload((await grant(flow)).access_token)).toMatchObject({ acr: ACR.two });
    await authorize(
      await gateway(),
      'mo@riverside.example',
      { ...GATEWAY, acr_values: ACR.resistant },
      flow.visitor,
    );
    expect(flow.visitor.left).toBeUndefined();
    expect(flow.visitor.forms().map(({ fields }) => fields.get('step'))).toContain('factor');
  });

  test('prompt=none answers with an error instead of a page where somebody has to be asked', async () => {
    const visitor = new Visitor(clinic.fetch, clinic.settings.issuer);
    await authorize(await gateway(), 'nobody', { ...GATEWAY, prompt: 'none' }, visitor);
    expect(visitor.left?.searchParams.get('error')).toBe('login_required');
    expect(visitor.left?.searchParams.get('iss')).toBe(clinic.settings.issuer);
  });
});

describe('the feed', () => {
  test('tells of a revoked token, of a disabled account and of a sign-out, and resumes where it was left', async () => {
    const heard: Revocation[] = [];
    const ids: string[] = [];
    const stop = await follow(heard, ids);
    const flow = await authorize(await gateway(), await clinic.newcomer('nurse'), GATEWAY);
    const { access_token: token, id_token: hint } = await grant(flow);
    const app = await authorize(await configuration('growth-chart'), 'mo@riverside.example', {
      ...APP,
      scope: 'openid patient/Patient.rs',
    });
    if (app.visitor.left === undefined) {
      await app.visitor.send({ patient: 'p-2' }, 'patient');
      await app.visitor.send({ do: 'allow' }, 'consent');
    }
    const { access_token: other } = await grant(app);
    await client.tokenRevocation(app.config, other);
    await expect
      .poll(() => heard)
      .toContainEqual(expect.objectContaining({ kind: 'token', value: payload(other).jti }));

    await flow.visitor.go(
      `${clinic.settings.issuer}/session/end?${new URLSearchParams({ id_token_hint: String(hint) })}`,
    );
    await expect
      .poll(() => heard)
      .toContainEqual(expect.objectContaining({ kind: 'session', value: payload(token).sid }));
    await expect
      .poll(() => heard)
      .toContainEqual(expect.objectContaining({ kind: 'grant', value: payload(token).grant_id }));

    const [anna] = clinic.administrators;
    // Her roles were set just now, which is among what still counts.
    const before = heard.length;
    must(await clinic.accounts.alone.disableAccount(anna, clinic.people.mother));
    await expect
      .poll(() => heard.slice(before))
      .toContainEqual(expect.objectContaining({ kind: 'subject', value: clinic.people.mother }));
    stop();

    const again: Revocation[] = [];
    (await follow(again, [], ids.at(-1)))();
    expect(again.length).toBeLessThanOrEqual(heard.length);
  });

  async function follow(heard: Revocation[], ids: string[], after?: string): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const asked = request(
      {
        socketPath: clinic.settings.socket,
        path: '/internal/revocations',
        headers: {
          host: new URL(clinic.settings.issuer).host,
          [ISSUER_KEY_HEADER]: issuerKey(clinic.settings.secret.reveal()),
          ...(after === undefined ? {} : { 'last-event-id': after }),
        },
      },
      (answer) => {
        answer.setEncoding('utf8').on('data', (text: string) => {
          for (const block of text.split('\n\n')) {
            const data = /^data: (.+)$/m.exec(block)?.[1];
            if (block.includes('event: current')) resolve();
            if (data === undefined || !block.includes('event: revocation')) continue;
            heard.push(JSON.parse(data) as Revocation);
            ids.push(/^id: (.+)$/m.exec(block)?.[1] ?? '');
          }
        });
      },
    );
    asked.on('error', () => {});
    asked.end();
    await promise;
    return () => asked.destroy();
  }
});

describe('keys', () => {
  test('a new key is published before it signs; what the old one signed stays good', async () => {
    const flow = await authorize(await gateway(), await clinic.newcomer('nurse'), GATEWAY);
    const old = (await grant(flow)).access_token;
    const keys = new IssuerKeys(clinic.issuer.store, createSealer(clinic.settings.stateKeys), systemClock);
    const { kid, signsFrom } = await keys.rotate({ leadMs: 1500, keepMs: 60_000 });
    await clinic.issuer.issuer.reloadKeys();
    const published = async () =>
      (
        (await (await clinic.fetch(`${clinic.settings.issuer}/jwks`)).json()) as {
          keys: { kid: string; d?: string }[];
        }
      ).keys;
    expect((await published()).map((key) => key.kid)).toContain(kid);
    expect((await published()).some((key) => key.d !== undefined)).toBe(false);
    await expect(keys.rotate({ leadMs: 1500, keepMs: 60_000 })).rejects.toMatchObject({ code: 'usage' });
    const header = (token: string) =>
      JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string };
    expect(header(old).kid).not.toBe(kid);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, signsFrom - Date.now()) + 300));
    const next = await authorize(await gateway(), '', GATEWAY, flow.visitor);
    expect(header((await grant(next)).access_token).kid).toBe(kid);
    expect((await published()).map((key) => key.kid)).toContain(header(old).kid);
    expect(await client.tokenIntrospection(await gateway(), old)).toMatchObject({ active: true });
  });
});
