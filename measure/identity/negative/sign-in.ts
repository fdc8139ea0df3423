import { createPublicKey } from 'node:crypto';
import { type Bench, type NegativeCase, type SignInTampering, STRANGER } from './bench.ts';
import { b64, forge, partsOf } from './forge.ts';
import { AUDIENCE, CLIENT, OTHER_AUDIENCE, type Tamper } from './provider.ts';

const now = (): number => Math.floor(Date.now() / 1000);
const TOKEN = '/token';
const JWKS = '/jwks';
const METADATA = '/.well-known/openid-configuration';

/** The ID token of a genuine answer, with other claims or another header, signed by the provider's own key. */
function idToken(
  bench: Bench,
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
): Record<string, Tamper> {
  return {
    [TOKEN]: (answer) => {
      const genuine = partsOf(String(answer.id_token));
      const { privateKey } = bench.provider.keys.ES256;
      return {
        ...answer,
        id_token: forge(
          { ...genuine.header, ...header },
          { ...genuine.claims, ...claims },
          privateKey,
          'ES256',
        ),
      };
    },
  };
}

function signedAs(algorithm: string, key: (bench: Bench) => Parameters<typeof forge>[2], kid?: string) {
  return (bench: Bench): Record<string, Tamper> => ({
    [TOKEN]: (answer) => {
      const { header, claims } = partsOf(String(answer.id_token));
      const changed = { ...header, alg: algorithm, ...(kid === undefined ? {} : { kid }) };
      return { ...answer, id_token: forge(changed, claims, key(bench), algorithm) };
    },
  });
}

const CASES: readonly (readonly [string, (bench: Bench) => SignInTampering])[] = [
  ['another state', () => ({ response: (query) => query.set('state', 'another') })],
  ['no state', () => ({ response: (query) => query.delete('state') })],
  ['two states', () => ({ response: (query) => query.append('state', 'another') })],
  [
    'another issuer in the response (mix-up)',
    (b) => ({ response: (query) => query.set('iss', b.other.issuer) }),
  ],
  ['no issuer in the response', () => ({ response: (query) => query.delete('iss') })],
  ['another code', () => ({ response: (query) => query.set('code', 'another') })],
  ['no code', () => ({ response: (query) => query.delete('code') })],
  ['a code and an error', () => ({ response: (query) => query.set('error', 'access_denied') })],
  ['a response of the implicit flow', () => ({ response: (query) => query.set('id_token', 'a.b.c') })],
  ['the code used twice', () => ({ twice: true })],
  ['another sign-in’s code verifier', () => ({ pending: { verifier: 'v'.repeat(43) } })],
  ['another sign-in’s state', () => ({ pending: { state: 's'.repeat(43) } })],
  ['another sign-in’s nonce', () => ({ pending: { nonce: 'n'.repeat(43) } })],
  [
    'another redirection address',
    () => ({ pending: { redirectUri: `${AUDIENCE}/.chartgate/callback/other` } }),
  ],
  ['another tenant’s audience', () => ({ pending: { audience: OTHER_AUDIENCE } })],
  ['an ID token with another nonce', (b) => ({ tampers: idToken(b, { nonce: 'another' }) })],
  ['an ID token without a nonce', (b) => ({ tampers: idToken(b, { nonce: undefined }) })],
  ['an ID token for another client', (b) => ({ tampers: idToken(b, { aud: 'another' }) })],
  [
    'an ID token for two clients, of another’s asking',
    (b) => ({ tampers: idToken(b, { aud: [CLIENT, 'another'], azp: 'another' }) }),
  ],
  ['an ID token of another issuer', (b) => ({ tampers: idToken(b, { iss: b.other.issuer }) })],
  ['an ID token that expired', (b) => ({ tampers: idToken(b, { iat: now() - 600, exp: now() - 60 }) })],
  ['an ID token without expiry', (b) => ({ tampers: idToken(b, { exp: undefined }) })],
  ['an ID token of the future', (b) => ({ tampers: idToken(b, { iat: now() + 600, exp: now() + 900 }) })],
  ['an ID token without a subject', (b) => ({ tampers: idToken(b, { sub: undefined }) })],
  ['an ID token of another person than the access token', (b) => ({ tampers: idToken(b, { sub: 'admin' }) })],
  [
    'an ID token with another access token’s hash',
    (b) => ({ tampers: idToken(b, { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }) }),
  ],
  ['an unsigned ID token', (b) => ({ tampers: signedAs('none', () => STRANGER.privateKey)(b) })],
  [
    'an ID token by HMAC with the client’s secret',
    (b) => ({ tampers: signedAs('HS256', (x) => x.provider.clientSecret)(b) }),
  ],
  [
    'an ID token by HMAC with the provider’s public key',
    (b) => ({
      tampers: signedAs('HS256', (x) =>
        createPublicKey(x.provider.keys.ES256.privateKey).export({ type: 'spki', format: 'pem' }).toString(),
      )(b),
    }),
  ],
  [
    'an ID token that a stranger signed',
    (b) => ({ tampers: signedAs('ES256', () => STRANGER.privateKey)(b) }),
  ],
  [
    'an ID token by a key that nobody has',
    (b) => ({ tampers: signedAs('ES256', () => STRANGER.privateKey, 'nobody')(b) }),
  ],
  [
    'an ID token that brings its key along',
    () => ({
      tampers: {
        [TOKEN]: (answer) => {
          const { header, claims } = partsOf(String(answer.id_token));
          const jwk = STRANGER.publicKey.export({ format: 'jwk' });
          return {
            ...answer,
            id_token: forge({ ...header, kid: undefined, jwk }, claims, STRANGER.privateKey, 'ES256'),
          };
        },
      },
    }),
  ],
  [
    'the access token in place of the ID token',
    () => ({ tampers: { [TOKEN]: (a) => ({ ...a, id_token: a.access_token }) } }),
  ],
  ['no ID token', () => ({ tampers: { [TOKEN]: ({ id_token: _, ...answer }) => answer } })],
  ['an ID token that is no JWT', () => ({ tampers: { [TOKEN]: (a) => ({ ...a, id_token: b64('hello') }) } })],
  [
    'an access token that a stranger signed',
    () => ({
      tampers: {
        [TOKEN]: (answer) => {
          const { header, claims } = partsOf(String(answer.access_token));
          return { ...answer, access_token: forge(header, claims, STRANGER.privateKey, 'ES256') };
        },
      },
    }),
  ],
  ['an access token of another type', () => ({ tampers: { [TOKEN]: (a) => ({ ...a, token_type: 'MAC' }) } })],
  [
    'metadata that names another issuer',
    () => ({ tampers: { [METADATA]: (a) => ({ ...a, iss: 'x', issuer: 'https://elsewhere.example' }) } }),
  ],
  [
    'metadata whose token endpoint is not https',
    () => ({
      tampers: {
        [METADATA]: (a) => ({ ...a, token_endpoint: String(a.token_endpoint).replace('https', 'http') }),
      },
    }),
  ],
  ['a key set that is empty', () => ({ tampers: { [JWKS]: () => ({ keys: [] }) } })],
  [
    'a key set with another key under the id',
    () => ({
      tampers: {
        [JWKS]: (answer) => ({
          keys: (answer.keys as Record<string, unknown>[]).map((key) =>
            key.kty === 'EC' ? { ...key, ...STRANGER.publicKey.export({ format: 'jwk' }) } : key,
          ),
        }),
      },
    }),
  ],
];

/** A logout token as the provider would sign one, with changes. */
function logoutToken(
  bench: Bench,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): string {
  const { kid, privateKey } = bench.provider.keys.ES256;
  const event = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  return forge(
    { alg: 'ES256', typ: 'logout+jwt', kid, ...header },
    {
      iss: bench.provider.issuer,
      aud: CLIENT,
      iat: now(),
      exp: now() + 120,
      jti: 'j',
      sid: 's',
      events: event,
      ...claims,
    },
    privateKey,
    'ES256',
  );
}

const LOGOUTS: readonly (readonly [string, (bench: Bench) => string])[] = [
  ['for another client', (b) => logoutToken(b, { aud: 'another' })],
  ['of another issuer', (b) => logoutToken(b, { iss: b.other.issuer })],
  ['with a nonce, which makes it an ID token', (b) => logoutToken(b, { nonce: 'n' })],
  ['without its event', (b) => logoutToken(b, { events: {} })],
  ['for nobody', (b) => logoutToken(b, { sid: undefined, sub: undefined })],
  ['without an id', (b) => logoutToken(b, { jti: undefined })],
  ['that expired', (b) => logoutToken(b, { iat: now() - 900, exp: now() - 600 })],
  ['that is an access token by its type', (b) => logoutToken(b, {}, { typ: 'at+jwt' })],
  [
    'that a stranger signed',
    (b) => {
      const { header, claims } = partsOf(logoutToken(b));
      return forge(header, claims, STRANGER.privateKey, 'ES256');
    },
  ],
];

export const SIGN_IN_CASES: readonly NegativeCase[] = [
  { name: 'a genuine sign-in', side: 'relying party', good: true, run: (bench) => bench.signIn() },
  {
    name: 'a genuine logout token',
    side: 'relying party',
    good: true,
    run: (bench) => bench.logout(logoutToken(bench)),
  },
  ...CASES.map(
    ([name, tampering]): NegativeCase => ({
      name,
      side: 'relying party',
      run: (bench) => bench.signIn(tampering(bench)),
    }),
  ),
  ...LOGOUTS.map(
    ([name, token]): NegativeCase => ({
      name: `a logout token ${name}`,
      side: 'relying party',
      run: (bench) => bench.logout(token(bench)),
    }),
  ),
];
