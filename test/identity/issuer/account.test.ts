import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../contracts/clock.ts';
import type { JsonBody } from '../../../contracts/state.ts';
import { GOOD_PASSWORD } from '../accounts/support/world.ts';
import { APP_REDIRECT, type Clinic, FHIR, GATEWAY_SECRET, openClinic } from './support/clinic.ts';
import { enrol, nextCode, type Phone, signIn } from './support/sign-in.ts';
import { Visitor } from './support/visitor.ts';

let clinic: Clinic;
let app: client.Configuration;
let gateway: client.Configuration;
/** Added to the real time. */
let later = 0;

beforeAll(async () => {
  clinic = await openClinic({
    clock: { wall: () => systemClock.wall() + later, monotonic: () => systemClock.monotonic() },
  });
  const options = { [client.customFetch]: clinic.fetch as unknown as client.CustomFetch };
  const at = new URL(clinic.settings.issuer);
  app = await client.discovery(at, 'growth-chart', undefined, client.None(), options);
  gateway = await client.discovery(
    at,
    'gateway',
    undefined,
    client.ClientSecretBasic(GATEWAY_SECRET),
    options,
  );
}, 60_000);
afterAll(() => clinic?.close());

const OTHER_PASSWORD = 'Sandbar-Tiptoe-Quilted-77';
const somebody = () => new Visitor(clinic.fetch, clinic.settings.issuer);
const at = (path: string) => `${clinic.settings.issuer}${path}`;

interface Member {
  readonly login: string;
  readonly phone: Phone;
  readonly visitor: Visitor;
  readonly codes: readonly string[];
}

/** Somebody new, who is at their own account. */
async function member(): Promise<Member> {
  const login = await clinic.newcomer();
  const phone: Phone = { key: '', step: 0 };
  const visitor = somebody();
  await visitor.go(at('/account'));
  const codes = await enrol(visitor, login, phone);
  return { login, phone, visitor, codes };
}

/** An app that somebody allows. */
async function allow(visitor: Visitor): Promise<client.TokenEndpointResponse> {
  const verifier = client.randomPKCECodeVerifier();
  const url = client.buildAuthorizationUrl(app, {
    redirect_uri: APP_REDIRECT,
    scope: 'openid offline_access launch/patient patient/Observation.rs',
    aud: FHIR,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  await visitor.go(url.href);
  await visitor.send({ do: 'allow' }, 'consent');
  if (visitor.left === undefined) throw new Error(visitor.page.html);
  return client.authorizationCodeGrant(app, visitor.left, { pkceCodeVerifier: verifier });
}

const active = async (token: string) => (await client.tokenIntrospection(gateway, token)).active;
/** Values of the buttons with that name. */
const buttons = (visitor: Visitor, name: string) =>
  [...visitor.page.html.matchAll(new RegExp(`name="${name}" value="([^"]*)"`, 'g'))].map(
    ([, value = '']) => value,
  );

describe('who is not signed in', () => {
  test.each([
    '/account',
    '/account/factors',
    '/account/password',
    '/account/factors/app',
    '/account/proof?to=password',
  ])('is asked to, for %s', async (path) => {
    const visitor = somebody();
    await visitor.go(at(path));
    expect(visitor.forms().some(({ fields }) => fields.get('step') === 'sign-in')).toBe(true);
    await visitor.go(at(path), new URLSearchParams({ do: 'end-others', 'new-codes': 'x', csrf: '' }));
    expect(visitor.forms().some(({ fields }) => fields.get('step') === 'sign-in')).toBe(true);
  });

  test('comes to the page that was wanted, and nowhere else', async () => {
    const { visitor } = await member();
    expect(visitor.heading()).toBe('Your account');
    for (const state of ['https://evil.example', '//evil.example', '/session/end', '__proto__', '']) {
      await visitor.go(at(`/account/back?state=${encodeURIComponent(state)}&code=x`));
      expect(visitor.left).toBeUndefined();
      expect(new URL(visitor.page.url).pathname).toBe('/account');
    }
    await visitor.go(at('/account/back?state=factors'));
    expect(new URL(visitor.page.url).pathname).toBe('/account/factors');
  });

  test('is told once when the sign-in was given up, without a circle', async () => {
    const visitor = somebody();
    await visitor.go(at('/account'));
    const cancel = /href="([^"]*\/cancel)"/.exec(visitor.page.html)?.[1] ?? '';
    await visitor.go(cancel);
    expect(visitor.page.status).toBe(403);
    expect(visitor.left).toBeUndefined();
  });

  test('the code of that sign-in is no use to anybody', async () => {
    const { visitor } = await member();
    const url = new URL(at('/authorize'));
    url.search = new URLSearchParams({
      client_id: 'urn:chartgate:account',
      response_type: 'code',
      redirect_uri: at('/account/back'),
      scope: 'openid patient/*.rs admin/accounts.read',
      code_challenge: await client.calculatePKCECodeChallenge('v'.repeat(43)),
      code_challenge_method: 'S256',
    }).toString();
    const answer = await clinic.fetch(url.href, {
      redirect: 'manual',
      headers: { cookie: visitor.cookies.map(({ name, value }) => `${name}=${value}`).join('; ') },
    });
    const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? '';
    expect(code).not.toBe('');
    const sent = await clinic.fetch(at('/token'), {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: 'urn:chartgate:account',
        redirect_uri: at('/account/back'),
        code,
        code_verifier: 'v'.repeat(43),
      }),
    });
    // Whoever asks with a verifier of their own learns whose session it is, by an ID token, and gets no scope.
    const { access_token: token, scope } = (await sent.json()) as Record<string, string>;
    expect(scope ?? 'openid').toBe('openid');
    const read = await clinic.fetch(at('/admin/organisations/riverside/accounts'), {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(read.status).toBe(401);
  });
});

describe('a form', () => {
  test.each([
    ['without its anti-CSRF text', { csrf: '' }, {}, 422],
    ["with somebody else's", { csrf: 'A'.repeat(32) }, {}, 422],
    ['from another site', {}, { origin: 'https://evil.example' }, 403],
    ['of another type', {}, { 'content-type': 'text/plain' }, 413],
  ])('%s does nothing', async (_, changes, headers, status) => {
    const { visitor } = await member();
    const tokens = await allow(visitor);
    await visitor.go(at('/account'));
    const body = new URLSearchParams(visitor.forms()[0]?.fields);
    body.set('take', 'growth-chart');
    for (const [name, value] of Object.entries(changes)) body.set(name, value);
    expect((await visitor.go(at('/account'), body, headers)).status).toBe(status);
    expect(await active(tokens.access_token)).toBe(true);
  });

  test('of one member is none of another’s', async () => {
    const [one, other] = [await member(), await member()];
    const body = new URLSearchParams(one.visitor.forms()[0]?.fields);
    body.set('do', 'end-others');
    expect((await other.visitor.go(at('/account'), body)).status).toBe(422);
  });

  test('unknown pages and methods are refused', async () => {
    const { visitor } = await member();
    expect((await visitor.go(at('/account/nothing'))).status).toBe(404);
    expect((await visitor.go(at('/account/'))).status).toBe(404);
    expect((await visitor.go(at('/account/back'), new URLSearchParams())).status).toBe(405);
    const put = await clinic.fetch(at('/account'), { method: 'PUT' });
    expect(put.status).toBe(405);
  });
});

describe('apps and sessions', () => {
  test('a permission that is taken back ends with its tokens at once', async () => {
    const { visitor } = await member();
    await visitor.go(at('/account'));
    expect(buttons(visitor, 'take')).toEqual([]);
    const first = await allow(visitor);
    const second = await allow(visitor);
    await visitor.go(at('/account'));
    expect(visitor.page.html).toContain('Growth Chart');
    expect(buttons(visitor, 'take')).toEqual(['growth-chart']);
    const revoked = await revocations();
    await visitor.send({ take: 'growth-chart' });
    expect(visitor.page.status).toBe(200);
    expect(visitor.page.html).toContain('taken back');
    expect(buttons(visitor, 'take')).toEqual([]);
    for (const tokens of [first, second]) {
      expect(await active(tokens.access_token)).toBe(false);
      await expect(client.refreshTokenGrant(app, tokens.refresh_token ?? '')).rejects.toMatchObject({
        error: 'invalid_grant',
      });
    }
    // Gateways that verify by themselves hear of both grants.
    const told = (await revocations()).filter((each) => !revoked.includes(each));
    expect(told.filter((each) => each.startsWith('grant '))).toHaveLength(2);
    await visitor.send({ take: 'growth-chart' });
    expect(visitor.page.html).toContain('no permission any more');
  });

  test('nobody takes back for another, and a gateway is no app', async () => {
    const [one, other] = [await member(), await member()];
    const tokens = await allow(one.visitor);
    await other.visitor.go(at('/account'));
    expect(other.visitor.page.html).not.toContain('Growth Chart');
    await other.visitor.send({ take: 'growth-chart' });
    await one.visitor.go(at('/account'));
    expect(buttons(one.visitor, 'take')).toEqual(['growth-chart']);
    for (const take of ['gateway', 'urn:chartgate:account', 'nobody']) {
      await one.visitor.send({ take });
      expect(one.visitor.page.html).toContain('no permission any more');
    }
    expect(await active(tokens.access_token)).toBe(true);
  });

  test('another session is ended with what came of it; the one at hand stays', async () => {
    const { visitor, login, phone } = await member();
    const elsewhere = somebody();
    await elsewhere.go(at('/account'));
    await signIn(elsewhere, login, phone);
    expect(elsewhere.heading()).toBe('Your account');
    await visitor.go(at('/account'));
    const ends = buttons(visitor, 'end');
    expect(ends).toHaveLength(1);
    for (const cookie of elsewhere.cookies) expect(visitor.page.html).not.toContain(cookie.value);
    await visitor.send({ end: 'x' });
    expect(visitor.page.html).toContain('No other session was found');
    await visitor.send({ end: ends[0] ?? '' });
    expect(visitor.page.html).toContain('One session was ended');
    await elsewhere.go(at('/account'));
    expect(elsewhere.heading()).not.toBe('Your account');
    await visitor.go(at('/account'));
    expect(visitor.heading()).toBe('Your account');
  });

  /** Kind and value of each that is kept for gateways. */
  async function revocations(): Promise<readonly string[]> {
    const kept = await clinic.issuer.store.list('revocation', { limit: 500 });
    return kept.map(({ body }: { body: JsonBody }) => `${body.kind} ${body.value}`);
  }
});

describe('second steps', () => {
  test('just after the sign-in may be changed; the last one stays', async () => {
    const { visitor, codes, phone } = await member();
    await visitor.go(at('/account/factors'));
    expect(visitor.heading()).toBe('Second steps');
    // No button for it; sent all the same.
    await visitor.send({ remove: 'totp' });
    expect(visitor.page).toMatchObject({ status: 422, html: expect.stringContaining('only second step') });
    await visitor.send({ do: 'new-codes' });
    const fresh = codesOn(visitor);
    expect(fresh).toHaveLength(codes.length);
    expect(fresh).not.toContain(codes[0]);
    await visitor.send({ kept: 'yes' }, 'codes');
    expect(new URL(visitor.page.url).pathname).toBe('/account/factors');
    // Another telephone in place of the first.
    await visitor.go(at('/account/factors/app'));
    const next: Phone = { key: keyOn(visitor), step: phone.step };
    await visitor.send({ code: '000000' });
    expect(visitor.page.status).toBe(422);
    await visitor.send({ code: await nextCode(next) });
    expect(new URL(visitor.page.url).pathname).toBe('/account/factors');
  });

  test('are changed only after a proof that is not older than ten minutes', async () => {
    const { visitor, codes } = await member();
    later += 11 * 60_000;
    try {
      await visitor.go(at('/account'));
      expect(visitor.heading()).toBe('Your account');
      await visitor.go(at('/account/factors'));
      expect(visitor.heading()).toBe('Second steps');
      for (const path of ['/account/factors/app', '/account/factors/passkey', '/account/password']) {
        await visitor.go(at(path));
        expect(visitor.heading(), path).toBe('Confirm that it is you');
        expect(visitor.page.html, path).not.toMatch(/[A-Z2-7]{4}(?: [A-Z2-7]{4}){3,}/);
      }
      await visitor.go(at('/account/factors'));
      await visitor.send({ do: 'new-codes' });
      expect(visitor.heading()).toBe('Confirm that it is you');
      await visitor.send({ code: '000000' });
      expect(visitor.page).toMatchObject({ status: 422 });
      await visitor.go(
        /href="([^"]*method=recovery-code)"/.exec(visitor.page.html)?.[1]?.replace('&amp;', '&') ?? '',
      );
      await visitor.send({ code: codes[0] ?? '' });
      expect(visitor.heading()).toBe('Second steps');
      await visitor.send({ do: 'new-codes' });
      expect(codesOn(visitor)).toHaveLength(codes.length);
    } finally {
      later = 0;
    }
  });

  const codesOn = (visitor: Visitor) =>
    [...visitor.page.html.matchAll(/<code[^>]*>([^<]+)<\/code>/g)].map(([, code = '']) => code);
  const keyOn = (visitor: Visitor) => /[A-Z2-7]{4}(?: [A-Z2-7]{4}){3,}/.exec(visitor.page.html)?.[0] ?? '';
});

describe('a password', () => {
  test('is changed with the present one, and everything ends with it', async () => {
    const { visitor, login, phone } = await member();
    const tokens = await allow(visitor);
    await visitor.go(at('/account/password'));
    const change = (values: Record<string, string>) =>
      visitor.send({ present: GOOD_PASSWORD, password: OTHER_PASSWORD, again: OTHER_PASSWORD, ...values });
    for (const values of [
      { present: '' },
      { present: 'something else' },
      { password: '' },
      { again: 'not the same' },
      { password: 'password', again: 'password' },
    ]) {
      expect((await change(values)).status, JSON.stringify(values)).toBe(422);
    }
    await change({});
    expect(visitor.forms().some(({ fields }) => fields.get('step') === 'sign-in')).toBe(true);
    expect(await active(tokens.access_token)).toBe(false);
    await visitor.send({ login, password: GOOD_PASSWORD }, 'sign-in');
    expect(visitor.page.status).toBe(422);
    await visitor.send({ login, password: OTHER_PASSWORD }, 'sign-in');
    await visitor.send({ code: await nextCode(phone) }, 'factor');
    expect(visitor.heading()).toBe('Your account');
  });
});

test('nothing that is secret, and nobody’s name, is in the log', () => {
  const text = JSON.stringify(clinic.log);
  expect(text).toContain('consent-taken-back');
  expect(text).not.toMatch(/riverside\.example|Sandbar|quartz|eyJ/);
});
