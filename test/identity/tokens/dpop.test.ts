import { createSecretKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../contracts/clock.ts';
import type { ReasonCode } from '../../../contracts/reasons.ts';
import type { StateStore } from '../../../contracts/state.ts';
import { createAuthenticator, type TokenAuthenticator } from '../../../identity/index.ts';
import { openState } from '../../../identity/state/index.ts';
import { AUDIENCE_A, asking, leapingClock, settings } from '../support/clinic.ts';
import { ecKey, forge, type HostileIssuer, rsaKey, startHostileIssuer } from '../support/hostile-issuer.ts';
import {
  certificate,
  HOST,
  type ProofChanges,
  plainJwk,
  presented,
  proofFor,
  thumbprintOf,
} from './support.ts';

const signing = ecKey('signing');
const mine = ecKey('mine');
const theirs = ecKey('theirs');
const rsa = rsaKey('rsa');
const folder = mkdtempSync(join(tmpdir(), 'chartgate-dpop-'));
const clock = leapingClock();

let issuer: HostileIssuer;
let state: StateStore;
let authenticator: TokenAuthenticator;
let token: string;

beforeAll(async () => {
  issuer = await startHostileIssuer();
  issuer.keys = [signing.jwk];
  state = await openState({ kind: 'sqlite', file: join(folder, 'state.sqlite') }, systemClock);
  authenticator = createAuthenticator({ issuers: [settings(issuer)], clock, state });
  token = bound({ jkt: await thumbprintOf(mine) });
});
afterAll(async () => {
  authenticator?.close();
  await state?.close();
  await issuer?.down();
  rmSync(folder, { recursive: true, force: true });
});

function bound(cnf: Record<string, unknown> | undefined): string {
  const header = { alg: 'ES256', typ: 'at+jwt', kid: 'signing' };
  return forge(header, issuer.claims(AUDIENCE_A, { cnf }), signing.privateKey);
}

const ask = async (value: string, proof: string | undefined, changes: Parameters<typeof presented>[1] = {}) =>
  authenticator.authenticate(asking(value, { facts: presented(proof, changes) }));
const seconds = () => Math.floor(Date.now() / 1000);

const PROOFS: readonly (readonly [string, ReasonCode, ProofChanges])[] = [
  ['of another key', 'proof-invalid', { header: { jwk: plainJwk(theirs) }, by: theirs }],
  ['that shows the key and is signed by another', 'proof-invalid', { by: theirs }],
  ['without a key', 'proof-invalid', { header: { jwk: undefined } }],
  [
    'with the private half of its key',
    'proof-invalid',
    { header: { jwk: mine.privateKey.export({ format: 'jwk' }) } },
  ],
  ['whose key is text', 'proof-invalid', { header: { jwk: 'mine' } }],
  ['of another type', 'proof-invalid', { header: { typ: 'JWT' } }],
  ['without a type', 'proof-invalid', { header: { typ: undefined } }],
  ['that claims no algorithm', 'proof-invalid', { header: { alg: 'none' } }],
  ['by HMAC', 'proof-invalid', { header: { alg: 'HS256', jwk: { kty: 'oct', k: 'AAAA' } } }],
  ['whose key is for another algorithm', 'proof-invalid', { header: { alg: 'ES384' } }],
  ['with a critical extension', 'proof-invalid', { header: { crit: ['exp'] } }],
  ['for another method', 'proof-invalid', { claims: { htm: 'POST' } }],
  ['for the method in small letters', 'proof-invalid', { claims: { htm: 'get' } }],
  ['without a method', 'proof-invalid', { claims: { htm: undefined } }],
  ['for another path', 'proof-invalid', { claims: { htu: `https://${HOST}/fhir/Patient/2` } }],
  ['for a longer path', 'proof-invalid', { claims: { htu: `https://${HOST}/fhir/Patient/1/` } }],
  [
    'for another host',
    'proof-invalid',
    { claims: { htu: 'https://clinic-b.localhost:8443/fhir/Patient/1' } },
  ],
  ['for another port', 'proof-invalid', { claims: { htu: 'https://clinic-a.localhost/fhir/Patient/1' } }],
  ['for plain http', 'proof-invalid', { claims: { htu: `http://${HOST}/fhir/Patient/1` } }],
  [
    'for a URL with user information',
    'proof-invalid',
    { claims: { htu: `https://a@${HOST}/fhir/Patient/1` } },
  ],
  [
    'for a URL whose separator is encoded',
    'proof-invalid',
    { claims: { htu: `https://${HOST}/fhir%2FPatient/1` } },
  ],
  [
    'for a URL with broken encoding',
    'proof-invalid',
    { claims: { htu: `https://${HOST}/fhir/Patient/%ff` } },
  ],
  ['for no URL', 'proof-invalid', { claims: { htu: 7 } }],
  ['for another token', 'proof-invalid', { claims: { ath: 'AAAA' } }],
  ['for no token', 'proof-invalid', { claims: { ath: undefined } }],
  ['made two minutes ago', 'proof-invalid', { claims: { iat: seconds() - 120 } }],
  ['made in the future', 'proof-invalid', { claims: { iat: seconds() + 90 } }],
  ['made at no time', 'proof-invalid', { claims: { iat: undefined } }],
  ['made at a time that is text', 'proof-invalid', { claims: { iat: String(seconds()) } }],
  ['that expired', 'proof-invalid', { claims: { exp: seconds() - 1 } }],
  ['without an id', 'proof-invalid', { claims: { jti: undefined } }],
  ['with an id that is too long', 'proof-invalid', { claims: { jti: 'x'.repeat(257) } }],
  ['that is too long', 'proof-invalid', { claims: { filler: 'x'.repeat(7000) } }],
];

describe('a token bound to a key is refused', () => {
  test.each(PROOFS)('with a proof %s', async (_, reason, changes) => {
    const proof = proofFor(token, mine, changes);
    expect(await ask(`DPoP ${token}`, proof)).toMatchObject({ ok: false, reason });
  });

  test('with a proof by HMAC whose secret is the public key that it shows', async () => {
    const secret = createSecretKey(Buffer.from(JSON.stringify(plainJwk(mine))));
    const proof = proofFor(token, mine, { by: { ...mine, privateKey: secret }, algorithm: 'HS256' });
    expect(await ask(`DPoP ${token}`, proof)).toMatchObject({ ok: false, reason: 'proof-invalid' });
  });

  test('without a proof, with two, and with one that is no JWT', async () => {
    expect(await ask(`DPoP ${token}`, undefined)).toMatchObject({ ok: false, reason: 'proof-missing' });
    const twice = `${proofFor(token, mine)}, ${proofFor(token, mine)}`;
    expect(await ask(`DPoP ${token}`, twice)).toMatchObject({ ok: false, reason: 'proof-invalid' });
    expect(await ask(`DPoP ${token}`, 'proof')).toMatchObject({ ok: false, reason: 'proof-invalid' });
  });

  test('as a bearer token, whatever proof is shown with it (RFC 9449 §7.2)', async () => {
    for (const proof of [undefined, proofFor(token, mine)])
      expect(await ask(`Bearer ${token}`, proof)).toMatchObject({ ok: false, reason: 'proof-missing' });
  });

  test('and so is a token that is bound to nothing, under the scheme DPoP', async () => {
    const plain = bound(undefined);
    const proof = proofFor(plain, mine);
    expect(await ask(`DPoP ${plain}`, proof)).toMatchObject({ ok: false, reason: 'token-unbound' });
    expect(await ask(`Bearer ${plain}`, undefined)).toMatchObject({
      ok: true,
      principal: { constraint: 'none' },
    });
  });

  test('where nothing remembers which proofs were used', async () => {
    const forgetful = createAuthenticator({ issuers: [settings(issuer)], clock });
    const facts = presented(proofFor(token, mine));
    expect(await forgetful.authenticate(asking(`DPoP ${token}`, { facts }))).toMatchObject({
      ok: false,
      reason: 'proof-unverifiable',
    });
    forgetful.close();
  });

  test('where the store that remembers them cannot be asked', async () => {
    const broken = { ...state, insert: () => Promise.reject(new Error('away')) } as StateStore;
    const asks = createAuthenticator({ issuers: [settings(issuer)], clock, state: broken });
    const facts = presented(proofFor(token, mine));
    expect(await asks.authenticate(asking(`DPoP ${token}`, { facts }))).toMatchObject({
      ok: false,
      reason: 'proof-unverifiable',
    });
    asks.close();
  });
});

describe('a proof', () => {
  test('lets its token through, also with query, capitals and other spellings of the same URL', async () => {
    const spellings = [
      `https://${HOST}/fhir/Patient/1`,
      `https://${HOST.toUpperCase()}/fhir/Patient/1`,
      `https://${HOST}/fhir/Patient/1?_format=json#top`,
      `https://${HOST}/fhir/%50atient/1`,
    ];
    for (const htu of spellings) {
      const result = await ask(`DPoP ${token}`, proofFor(token, mine, { claims: { htu } }));
      expect(result).toMatchObject({ ok: true, principal: { constraint: 'dpop', credential: 'token' } });
    }
    const other = { target: '/', method: 'POST' } as const;
    const proof = proofFor(token, mine, { claims: { htu: `https://${HOST}`, htm: 'POST' } });
    expect(await ask(`dpop ${token}`, proof, other)).toMatchObject({ ok: true });
  });

  test('may be of an RSA or Edwards key', async () => {
    const bySuch = bound({ jkt: await thumbprintOf(rsa) });
    const proof = proofFor(bySuch, rsa, { algorithm: 'PS256' });
    expect(await ask(`DPoP ${bySuch}`, proof)).toMatchObject({ ok: true });
  });

  test('counts once, of 50 requests at the same time and in any worker', async () => {
    const other = createAuthenticator({ issuers: [settings(issuer)], clock, state });
    const proof = proofFor(token, mine);
    const request = asking(`DPoP ${token}`, { facts: presented(proof) });
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (index % 2 === 0 ? authenticator : other).authenticate(request),
      ),
    );
    expect(results.filter((result) => result.ok)).toHaveLength(1);
    expect(results.filter((result) => !result.ok && result.reason === 'proof-replayed')).toHaveLength(49);
    other.close();
  });

  test('of before the start does not count where only memory remembers', async () => {
    const early = proofFor(token, mine, { claims: { iat: seconds() - 5 } });
    const alone = createAuthenticator({ issuers: [settings(issuer)], clock, alone: true });
    const with_ = (proof: string) => alone.authenticate(asking(`DPoP ${token}`, { facts: presented(proof) }));
    expect(await with_(early)).toMatchObject({ ok: false, reason: 'proof-replayed' });
    const late = proofFor(token, mine);
    expect(await with_(late)).toMatchObject({ ok: true });
    expect(await with_(late)).toMatchObject({ ok: false, reason: 'proof-replayed' });
    alone.close();
  });

  test('is refused again after its minute, when nobody remembers it any more', async () => {
    const proof = proofFor(token, mine);
    expect(await ask(`DPoP ${token}`, proof)).toMatchObject({ ok: true });
    clock.leap({ wallMs: 61_500 + 1000, monotonicMs: 62_500 });
    const again = await ask(`DPoP ${token}`, proof);
    clock.leap({ wallMs: -62_500 });
    expect(again).toMatchObject({ ok: false, reason: 'proof-invalid', detail: 'iat' });
  });
});

describe('a token bound to a certificate', () => {
  const thumbprint = Buffer.alloc(32, 1).toString('base64url');
  const another = Buffer.alloc(32, 2).toString('base64url');

  test('is good over a connection with that certificate, and no other', async () => {
    const held = bound({ 'x5t#S256': thumbprint });
    const over = (shown: string | undefined, scheme = 'Bearer') =>
      ask(`${scheme} ${held}`, undefined, shown === undefined ? {} : { certificate: certificate(shown) });
    expect(await over(undefined)).toMatchObject({ ok: false, reason: 'certificate-missing' });
    expect(await over(another)).toMatchObject({ ok: false, reason: 'certificate-mismatch' });
    expect(await over(thumbprint)).toMatchObject({ ok: true, principal: { constraint: 'certificate' } });
    expect(await over(thumbprint, 'DPoP')).toMatchObject({ ok: false, reason: 'token-unbound' });
    // And the answer is at hand the second time, with the certificate looked at all the same.
    const request = (shown: string) =>
      asking(`Bearer ${held}`, { facts: presented(undefined, { certificate: certificate(shown) }) });
    expect(authenticator.authenticate(request(another))).toMatchObject({ ok: false });
    expect(authenticator.authenticate(request(thumbprint))).toMatchObject({ ok: true });
  });
});
