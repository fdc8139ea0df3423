import { generateKeyPairSync, hash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../contracts/clock.ts';
import type { StateStore } from '../../../contracts/state.ts';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { createFactors, type PasskeySite, resetSteps } from '../../../identity/factors/index.ts';
import { createSealer, openState } from '../../../identity/state/index.ts';
import { startServer } from '../../audit-sql/support.ts';
import { BROWSER, secretOf, somebody } from './support.ts';

const PASSWORD = 'state-password-of-a-test';
const SITE: PasskeySite = {
  id: 'emr.clinic.example',
  origin: 'https://emr.clinic.example',
  name: 'Example Clinic',
};

type Cbor = number | string | Buffer | ReadonlyMap<number | string, unknown>;

/** CBOR (RFC 8949 §3.1) of what an attestation holds. */
function cbor(value: Cbor): Buffer {
  const head = (major: number, length: number): Buffer =>
    length < 24 ? Buffer.from([(major << 5) | length]) : Buffer.from([(major << 5) | 24, length]);
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string')
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  const entries = [...value].flatMap(([name, each]) => [cbor(name), cbor(each as Cbor)]);
  return Buffer.concat([head(5, value.size), ...entries]);
}

/** What an authenticator answers to a registration (WebAuthn §6.5.1, attestation `none`). */
function answerTo(challenge: string): string {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const id = randomBytes(32);
  const data = Buffer.concat([
    hash('sha256', SITE.id, 'buffer'),
    // User present and verified, a credential follows; counter 0; of no model.
    Buffer.from([0x45, 0, 0, 0, 0]),
    Buffer.alloc(16),
    Buffer.from([0, id.length]),
    id,
    cbor(
      new Map<number, Cbor>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Buffer.from(x, 'base64url')],
        [-3, Buffer.from(y, 'base64url')],
      ]),
    ),
  ]);
  const attestation = new Map<string, Cbor>([
    ['fmt', 'none'],
    ['attStmt', new Map()],
    ['authData', data],
  ]);
  const client = { type: 'webauthn.create', challenge, origin: SITE.origin, crossOrigin: false };
  return JSON.stringify({
    id: id.toString('base64url'),
    rawId: id.toString('base64url'),
    type: 'public-key',
    clientExtensionResults: {},
    response: {
      clientDataJSON: Buffer.from(JSON.stringify(client)).toString('base64url'),
      attestationObject: cbor(attestation).toString('base64url'),
      transports: ['internal'],
    },
  });
}

let server: PrivateDatabase | undefined;
let store: StateStore;

beforeAll(async () => {
  server = await startServer('passkey-bound');
  const root = await server.connect();
  await root.query('CREATE DATABASE chartgate_state');
  await root.query(`CREATE USER 'chartgate'@'127.0.0.1' IDENTIFIED BY '${PASSWORD}'`);
  await root.query("GRANT ALL ON chartgate_state.* TO 'chartgate'@'127.0.0.1'");
  await root.end();
  store = await openState({
    kind: 'mysql',
    host: '127.0.0.1',
    port: server.port,
    socketPath: undefined,
    database: 'chartgate_state',
    user: 'chartgate',
    password: secretOf(Buffer.from(PASSWORD)),
    authority: undefined,
  });
}, 60_000);
afterAll(async () => {
  await store?.close();
  await server?.stop();
});

it('of passkeys registered at the same moment no more are kept than one after the other, and none outlives a reset', async () => {
  const sealer = createSealer(secretOf(randomBytes(32)));
  const factors = createFactors({ store, sealer, clock: systemClock });
  const principal = somebody();
  const who = { principal, binding: BROWSER, site: SITE, factorAt: Math.floor(Date.now() / 1000) };
  const answers: string[] = [];
  for (let count = 0; count < 60; count += 1) {
    const begun = await factors.beginPasskeyRegistration({ ...who, accountLabel: 'reception' });
    if (!begun.ok) throw new Error(begun.why);
    answers.push(answerTo(begun.options.challenge));
  }
  const done = await Promise.all(
    answers.map((response) => factors.finishPasskeyRegistration({ ...who, response, name: 'Key' })),
  );
  const kept = await store.find('passkey', 'principal', principal);
  expect(kept.length).toBeLessThanOrEqual(20);
  // Who was told that it is there can use it.
  expect(done.filter(({ ok }) => ok).length).toBe(kept.length);
  expect(await store.commit(await resetSteps(store, principal))).toBe(true);
  expect(await store.find('passkey', 'principal', principal)).toEqual([]);
}, 60_000);
