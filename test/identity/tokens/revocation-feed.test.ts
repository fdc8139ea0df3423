import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../contracts/clock.ts';
import type { Revocation } from '../../../contracts/issuer-link.ts';
import { createAuthenticator, type TokenAuthenticator } from '../../../identity/index.ts';
import { EventStreamReader } from '../../../identity/tokens/event-stream.ts';
import { parseRevocation } from '../../../identity/tokens/revocation-feed.ts';
import { Revocations } from '../../../identity/tokens/revocations.ts';
import { AUDIENCE_A, asking, settings } from '../support/clinic.ts';
import { ecKey, forge, secret } from '../support/hostile-issuer.ts';
import { ISSUER, LINK_SECRET, type SocketIssuer, startSocketIssuer } from './socket-issuer.ts';

const key = ecKey('k');
let issuer: SocketIssuer;
let authenticator: TokenAuthenticator;
let heard: Revocation[];

beforeEach(async () => {
  issuer = await startSocketIssuer();
  issuer.keys = [key.jwk];
  heard = [];
});
afterEach(async () => {
  authenticator?.close();
  await issuer?.stop();
});

async function open(link: string = LINK_SECRET): Promise<void> {
  authenticator = createAuthenticator({
    issuers: [
      {
        ...settings({ issuer: ISSUER, authorityPem: '' }),
        authority: undefined,
        embedded: { socket: issuer.socket, secret: secret(link) },
      },
    ],
    clock: systemClock,
    onRevocation: (_, revocation) => heard.push(revocation),
  });
}

const now = () => Math.floor(Date.now() / 1000);

function token(changes: Record<string, unknown> = {}): string {
  const claims = {
    iss: ISSUER,
    aud: AUDIENCE_A,
    sub: 'person-7',
    client_id: 'portal',
    jti: randomUUID(),
    iat: now(),
    exp: now() + 120,
    scope: 'patient/Patient.rs',
    ...changes,
  };
  return forge({ alg: 'ES256', typ: 'at+jwt', kid: 'k' }, claims, key.privateKey);
}

const ask = async (text: string, introspection: 'never' | 'always' = 'never') =>
  authenticator.authenticate(asking(`Bearer ${text}`, { introspection }));

/** Asks until the answer is one that was not asked for at the issuer, so that the feed is up. */
async function feedUp(): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const before = issuer.introspected;
    await ask(token());
    if (issuer.introspected === before) return;
    await wait(20);
  }
  throw new Error('the feed did not come up');
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await holds()) return;
    await wait(5);
  }
  throw new Error('that did not come about');
}

const isRevoked = async (text: string) => {
  const result = await ask(text);
  return !result.ok && result.reason === 'token-revoked';
};

describe('a token of the embedded issuer', () => {
  test.each<[string, Record<string, unknown>, () => Revocation]>([
    [
      'by its id',
      { jti: 'j-1' },
      () => ({ kind: 'token', value: 'j-1', issuedBefore: 0, until: now() + 300 }),
    ],
    [
      'by its grant',
      { grant_id: 'g-1' },
      () => ({ kind: 'grant', value: 'g-1', issuedBefore: 0, until: now() + 300 }),
    ],
    [
      'by its subject',
      {},
      () => ({ kind: 'subject', value: 'person-7', issuedBefore: now() + 1, until: now() + 300 }),
    ],
  ])('is refused within milliseconds of its revocation %s, cached or not', async (_, claims, revocation) => {
    await open();
    await feedUp();
    const cached = token(claims);
    expect(await ask(cached)).toMatchObject({ ok: true });
    const before = authenticator.authenticate(asking(`Bearer ${cached}`));
    if (before instanceof Promise || !before.ok) throw new Error('not at hand');
    expect(authenticator.isRevoked(before.principal)).toBe(false);
    issuer.tell(revocation());
    await until(() => isRevoked(cached));
    // What goes on for long is asked about by its principal.
    expect(authenticator.isRevoked(before.principal)).toBe(true);
    expect(await ask(token(claims))).toMatchObject({ ok: false, reason: 'token-revoked' });
    expect(await ask(token({ sub: 'person-8' }))).toMatchObject({ ok: true });
    expect(heard).toEqual([revocation()]);
  });

  test('of somebody who signed in again after the revocation is good', async () => {
    await open();
    await feedUp();
    const old = token({ iat: now() - 20 });
    issuer.tell({ kind: 'subject', value: 'person-7', issuedBefore: now() - 10, until: now() + 300 });
    await until(() => isRevoked(old));
    expect(await ask(token())).toMatchObject({ ok: true });
  });

  test('that was revoked before this worker began is refused by it', async () => {
    issuer.live = [{ kind: 'token', value: 'old', issuedBefore: 0, until: now() + 300 }];
    await open();
    await feedUp();
    expect(await ask(token({ jti: 'old' }))).toMatchObject({ ok: false, reason: 'token-revoked' });
  });
});

describe('while the feed is not up', () => {
  test('each request asks the issuer, and what it said is remembered by nobody', async () => {
    issuer.complete = false;
    await open();
    const one = token();
    for (let times = 1; times <= 3; times += 1) {
      expect(await ask(one)).toMatchObject({ ok: true });
      expect(issuer.introspected).toBe(times);
    }
    issuer.introspection = () => ({ active: false });
    expect(await ask(one)).toMatchObject({ ok: false, reason: 'token-inactive' });
    await wait(1000);
    expect(await ask(one, 'always')).toMatchObject({ ok: false, reason: 'token-inactive' });
  });

  test('that is noticed when it breaks, and over when it is back with what was missed', async () => {
    await open();
    await feedUp();
    const one = token({ jti: 'missed' });
    expect(await ask(one)).toMatchObject({ ok: true });
    const before = issuer.introspected;
    issuer.cut();
    await until(async () => {
      await ask(one);
      return issuer.introspected > before;
    });
    issuer.live.push({ kind: 'token', value: 'missed', issuedBefore: 0, until: now() + 300 });
    issuer.introspection = (text) => ({ active: text !== one });
    expect(await ask(one)).toMatchObject({ ok: false, reason: 'token-inactive' });
    issuer.resume();
    await until(() => isRevoked(one));
    await feedUp();
  });

  test('an issuer that cannot be reached at all lets nobody in', async () => {
    await open();
    await feedUp();
    const one = token();
    expect(await ask(one)).toMatchObject({ ok: true });
    await issuer.stop();
    await until(async () => {
      const result = await ask(one);
      return !result.ok && result.reason === 'issuer-unavailable';
    });
    issuer = await startSocketIssuer();
  });

  test('an event that cannot be read is no feed', async () => {
    await open();
    await feedUp();
    const before = issuer.introspected;
    const one = token();
    issuer.raw('event: revocation\ndata: {"kind":"everything"}\n\n');
    await until(async () => {
      await ask(one);
      return issuer.introspected > before;
    });
  });

  test('and whoever does not know the secret hears nothing', async () => {
    await open('another secret that is as long');
    expect(await ask(token())).toMatchObject({ ok: false, reason: 'issuer-unavailable' });
    expect(issuer.unknown).toBeGreaterThan(0);
    expect(issuer.introspected).toBe(0);
  });
});

describe('what was revoked', () => {
  const marks = { subject: 's', tokenId: 't', grantId: 'g', issuedAt: 100 };

  test('is not forgotten when there is too much of it: then the issuer must be asked', () => {
    const revocations = new Revocations(systemClock, 2);
    for (const value of ['t', 'b', 'c'])
      revocations.add({ kind: 'token', value, issuedBefore: 0, until: now() + 60 });
    expect(revocations.full).toBe(true);
    expect(revocations.denies(marks)).toBe(true);
  });

  test('makes room once nobody could present it any more', () => {
    const revocations = new Revocations(systemClock, 2);
    for (const value of ['a', 'b'])
      revocations.add({ kind: 'token', value, issuedBefore: 0, until: now() - 1 });
    revocations.add({ kind: 'grant', value: 'g', issuedBefore: 0, until: now() + 60 });
    expect(revocations.full).toBe(false);
    expect(revocations.denies(marks)).toBe(true);
  });

  test('reaches as far as the furthest of two words about one subject, and to tokens without a date', () => {
    const revocations = new Revocations(systemClock);
    for (const issuedBefore of [100, 50])
      revocations.add({ kind: 'subject', value: 's', issuedBefore, until: now() + 60 });
    expect(revocations.denies(marks)).toBe(true);
    expect(revocations.denies({ ...marks, issuedAt: 101 })).toBe(false);
    expect(revocations.denies({ ...marks, issuedAt: undefined })).toBe(true);
  });
});

describe('the stream', () => {
  test('gives the same events however it is cut', () => {
    const event = fc.record({
      event: fc.constantFrom('revocation', 'current'),
      data: fc.stringMatching(/^[a-zé{}":]{0,20}$/),
    });
    fc.assert(
      fc.property(
        fc.array(event),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        fc.constantFrom('\n', '\r\n'),
        (events, cuts, end) => {
          const text = events
            .map((one) => `:${end}event: ${one.event}${end}data: ${one.data}${end}${end}`)
            .join('');
          const bytes = Buffer.from(text);
          const reader = new EventStreamReader();
          const read = [];
          for (let at = 0; at < bytes.length; ) {
            const length = cuts.next().value as number;
            read.push(...reader.push(bytes.subarray(at, at + length)));
            at += length;
          }
          expect(read.map(({ event: name, data }) => ({ event: name, data }))).toEqual(events);
        },
      ),
    );
  });

  test('ends at a line that does not end', () => {
    const reader = new EventStreamReader();
    expect(() => reader.push(Buffer.alloc(20_000, 'a'))).toThrow(RangeError);
  });

  test.each([
    '',
    '{}',
    '[]',
    '{"kind":"token"}',
    '{"kind":"token","value":"","issuedBefore":0,"until":1}',
    '{"kind":"token","value":"a","issuedBefore":"0","until":1}',
  ])('has no revocation in %j', (data) => expect(parseRevocation(data)).toBeUndefined());
});
