import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ISSUER_KEY_HEADER, issuerKey } from '../../../contracts/issuer-link.ts';
import { GOOD_PASSWORD } from '../accounts/support/world.ts';
import {
  APP_REDIRECT,
  AUDIENCE,
  type Clinic,
  GATEWAY_SECRET,
  openClinic,
  REDIRECT,
} from './support/clinic.ts';
import { enrol, nextCode, type Phone } from './support/sign-in.ts';
import { Visitor } from './support/visitor.ts';

let clinic: Clinic;
let gateway: client.Configuration;

beforeAll(async () => {
  clinic = await openClinic();
  gateway = await client.discovery(
    new URL(clinic.settings.issuer),
    'gateway',
    undefined,
    client.ClientSecretBasic(GATEWAY_SECRET),
    {
      [client.customFetch]: clinic.fetch as unknown as client.CustomFetch,
    },
  );
}, 60_000);
afterAll(() => clinic?.close());

const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const ask = (changes: Record<string, string | undefined> = {}) => {
  const parameters = {
    client_id: 'gateway',
    response_type: 'code',
    redirect_uri: REDIRECT,
    scope: 'openid portal',
    resource: AUDIENCE,
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...changes,
  };
  const query = new URLSearchParams(
    Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return `${clinic.settings.issuer}/authorize?${query}`;
};
const somebody = () => new Visitor(clinic.fetch, clinic.settings.issuer);

function onSocket(path: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request(
      {
        socketPath: clinic.settings.socket,
        path,
        headers: { host: new URL(clinic.settings.issuer).host, ...headers },
      },
      (answer) => {
        let body = '';
        answer.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
      },
    )
      .on('error', reject)
      .end();
  });
}

describe('the socket', () => {
  test.each([
    ['nothing', {}],
    ['an empty key', { [ISSUER_KEY_HEADER]: '' }],
    ['the secret itself', { [ISSUER_KEY_HEADER]: 'secret' }],
    [
      'a key of another secret',
      { [ISSUER_KEY_HEADER]: issuerKey(Buffer.from('another secret of another gateway')) },
    ],
  ])('answers nothing to who brings %s', async (_, headers) => {
    for (const path of [
      '/.well-known/openid-configuration',
      '/internal/revocations',
      '/jwks',
      '/interaction/x',
    ]) {
      expect(await onSocket(path, headers as Record<string, string>)).toEqual({ status: 404, body: '' });
    }
  });

  test('the feed is for the gateway itself, not for whom it forwards', async () => {
    const key = issuerKey(clinic.settings.secret.reveal());
    expect(
      await onSocket('/internal/revocations', { [ISSUER_KEY_HEADER]: key, 'x-forwarded-for': '192.0.2.1' }),
    ).toMatchObject({ status: 404 });
    expect((await clinic.fetch(`${clinic.settings.issuer}/internal/revocations`)).status).toBe(404);
  });
});

describe('an authorization request is refused', () => {
  test.each([
    ['without PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['with the plain method', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['for the implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
    [
      'for an ID token without a code',
      { response_type: 'id_token', nonce: 'n' },
      'unsupported_response_type',
    ],
    ["for another tenant's audience", { resource: 'https://other.example' }, 'invalid_target'],
    ['for two audiences', { resource: `${AUDIENCE}/x` }, 'invalid_target'],
    ['with a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
  ])('%s', async (_, changes, error) => {
    const visitor = somebody();
    await visitor.go(ask(changes));
    // Other response types get their answer in the fragment (OAuth 2.0 Multiple Response Types §5).
    const told = new URLSearchParams(visitor.left?.search || visitor.left?.hash.slice(1));
    expect(told.get('error')).toBe(error);
    expect(told.get('iss')).toBe(clinic.settings.issuer);
  });

  test.each([
    ['an unknown client', { client_id: 'nobody' }],
    ['a redirect URI that is not registered', { redirect_uri: 'https://evil.example/' }],
    ['a redirect URI that only begins like one', { redirect_uri: `${REDIRECT}/../x` }],
    ['a redirect URI with a query of its own', { redirect_uri: `${REDIRECT}?x=1` }],
    ['no redirect URI', { redirect_uri: undefined }],
    ["another client's redirect URI", { redirect_uri: APP_REDIRECT }],
  ])('and sends nobody anywhere: %s', async (_, changes) => {
    const visitor = somebody();
    await visitor.go(ask(changes));
    expect(visitor.left).toBeUndefined();
    expect(visitor.page.status).toBe(400);
    expect(visitor.page.html).not.toMatch(/redirect_uri|client_id|invalid_/);
    expect(visitor.page.headers.get('content-security-policy')).toContain("default-src 'none'");
  });
});

describe('a form', () => {
  test.each([
    ['without its anti-CSRF text', { csrf: '' }, {}, 422],
    ["with somebody else's anti-CSRF text", { csrf: 'A'.repeat(32) }, {}, 422],
    ['from another site', {}, { origin: 'https://evil.example' }, 403],
    ['without its origin being told', {}, { origin: 'null' }, 403],
  ])('does nothing %s', async (_, changes, headers, status) => {
    const visitor = somebody();
    await visitor.go(ask());
    const [form] = visitor.forms().filter(({ fields }) => fields.get('step') === 'sign-in');
    const body = new URLSearchParams(form?.fields);
    body.set('login', 'pat@riverside.example');
    body.set('password', GOOD_PASSWORD);
    for (const [name, value] of Object.entries(changes)) body.set(name, value);
    const shown = await visitor.go(form?.action ?? '', body, headers);
    expect(shown.status).toBe(status);
    expect(shown.html).not.toContain('name="code"');
  });

  test('of an interaction that another browser began does nothing', async () => {
    const visitor = somebody();
    await visitor.go(ask());
    const stranger = somebody();
    const shown = await stranger.go(visitor.page.url);
    expect(shown.status).toBe(400);
    expect(stranger.forms()).toEqual([]);
  });

  test('no page shows a code to enrol, or goes on, before the password was right', async () => {
    const visitor = somebody();
    await visitor.go(ask());
    for (const step of ['factor', 'enrol-totp', 'codes', 'consent', 'patient', 'password']) {
      const [form] = visitor.forms();
      const body = new URLSearchParams(form?.fields);
      for (const [name, value] of Object.entries({
        step,
        code: '123456',
        kept: 'yes',
        do: 'allow',
        password: GOOD_PASSWORD,
        again: GOOD_PASSWORD,
      }))
        body.set(name, value);
      await visitor.go(form?.action ?? '', body);
      expect(visitor.left, step).toBeUndefined();
      expect(
        visitor.forms().some(({ fields }) => fields.get('step') === 'sign-in'),
        step,
      ).toBe(true);
    }
  });
});

describe('sign-in', () => {
  test('a wrong password, an unknown account and a locked one look alike', async () => {
    const shown: string[] = [];
    for (const login of ['pat@riverside.example', 'nobody@riverside.example']) {
      const visitor = somebody();
      await visitor.go(ask());
      for (let attempt = 0; attempt < 7; attempt += 1)
        await visitor.send({ login, password: 'wrong password 77' }, 'sign-in');
      shown.push(
        visitor.page.html.replaceAll(
          /(name="csrf" value=")[^"]+|interaction\/[\w-]+|value="[^"]*@[^"]*"|"challenge":"[^"]*"|&quot;challenge&quot;:&quot;[^&]*/g,
          '',
        ),
      );
      expect(visitor.page.status).toBe(422);
    }
    expect(shown[0]).toBe(shown[1]);
  });

  test('nothing that is secret, and nobody’s name, is in the log', async () => {
    const text = JSON.stringify(clinic.log);
    expect(text.length).toBeGreaterThan(100);
    expect(text).not.toMatch(/riverside\.example|wrong password|quartz|eyJ/);
  });
});

describe('a second factor', () => {
  test('that one account showed does not count for another that signs in on the same page', async () => {
    const own = await clinic.newcomer();
    const victim = await clinic.newcomer();
    const phone: Phone = { key: '', step: 0 };
    const before = somebody();
    await before.go(ask());
    await enrol(before, victim, { key: '', step: 0 });
    const visitor = somebody();
    await visitor.go(ask());
    const begun = visitor.page;
    const [signInForm] = visitor.forms().filter(({ fields }) => fields.get('step') === 'sign-in');
    await visitor.send({ login: own, password: GOOD_PASSWORD }, 'sign-in');
    phone.key = /[A-Z2-7]{4}(?: [A-Z2-7]{4}){3,}/.exec(visitor.page.html)?.[0] ?? '';
    // The code is right; before the page goes on, the victim's password is sent with the form of its beginning.
    await visitor.send({ code: await nextCode(phone) }, 'enrol-totp');
    const body = new URLSearchParams(signInForm?.fields);
    body.set('login', victim);
    body.set('password', GOOD_PASSWORD);
    await visitor.go(new URL(signInForm?.action ?? '', begun.url).href, body);
    expect(visitor.left).toBeUndefined();
    expect(visitor.forms().map(({ fields }) => fields.get('step'))).toContain('factor');
  });
});

describe('several processes and lost ones', () => {
  test('two issuers over one state are one: pages, codes, tokens and sign-outs', async () => {
    const login = await clinic.newcomer();
    await clinic.another();
    const visitor = somebody();
    const verifier = client.randomPKCECodeVerifier();
    const challenge = await client.calculatePKCECodeChallenge(verifier);
    await visitor.go(ask({ code_challenge: challenge }));
    const phone: Phone = { key: '', step: 0 };
    await enrol(visitor, login, phone);
    if (visitor.left === undefined) throw new Error(visitor.page.html);
    const tokens = await client.authorizationCodeGrant(
      gateway,
      visitor.left,
      { pkceCodeVerifier: verifier },
      { resource: AUDIENCE },
    );
    for (let turn = 0; turn < 4; turn += 1) {
      expect(await client.tokenIntrospection(gateway, tokens.access_token)).toMatchObject({ active: true });
    }
    await client.tokenRevocation(gateway, tokens.access_token);
    for (let turn = 0; turn < 4; turn += 1) {
      expect(await client.tokenIntrospection(gateway, tokens.access_token)).toMatchObject({ active: false });
    }
    clinic.front.sockets = [clinic.settings.socket];
  });

  test('an issuer that is killed loses no session', async () => {
    const login = await clinic.newcomer();
    const phone: Phone = { key: '', step: 0 };
    const first = await startProcess();
    const visitor = somebody();
    await visitor.go(ask());
    await enrol(visitor, login, phone);
    expect(visitor.left?.searchParams.get('code')).toEqual(expect.any(String));
    first.kill('SIGKILL');
    await once(first, 'exit');
    const second = await startProcess();
    try {
      await visitor.go(ask({ prompt: 'none' }));
      expect(visitor.left?.searchParams.get('error')).toBeNull();
      expect(visitor.left?.searchParams.get('code')).toEqual(expect.any(String));
      await visitor.go(ask({ max_age: '0' }));
      await visitor.send({ login, password: GOOD_PASSWORD }, 'sign-in');
      await visitor.send({ code: await nextCode(phone) }, 'factor');
      expect(visitor.left?.searchParams.get('code')).toEqual(expect.any(String));
    } finally {
      second.kill('SIGTERM');
      await once(second, 'exit');
      clinic.front.sockets = [clinic.settings.socket];
    }
  });

  /** Another issuer as a process of its own, over the same state, alone behind the front. */
  async function startProcess() {
    const socket = join(clinic.folder, 'process.sock');
    const child = spawn(process.execPath, [join(import.meta.dirname, 'support', 'process.ts')], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ISSUER: JSON.stringify(plain(socket)) },
    });
    await once(child.stdout, 'data');
    clinic.front.sockets = [socket];
    return child;
  }

  function plain(socket: string) {
    const { settings } = clinic;
    const state = settings.state.kind === 'sqlite' ? settings.state.file : '';
    return {
      socket,
      issuer: settings.issuer,
      file: state,
      secret: settings.secret.reveal().toString('base64'),
      key: settings.stateKeys[0]?.reveal().toString('base64'),
    };
  }
});
