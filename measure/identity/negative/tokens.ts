import { createPublicKey } from 'node:crypto';
import { CompactEncrypt } from 'jose';
import { type Bench, type NegativeCase, STRANGER, STRANGER_RSA } from './bench.ts';
import { b64, forge, partsOf } from './forge.ts';
import { AUDIENCE, OTHER_AUDIENCE } from './provider.ts';

const now = (): number => Math.floor(Date.now() / 1000);

type Make = (bench: Bench) => Promise<string> | string;

/** The provider's public key as PEM: what a verifier that takes HMAC would use as the shared secret. */
const publicPem = (bench: Bench): string =>
  createPublicKey(bench.provider.keys.RS256.privateKey).export({ type: 'spki', format: 'pem' }).toString();

async function resigned(
  bench: Bench,
  header: Record<string, unknown>,
  key: Parameters<typeof forge>[2],
  algorithm: string,
): Promise<string> {
  const { claims, header: genuine } = partsOf(await bench.token());
  return forge({ ...genuine, ...header }, claims, key, algorithm);
}

async function encrypted(bench: Bench): Promise<string> {
  const { text } = partsOf(await bench.token());
  const unsigned = `${b64('{"alg":"none","typ":"at+jwt"}')}.${text[1]}.`;
  return new CompactEncrypt(Buffer.from(unsigned))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT', typ: 'at+jwt' })
    .encrypt(STRANGER_RSA.publicKey);
}

/** One bit more than the signature has room for. */
function lax(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1) ?? 'A') ^ 1];
}

const MADE: readonly (readonly [string, Make])[] = [
  ['another tenant’s audience', (b) => b.token({ aud: OTHER_AUDIENCE })],
  ['both tenants’ audiences', (b) => b.token({ aud: [AUDIENCE, OTHER_AUDIENCE] })],
  ['no audience', (b) => b.token({ aud: undefined })],
  ['a genuine token of another tenant', (b) => b.provider.accessToken(OTHER_AUDIENCE)],
  ['another issuer', (b) => b.token({ iss: 'https://elsewhere.example' })],
  ['the issuer with a slash', (b) => b.token({ iss: `${b.provider.issuer}/` })],
  ['no issuer', (b) => b.token({ iss: undefined })],
  ['the other trusted issuer’s name, signed by this one', (b) => b.token({ iss: b.other.issuer })],
  ['alg none', (b) => resigned(b, { alg: 'none' }, STRANGER.privateKey, 'none')],
  ['alg NoNe', (b) => resigned(b, { alg: 'NoNe' }, STRANGER.privateKey, 'none')],
  [
    'HS256 with the public key',
    (b) => resigned(b, { alg: 'HS256', kid: b.provider.keys.RS256.kid }, publicPem(b), 'HS256'),
  ],
  ['HS256 with an empty key', (b) => resigned(b, { alg: 'HS256' }, '', 'HS256')],
  ['HS256 with the client’s secret', (b) => resigned(b, { alg: 'HS256' }, b.provider.clientSecret, 'HS256')],
  [
    'an algorithm that is not allowed, by the provider’s key',
    (b) =>
      resigned(
        b,
        { alg: 'PS256', kid: b.provider.keys.RS256.kid },
        b.provider.keys.RS256.privateKey,
        'PS256',
      ),
  ],
  [
    'RS256 said, the EC key named',
    (b) => resigned(b, { alg: 'RS256' }, b.provider.keys.RS256.privateKey, 'RS256'),
  ],
  ['a stranger’s signature', (b) => resigned(b, {}, STRANGER.privateKey, 'ES256')],
  [
    'the other issuer’s key',
    (b) => resigned(b, { kid: b.other.keys.ES256.kid }, b.other.keys.ES256.privateKey, 'ES256'),
  ],
  ['no key id', (b) => b.token({}, { kid: undefined })],
  ['a key id that nobody has', (b) => b.token({}, { kid: 'nobody' })],
  ['a key id of Object.prototype', (b) => b.token({}, { kid: '__proto__' })],
  [
    'an embedded key',
    (b) => resigned(b, { jwk: STRANGER.publicKey.export({ format: 'jwk' }) }, STRANGER.privateKey, 'ES256'),
  ],
  ['a key address', (b) => b.token({}, { jku: 'https://elsewhere.example/jwks' })],
  ['a certificate', (b) => b.token({}, { x5c: ['AA=='] })],
  ['a critical extension', (b) => b.token({}, { crit: ['b64'], b64: false })],
  ['wrapped in encryption, unsigned', encrypted],
  ['an ID token’s type', (b) => b.token({}, { typ: 'JWT' })],
  ['a logout token’s type', (b) => b.token({}, { typ: 'logout+jwt' })],
  ['expired', (b) => b.token({ iat: now() - 100, exp: now() - 1 })],
  ['no expiry', (b) => b.token({ exp: undefined })],
  ['an expiry that is text', (b) => b.token({ exp: String(now() + 60) })],
  ['issued in the future', (b) => b.token({ iat: now() + 600, exp: now() + 900 })],
  ['not yet valid', (b) => b.token({ nbf: now() + 600 })],
  ['no subject', (b) => b.token({ sub: undefined })],
  ['no client', (b) => b.token({ client_id: undefined })],
  ['bound to a key, as bearer', (b) => b.token({ cnf: { jkt: 'A'.repeat(43) } })],
  ['bound to a certificate, without one', (b) => b.token({ cnf: { 'x5t#S256': 'A'.repeat(43) } })],
  [
    'claims exchanged under a genuine signature',
    async (b) => {
      const { text, claims } = partsOf(await b.token());
      return `${text[0]}.${b64(JSON.stringify({ ...claims, sub: 'admin' }))}.${text[2]}`;
    },
  ],
  [
    'a claim named twice',
    (b) => {
      const { kid, privateKey } = b.provider.keys.ES256;
      const claims = { iss: b.provider.issuer, aud: AUDIENCE, sub: 's', client_id: 'c', jti: 'j' };
      const text = JSON.stringify({ ...claims, iat: now(), exp: now() + 60 }).replace('{', '{"sub":"admin",');
      return forge({ alg: 'ES256', typ: 'at+jwt', kid }, text, privateKey, 'ES256');
    },
  ],
  ['lax base64', async (b) => lax(await b.token())],
  ['padded base64', async (b) => `${await b.token()}=`],
  ['no signature', async (b) => (await b.token()).replace(/[^.]+$/, '')],
  [
    'an ECDSA signature of zeros',
    async (b) => {
      const { text } = partsOf(await b.token());
      return `${text[0]}.${text[1]}.${b64(Buffer.alloc(64))}`;
    },
  ],
  ['oversized', (b) => b.token({ filler: 'x'.repeat(9000) })],
];

export const TOKEN_CASES: readonly NegativeCase[] = [
  {
    name: 'a genuine token',
    side: 'resource server',
    good: true,
    run: async (bench) => bench.present(`Bearer ${await bench.provider.accessToken(AUDIENCE)}`),
  },
  {
    name: 'a token that the bench signed as the provider would',
    side: 'resource server',
    good: true,
    run: async (bench) => bench.present(`Bearer ${await bench.token()}`),
  },
  ...MADE.map(
    ([name, make]): NegativeCase => ({
      name,
      side: 'resource server',
      run: async (bench) => bench.present(`Bearer ${await make(bench)}`),
    }),
  ),
  {
    name: 'a genuine token under the scheme DPoP',
    side: 'resource server',
    run: async (bench) => bench.present(`DPoP ${await bench.token()}`),
  },
  {
    name: 'a genuine token twice',
    side: 'resource server',
    run: async (bench) => {
      const token = await bench.token();
      return bench.present(`Bearer ${token}, Bearer ${token}`);
    },
  },
  {
    name: 'a token that the provider revoked, on a route that asks',
    side: 'resource server',
    run: async (bench) => {
      const { authenticator, tenant } = bench;
      const result = await authenticator.authenticate({
        tenant,
        audience: AUDIENCE,
        issuers: ['main'],
        authorization: `Bearer ${await bench.token({ jti: 'one that the provider does not know' })}`,
        introspection: 'always',
      });
      return result.ok;
    },
  },
];
