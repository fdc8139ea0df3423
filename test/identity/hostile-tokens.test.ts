import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { CompactEncrypt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import type { ReasonCode } from '../../contracts/reasons.ts';
import { createAuthenticator, type TokenAuthenticator } from '../../identity/index.ts';
import { AUDIENCE_A, AUDIENCE_B, asking, settings } from './support/clinic.ts';
import {
  b64,
  ecKey,
  forge,
  type HostileIssuer,
  rsaKey,
  startHostileIssuer,
} from './support/hostile-issuer.ts';

const good = ecKey('good');
const rsa = rsaKey('rsa');
const twin = ecKey('twin');
const otherTwin = ecKey('twin');
const leaked = ecKey('leaked');
const elsewise = rsaKey('elsewise');
const forEncryption = ecKey('for-encryption');
const short = rsaKey('short', 1024);
const large = ecKey('large', 'P-384');
const stranger = ecKey('good');

let issuer: HostileIssuer;
let other: HostileIssuer;
let authenticator: TokenAuthenticator;

beforeAll(async () => {
  [issuer, other] = await Promise.all([startHostileIssuer(), startHostileIssuer()]);
  issuer.keys = [
    good.jwk,
    rsa.jwk,
    twin.jwk,
    otherTwin.jwk,
    { ...leaked.privateKey.export({ format: 'jwk' }), kid: 'leaked' },
    { ...forEncryption.jwk, use: 'enc' },
    short.jwk,
    large.jwk,
    { ...elsewise.jwk, alg: 'PS256' },
    { kty: 'oct', k: b64('a shared secret'), kid: 'shared', alg: 'HS256' },
    { kty: 'EC', kid: 'broken', crv: 'P-256', x: 'AA', y: 'AA' },
  ];
  other.keys = [stranger.jwk];
  authenticator = createAuthenticator({
    issuers: [
      settings(issuer, { introspection: undefined }),
      settings(other, { id: 'other', introspection: undefined }),
    ],
    clock: systemClock,
  });
});
afterAll(async () => {
  authenticator?.close();
  await Promise.all([issuer?.down(), other?.down()]);
});

type Changes = Record<string, unknown>;
const now = () => Math.floor(Date.now() / 1000);
const header = (changes: Changes = {}) => ({ alg: 'ES256', typ: 'at+jwt', kid: 'good', ...changes });
const token = (
  head: Changes = {},
  claims: Changes = {},
  key: KeyObject = good.privateKey,
  algorithm = 'ES256',
) => forge(header(head), issuer.claims(AUDIENCE_A, claims), key, algorithm);
const claimsText = (edit: (text: string) => string) =>
  forge(header(), edit(JSON.stringify(issuer.claims(AUDIENCE_A))), good.privateKey);
const hmacKey = (text: string | Buffer) => createSecretKey(Buffer.from(text));
const parts = (text: string) => text.split('.') as [string, string, string];

/** The last character of a 64-byte signature carries four stray bits. */
function laxSignature(): string {
  const [head, body, signature] = parts(token());
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(signature.slice(-1));
  return `${head}.${body}.${signature.slice(0, -1)}${alphabet[last ^ 1]}`;
}

async function encrypted(): Promise<string> {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return new CompactEncrypt(Buffer.from(JSON.stringify(issuer.claims(AUDIENCE_A))))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', typ: 'at+jwt', kid: 'good' })
    .encrypt(publicKey);
}

type Row = readonly [name: string, reason: ReasonCode, make: () => string | Promise<string>];

const TOKENS: readonly Row[] = [
  // whose it is and for whom
  ['another tenant’s audience', 'token-audience', () => token({}, { aud: AUDIENCE_B })],
  ['no audience', 'token-audience', () => token({}, { aud: undefined })],
  ['an audience list with others', 'token-audience', () => token({}, { aud: [AUDIENCE_A, AUDIENCE_B] })],
  ['an empty audience list', 'token-audience', () => token({}, { aud: [] })],
  ['an audience with a slash more', 'token-audience', () => token({}, { aud: `${AUDIENCE_A}/` })],
  ['an audience list in a list', 'token-audience', () => token({}, { aud: [[AUDIENCE_A]] })],
  ['an audience that is an object', 'token-audience', () => token({}, { aud: { [AUDIENCE_A]: true } })],
  ['an unknown issuer', 'token-issuer', () => token({}, { iss: 'https://issuer.invalid' })],
  ['no issuer', 'token-issuer', () => token({}, { iss: undefined })],
  ['an issuer with a slash more', 'token-issuer', () => token({}, { iss: `${issuer.issuer}/` })],
  ['a list of issuers', 'token-issuer', () => token({}, { iss: [issuer.issuer] })],
  [
    'an issuer that the gateway knows but this tenant does not trust',
    'token-issuer',
    () => token({}, { iss: other.issuer }, stranger.privateKey),
  ],
  [
    'the signature of another issuer with the same key id',
    'token-signature',
    () => token({}, {}, stranger.privateKey),
  ],

  // algorithms and keys
  [
    'alg none without a signature',
    'token-algorithm',
    () =>
      `${parts(token({ alg: 'none' }))
        .slice(0, 2)
        .join('.')}.`,
  ],
  ['alg NoNe with a signature', 'token-algorithm', () => token({ alg: 'NoNe' })],
  [
    'HS256 with the public key’s PEM as secret',
    'token-algorithm',
    () =>
      token(
        { alg: 'HS256', kid: 'rsa' },
        {},
        hmacKey(rsa.publicKey.export({ type: 'spki', format: 'pem' })),
        'HS256',
      ),
  ],
  [
    'HS256 with a symmetric key that the key set publishes',
    'token-algorithm',
    () => token({ alg: 'HS256', kid: 'shared' }, {}, hmacKey('a shared secret'), 'HS256'),
  ],
  [
    'an algorithm that is not on the list',
    'token-algorithm',
    () => token({ alg: 'ES384', kid: 'large' }, {}, large.privateKey, 'ES384'),
  ],
  [
    'PS256 where RS256 is on the list',
    'token-algorithm',
    () => token({ alg: 'PS256', kid: 'rsa' }, {}, rsa.privateKey, 'PS256'),
  ],
  ['an algorithm name of Object.prototype', 'token-algorithm', () => token({ alg: 'constructor' })],
  ['no algorithm', 'token-malformed', () => token({ alg: undefined })],
  ['an algorithm list', 'token-malformed', () => token({ alg: ['ES256'] })],
  ['ES256 claimed for the RSA key', 'token-signature', () => token({ kid: 'rsa' })],
  [
    'RS256 claimed for the EC key',
    'token-signature',
    () => token({ alg: 'RS256' }, {}, rsa.privateKey, 'RS256'),
  ],
  ['ES256 claimed for a P-384 key', 'token-signature', () => token({ kid: 'large' }, {}, large.privateKey)],
  ['an unknown key id', 'token-signature', () => token({ kid: 'nobody' })],
  ['a key id that two keys have', 'token-signature', () => token({ kid: 'twin' }, {}, twin.privateKey)],
  [
    'a key whose private half is published',
    'token-signature',
    () => token({ kid: 'leaked' }, {}, leaked.privateKey),
  ],
  [
    'a key for encryption',
    'token-signature',
    () => token({ kid: 'for-encryption' }, {}, forEncryption.privateKey),
  ],
  [
    'a 1024-bit RSA key',
    'token-signature',
    () => token({ alg: 'RS256', kid: 'short' }, {}, short.privateKey, 'RS256'),
  ],
  ['a broken key', 'token-signature', () => token({ kid: 'broken' })],
  [
    'a key id that two keys have, by the other',
    'token-signature',
    () => token({ kid: 'twin' }, {}, otherTwin.privateKey),
  ],
  [
    'a key published for another algorithm',
    'token-signature',
    () => token({ alg: 'RS256', kid: 'elsewise' }, {}, elsewise.privateKey, 'RS256'),
  ],
  ['no key id', 'token-malformed', () => token({ kid: undefined })],
  ['an empty key id', 'token-malformed', () => token({ kid: '' })],
  ['a key id that is a number', 'token-malformed', () => token({ kid: 7 })],
  ['a key id of Object.prototype', 'token-signature', () => token({ kid: '__proto__' })],
  ['an embedded key', 'token-malformed', () => token({ jwk: stranger.jwk }, {}, stranger.privateKey)],
  [
    'a key set address',
    'token-malformed',
    () => token({ jku: `${other.issuer}/jwks` }, {}, stranger.privateKey),
  ],
  [
    'a certificate address',
    'token-malformed',
    () => token({ x5u: `${other.issuer}/x5u` }, {}, stranger.privateKey),
  ],
  ['an embedded certificate', 'token-malformed', () => token({ x5c: ['AA=='] })],
  ['a critical extension', 'token-malformed', () => token({ crit: ['exp'], exp: 1 })],
  ['an empty crit', 'token-malformed', () => token({ crit: [] })],
  ['an unencoded payload', 'token-malformed', () => token({ b64: true })],
  ['compression', 'token-malformed', () => token({ zip: 'DEF' })],
  [
    'a DER signature',
    'token-signature',
    () => {
      const [head, body] = parts(token());
      return `${head}.${body}.${b64(Buffer.alloc(70, 48))}`;
    },
  ],
  [
    'an ECDSA signature of zeros',
    'token-signature',
    () => {
      const [head, body] = parts(token());
      return `${head}.${body}.${b64(Buffer.alloc(64))}`;
    },
  ],
  [
    'claims exchanged under a good signature',
    'token-signature',
    () => {
      const [head, , signature] = parts(token());
      return `${head}.${b64(JSON.stringify(issuer.claims(AUDIENCE_A, { sub: 'admin' })))}.${signature}`;
    },
  ],

  // what kind of token it is
  ['no type', 'token-type', () => token({ typ: undefined })],
  ['type JWT', 'token-type', () => token({ typ: 'JWT' })],
  ['a logout token', 'token-type', () => token({ typ: 'logout+jwt' })],
  [
    'an ID token',
    'token-type',
    () => token({ typ: undefined }, { client_id: undefined, jti: undefined, nonce: 'n', at_hash: 'h' }),
  ],
  ['a type list', 'token-type', () => token({ typ: ['at+jwt'] })],
  ['an encrypted token', 'token-type', encrypted],
  ['an encryption header on a signed token', 'token-malformed', () => token({ enc: 'A256GCM' })],
  ['bound to a thumbprint that is none', 'token-claims', () => token({}, { cnf: { jkt: 'AA' } })],
  ['bound to what nobody can prove here', 'token-claims', () => token({}, { cnf: { jwk: good.jwk } })],
  [
    'bound to two things at once',
    'token-claims',
    () => token({}, { cnf: { jkt: 'A'.repeat(43), 'x5t#S256': 'A'.repeat(43) } }),
  ],
  ['bound to nothing, by an empty cnf', 'token-claims', () => token({}, { cnf: {} })],
  ['bound by a cnf that is null', 'token-claims', () => token({}, { cnf: null })],
  [
    'bound to a DPoP key, and sent as bearer',
    'proof-missing',
    () => token({}, { cnf: { jkt: 'A'.repeat(43) } }),
  ],
  [
    'bound to a certificate, over a connection without one',
    'certificate-missing',
    () => token({}, { cnf: { 'x5t#S256': 'A'.repeat(43) } }),
  ],

  // times
  ['expired', 'token-expired', () => token({}, { iat: now() - 100, exp: now() - 1 })],
  ['expiring this very second', 'token-expired', () => token({}, { iat: now() - 100, exp: now() })],
  ['no expiry', 'token-claims', () => token({}, { exp: undefined })],
  ['an expiry that is text', 'token-claims', () => token({}, { exp: String(now() + 60) })],
  ['a negative expiry', 'token-claims', () => token({}, { exp: -1 })],
  ['an expiry of zero', 'token-claims', () => token({}, { exp: 0 })],
  [
    'an infinite expiry',
    'token-claims',
    () => claimsText((text) => text.replace(/"exp":\d+/, '"exp":1e999')),
  ],
  [
    'an expiry that is not JSON',
    'token-malformed',
    () => claimsText((text) => text.replace(/"exp":\d+/, '"exp":NaN')),
  ],
  ['an expiry in milliseconds', 'token-claims', () => token({}, { exp: 1e16 })],
  ['no time of issue', 'token-claims', () => token({}, { iat: undefined })],
  ['issued after it expires', 'token-claims', () => token({}, { iat: now() + 500 })],
  ['issued in the future', 'token-not-yet-valid', () => token({}, { iat: now() + 60 })],
  ['not yet valid', 'token-not-yet-valid', () => token({}, { nbf: now() + 60 })],
  ['a not-before that is text', 'token-claims', () => token({}, { nbf: '0' })],

  // claims
  ['no subject', 'token-claims', () => token({}, { sub: undefined })],
  ['an empty subject', 'token-claims', () => token({}, { sub: '' })],
  ['a subject that is a number', 'token-claims', () => token({}, { sub: 7 })],
  ['a subject with a line break', 'token-claims', () => token({}, { sub: 'a\r\nx-forwarded-user: admin' })],
  ['a subject with half a surrogate pair', 'token-claims', () => token({}, { sub: 'a\ud800' })],
  ['a subject of 256 characters', 'token-claims', () => token({}, { sub: 'x'.repeat(256) })],
  ['no client', 'token-claims', () => token({}, { client_id: undefined })],
  ['no token id', 'token-claims', () => token({}, { jti: undefined })],
  ['a scope list', 'token-claims', () => token({}, { scope: ['patient/Patient.rs'] })],
  ['a scope with two spaces', 'token-claims', () => token({}, { scope: 'a  b' })],
  ['a scope with a quotation mark', 'token-claims', () => token({}, { scope: 'a" b' })],
  ['a patient that is a path', 'token-claims', () => token({}, { patient: '../2' })],
  ['a patient that is a number', 'token-claims', () => token({}, { patient: 1 })],
  [
    'inherited claims',
    'token-issuer',
    () => forge(header(), { ['__proto__']: null, aud: AUDIENCE_A }, good.privateKey),
  ],

  // form
  [
    'a claim named twice',
    'token-malformed',
    () => claimsText((text) => text.replace('{', `{"sub":"admin",`)),
  ],
  [
    'a claim named twice, once escaped',
    'token-malformed',
    () => claimsText((text) => text.replace('{', `{"s\\u0075b":"admin",`)),
  ],
  [
    'a header named twice',
    'token-malformed',
    () =>
      forge(
        '{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"good"}',
        issuer.claims(AUDIENCE_A),
        good.privateKey,
      ),
  ],
  [
    'a header that is a list',
    'token-malformed',
    () => forge('["ES256"]', issuer.claims(AUDIENCE_A), good.privateKey),
  ],
  ['claims that are text', 'token-malformed', () => forge(header(), '"claims"', good.privateKey)],
  ['claims that are null', 'token-malformed', () => forge(header(), 'null', good.privateKey)],
  ['claims with a byte order mark', 'token-malformed', () => claimsText((text) => `\ufeff${text}`)],
  [
    'claims nested very deep',
    'token-issuer',
    () => forge(header(), `{"a":${'['.repeat(2800)}${']'.repeat(2800)}}`, good.privateKey),
  ],
  ['a header only', 'token-malformed', () => parts(token())[0]],
  ['two segments', 'token-malformed', () => parts(token()).slice(0, 2).join('.')],
  ['four segments', 'token-malformed', () => `${token()}.`],
  ['three empty segments', 'token-malformed', () => '..'],
  ['no signature', 'token-malformed', () => `${parts(token()).slice(0, 2).join('.')}.`],
  ['padded base64', 'token-malformed', () => `${token()}==`],
  ['lax base64', 'token-malformed', laxSignature],
  ['standard base64', 'token-malformed', () => `+/${token()}`],
  ['an opaque token where nobody can be asked', 'token-malformed', () => 'aGFsbG8'],
];

describe('a token is refused', () => {
  test.each(TOKENS)('%s: %s', async (_, reason, make) => {
    const made = await make();
    const result = await authenticator.authenticate(asking(`Bearer ${made}`));
    expect(result).toMatchObject({ ok: false, reason });
    expect(JSON.stringify(result)).not.toContain(made.slice(0, 20));
    // And again, should the first refusal have left something behind.
    expect(await authenticator.authenticate(asking(`Bearer ${made}`))).toEqual(result);
  });
});

const VALUES: readonly (readonly [string, string, (token: string) => string])[] = [
  ['empty', 'scheme', () => ''],
  ['the token alone', 'scheme', (t) => t],
  ['another scheme', 'scheme', (t) => `MAC ${t}`],
  ['DPoP and nothing', 'syntax', () => 'DPoP '],
  ['Basic', 'scheme', () => 'Basic YTpi'],
  ['no token', 'syntax', () => 'Bearer'],
  ['a space only', 'syntax', () => 'Bearer '],
  ['two spaces', 'syntax', (t) => `Bearer  ${t}`],
  ['a tab', 'scheme', (t) => `Bearer\t${t}`],
  ['a space before', 'scheme', (t) => ` Bearer ${t}`],
  ['a space after', 'syntax', (t) => `Bearer ${t} `],
  ['a line break after', 'syntax', (t) => `Bearer ${t}\n`],
  ['a space inside', 'syntax', (t) => `Bearer ${t.slice(0, 30)} ${t.slice(30)}`],
  ['two credentials', 'syntax', (t) => `Bearer ${t}, Bearer ${t}`],
  ['a parameter', 'syntax', (t) => `Bearer token="${t}"`],
  ['a NUL', 'syntax', (t) => `Bearer ${t}\0`],
  ['not ASCII', 'syntax', (t) => `Bearer ${t}é`],
  ['the scheme twice', 'syntax', (t) => `Bearer Bearer ${t}`],
  ['oversized', 'oversized', () => `Bearer ${'a'.repeat(8192)}`],
];

describe('an Authorization value is refused', () => {
  test.each(VALUES)('%s (%s)', async (_, detail, make) => {
    const result = authenticator.authenticate(asking(make(token())));
    expect(result).toEqual({ ok: false, reason: 'token-malformed', detail });
  });
});

describe('what must still pass, or the tables above would prove nothing', () => {
  test.each([
    ['the plain token', () => token()],
    ['the long media type in capitals', () => token({ typ: 'Application/AT+JWT' })],
    ['an RSA token', () => token({ alg: 'RS256', kid: 'rsa' }, {}, rsa.privateKey, 'RS256')],
    ['an audience list of one', () => token({}, { aud: [AUDIENCE_A] })],
    ['clocks that differ within the skew', () => token({}, { iat: now() + 3, nbf: now() + 3 })],
    ['no scope', () => token({}, { scope: undefined })],
    ['claims nobody asked about', () => token({ x5t: 'AA' }, { realm_access: { roles: ['a'] } })],
  ])('%s', async (_, make) => {
    expect(await authenticator.authenticate(asking(`Bearer ${make()}`))).toMatchObject({ ok: true });
  });

  test('the scheme in any case (RFC 9110 §11.1)', async () => {
    expect(await authenticator.authenticate(asking(`bEaReR ${token()}`))).toMatchObject({ ok: true });
  });
});
