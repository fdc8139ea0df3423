import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeFrame, MAXIMUM_ANSWER } from '../../contracts/attestation.ts';
import { systemClock } from '../../contracts/clock.ts';
import { type AttestationEvent, CHANNELS } from '../../contracts/events.ts';
import { type DatabaseId, parseDatabaseId } from '../../contracts/identifiers.ts';
import type { IntegrityOracle, Verdict } from '../../contracts/integrity.ts';
import { createOracle } from '../../gateway/integrity/oracle.ts';
import { type Conduct, FakeChecker } from './support/fake-checker.ts';
import { secretOf } from './support/secret.ts';
import { pause, until } from './support/wait.ts';

const SECRET = 'a shared secret of good length, for tests';
const CLINIC = parseDatabaseId('clinic') as DatabaseId;
const OTHER = parseDatabaseId('other') as DatabaseId;
const STRICT = { mode: 'strict' } as const;
const TIMEOUT = 250;

let folder: string;
let path: string;
let fake: FakeChecker;
let oracle: IntegrityOracle;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cg-'));
  path = join(folder, 'c.sock');
  fake = new FakeChecker(SECRET);
  await fake.listen(path);
});
afterEach(async () => {
  await oracle.close();
  await fake.close().catch(() => {});
  await rm(folder, { recursive: true, force: true });
});

function open(secret = SECRET, databases = [CLINIC]): IntegrityOracle {
  oracle = createOracle({
    socket: path,
    secret: secretOf(secret),
    timeoutMs: TIMEOUT,
    databases,
    clock: systemClock,
  });
  return oracle;
}

async function ready(): Promise<void> {
  await until(() => oracle.current(CLINIC).state === 'intact');
}

async function strict(database = CLINIC): Promise<Verdict> {
  return await oracle.attest(database, STRICT, systemClock.monotonic());
}

async function listening<T>(name: string, run: () => Promise<void>): Promise<T[]> {
  const events: T[] = [];
  const listener = (event: unknown): void => {
    events.push(event as T);
  };
  subscribe(name, listener);
  try {
    await run();
  } finally {
    unsubscribe(name, listener);
  }
  return events;
}

describe('a strict verdict', () => {
  it('names an instant after the request at which its probe had not begun', async () => {
    open();
    await ready();
    const since = systemClock.monotonic();
    const verdict = await oracle.attest(CLINIC, STRICT, since);
    expect(verdict).toMatchObject({ state: 'intact', epoch: 'e'.repeat(32) });
    expect(verdict.notBefore).toBeGreaterThanOrEqual(since);
  });

  it('never comes from a frame that was sent before the request arrived', async () => {
    const held: (() => void)[] = [];
    open();
    await ready();
    let hold = true;
    fake.conduct = (request, connection) => {
      const reply = (): void => connection.reply(request);
      if (hold) held.push(reply);
      else reply();
    };
    const first = strict();
    await until(() => held.length === 1);
    await pause(2);
    const since = systemClock.monotonic();
    const second = oracle.attest(CLINIC, STRICT, since);
    hold = false;
    held[0]?.();
    const verdicts = await Promise.all([first, second]);
    expect(verdicts[0].notBefore).toBeLessThan(since);
    expect(verdicts[1].notBefore).toBeGreaterThanOrEqual(since);
  });

  it('is shared: 1,000 requests at once send one frame, and never are more than two under way', async () => {
    open();
    await ready();
    let under = 0;
    let most = 0;
    fake.conduct = (request, connection) => {
      under += 1;
      most = Math.max(most, under);
      setTimeout(() => {
        under -= 1;
        connection.reply(request);
      }, 2);
    };
    const before = fake.requests;
    await Promise.all(Array.from({ length: 1_000 }, () => strict()));
    expect(fake.requests - before).toBe(1);
    const many: Promise<Verdict>[] = [];
    for (let i = 0; i < 200; i++) {
      many.push(strict());
      if (i % 10 === 0) await pause(0);
    }
    expect((await Promise.all(many)).every((verdict) => verdict.state === 'intact')).toBe(true);
    expect(most).toBeLessThanOrEqual(2);
  });

  it('is shared by all who come in five milliseconds while many come, and waited for by nobody who is alone', async () => {
    open();
    await ready();
    const before = fake.requests;
    const begun = systemClock.monotonic();
    const verdicts: { since: number; verdict: Verdict }[] = [];
    const waiting: Promise<unknown>[] = [];
    // Turns of the event loop that have work to do, as those of a busy gateway.
    for (let turn = 0; turn < 80; turn += 1) {
      for (let each = 0; each < 10; each += 1) {
        const since = systemClock.monotonic();
        const asked = Promise.resolve(oracle.attest(CLINIC, STRICT, since));
        waiting.push(asked.then((verdict) => verdicts.push({ since, verdict })));
      }
      const until = systemClock.monotonic() + 0.3;
      while (systemClock.monotonic() < until);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(waiting);
    const lasted = systemClock.monotonic() - begun;
    // One each five milliseconds, or where 48 wait; the first ones come before it is known that many do.
    expect(fake.requests - before).toBeLessThanOrEqual(5 + lasted / 5 + 800 / 48);
    expect(verdicts).toHaveLength(800);
    for (const { since, verdict } of verdicts) {
      expect(verdict.state).toBe('intact');
      expect(verdict.notBefore).toBeGreaterThanOrEqual(since);
    }
    // Once it is quiet again, whoever comes waits for the checker alone.
    const waits: number[] = [];
    for (let alone = 0; alone < 20; alone += 1) {
      const since = systemClock.monotonic();
      await oracle.attest(CLINIC, STRICT, since);
      waits.push(systemClock.monotonic() - since);
    }
    expect(waits.toSorted((one, other) => one - other)[10]).toBeLessThan(5);
  });

  it('of another database has its own connection: a slow one does not delay it', async () => {
    fake.conduct = (request, connection) => {
      if (request.database === CLINIC) connection.reply(request);
    };
    open(SECRET, [CLINIC, OTHER]);
    await ready();
    const stuck = strict(OTHER);
    const epochs = new Set<string>();
    for (let i = 0; i < 30; i++) {
      epochs.add((await strict()).epoch);
      await pause(10);
    }
    expect([...epochs]).toEqual(['e'.repeat(32)]);
    expect((await stuck).state).toBe('unverified');
  });

  it('about a database that is not configured is unverified', async () => {
    open();
    expect(await strict(OTHER)).toMatchObject({ state: 'unverified', findings: ['database-unknown'] });
  });

  it('that is broken carries its findings', async () => {
    open();
    await ready();
    fake.conduct = (request, connection) =>
      connection.reply(request, { state: 'broken', epoch: '', findings: ['trigger-missing'] });
    expect(await strict()).toMatchObject({ state: 'broken', epoch: '', findings: ['trigger-missing'] });
    expect(oracle.current(CLINIC).state).toBe('broken');
  });
});

describe('a bounded verdict', () => {
  it('is at hand while it is young enough, and is renewed before it is too old', async () => {
    open();
    await ready();
    const before = fake.requests;
    const demand = { mode: 'bounded', maxAgeMs: 100 } as const;
    let waited = 0;
    for (let i = 0; i < 60; i++) {
      const verdict = oracle.attest(CLINIC, demand, systemClock.monotonic());
      if (verdict instanceof Promise) waited += 1;
      expect((await verdict).state).toBe('intact');
      await pause(5);
    }
    expect(waited).toBeLessThanOrEqual(1);
    expect(fake.requests).toBeGreaterThan(before);
    expect(fake.requests - before).toBeLessThan(30);
  });

  it('that is too old is asked for anew', async () => {
    open();
    await ready();
    await pause(30);
    const now = systemClock.monotonic();
    const verdict = oracle.attest(CLINIC, { mode: 'bounded', maxAgeMs: 20 }, now);
    expect(verdict).toBeInstanceOf(Promise);
    expect((await verdict).notBefore).toBeGreaterThanOrEqual(now - 20);
  });

  it('is never "intact" from memory after the connection went', async () => {
    open();
    await ready();
    await fake.close();
    await until(() => oracle.current(CLINIC).state === 'unverified');
    const verdict = await oracle.attest(
      CLINIC,
      { mode: 'bounded', maxAgeMs: 60_000 },
      systemClock.monotonic(),
    );
    expect(verdict.state).toBe('unverified');
  });

  it('that is not intact is never answered from memory', async () => {
    open();
    await ready();
    const right = fake.conduct;
    fake.conduct = (request, connection) =>
      connection.reply(request, { state: 'broken', epoch: '', findings: ['trigger-missing'] });
    await strict();
    fake.conduct = right;
    const demand = { mode: 'bounded', maxAgeMs: 60_000 } as const;
    expect((await oracle.attest(CLINIC, demand, systemClock.monotonic())).state).toBe('intact');
  });
});

/** What something at the checker's place may do with a question; each must end as "unverified". */
const MISCONDUCT: readonly (readonly [what: string, hostile: boolean, conduct: Conduct])[] = [
  ['says nothing', false, () => {}],
  ['hangs up', false, (_, fake) => fake.socket.destroy()],
  ['sends random bytes', true, (_, fake) => fake.sendRaw(Buffer.from('9f3c8a11deadbeef0042', 'hex'))],
  ['announces a frame of 4 GB', true, (_, fake) => fake.sendRaw(Buffer.from('ffffffff', 'hex'))],
  ['sends an empty frame', true, (_, fake) => fake.sendRaw(Buffer.alloc(4))],
  ['sends a message without a seal', true, (_, fake) => fake.sendRaw(encodeFrame('{"state":"intact"}', 100))],
  [
    'says hello again',
    true,
    (_, fake) => fake.sendRaw(encodeFrame(`{"type":"hello","nonce":"${'C'.repeat(43)}"}`, 100)),
  ],
  ['answers for another database', true, (request, fake) => fake.reply(request, { database: OTHER })],
  ['answers with another nonce', true, (request, fake) => fake.reply(request, { nonce: 'Z'.repeat(22) })],
  ['answers with another id', true, (request, fake) => fake.reply(request, { id: request.id + 1 })],
  [
    'replays its first verdict',
    true,
    (_, fake) => fake.sendRaw(encodeFrame(fake.sent[0] ?? '', MAXIMUM_ANSWER)),
  ],
  [
    'turns a sealed "broken" into "intact" on the way',
    true,
    (request, fake) => {
      fake.socket.cork();
      const write = fake.socket.write;
      fake.socket.write = (() => true) as typeof write;
      fake.reply(request, { state: 'broken', epoch: '', findings: ['trigger-missing'] });
      fake.socket.write = write;
      const changed = (fake.sent.at(-1) ?? '')
        .replace('"broken","epoch":""', `"intact","epoch":"${'e'.repeat(32)}"`)
        .replace('["trigger-missing"]', '[]');
      fake.sendRaw(encodeFrame(changed, MAXIMUM_ANSWER));
      fake.socket.uncork();
    },
  ],
  [
    'calls a database intact and names findings',
    true,
    (request, fake) => fake.reply(request, { findings: ['trigger-missing'] }),
  ],
  ['calls a database intact without an epoch', true, (request, fake) => fake.reply(request, { epoch: '' })],
  [
    'stops in the middle of its answer',
    false,
    (_, fake) => fake.sendRaw(Buffer.concat([Buffer.from([0, 0, 1, 0]), Buffer.from('{"type":')])),
  ],
];

describe('a checker that', () => {
  it.each(MISCONDUCT)(
    '%s is not believed, its connection is closed, and a good one is used again',
    async (_, hostile, conduct) => {
      open();
      await ready();
      const right = fake.conduct;
      const { connections } = fake;
      const alarms = await listening<unknown>(CHANNELS.alarm, async () => {
        fake.conduct = conduct;
        expect((await strict()).state).toBe('unverified');
        expect(oracle.current(CLINIC).state).toBe('unverified');
      });
      expect(alarms.length > 0).toBe(hostile);
      if (hostile) expect(alarms[0]).toEqual({ alarm: 'checker-protocol', tenant: '' });
      fake.conduct = right;
      await until(async () => (await strict()).state === 'intact');
      expect(fake.connections).toBeGreaterThan(connections);
    },
  );

  it('answers twice is not believed', async () => {
    open();
    await ready();
    fake.conduct = (request, connection) => {
      connection.reply(request);
      connection.reply(request);
    };
    await strict();
    await until(() => oracle.current(CLINIC).state === 'unverified');
  });

  it('does not know the secret never gets a question', async () => {
    await fake.close();
    fake = new FakeChecker('another secret');
    await fake.listen(path);
    open();
    expect((await strict()).state).toBe('unverified');
    await until(() => fake.connections > 1);
    expect(fake.requests).toBe(0);
  });

  it('says something else than hello never gets a proof', async () => {
    fake.hello = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n');
    open();
    expect((await strict()).state).toBe('unverified');
    expect(fake.requests).toBe(0);
  });

  it('accepts and never says hello is given up after the time limit', async () => {
    fake.hello = Buffer.alloc(0);
    open();
    expect((await strict()).state).toBe('unverified');
    await until(() => fake.connections > 1);
  });

  it('is not there is answered for at once, and found when it comes', async () => {
    await fake.close();
    open();
    await until(() => oracle.current(CLINIC).findings[0] === 'checker-unavailable');
    expect((await strict()).state).toBe('unverified');
    fake = new FakeChecker(SECRET);
    await fake.listen(path);
    await ready();
  });

  it('falls silent is noticed without a request', async () => {
    open();
    await ready();
    fake.conduct = () => {};
    await until(() => oracle.current(CLINIC).state === 'unverified');
  });
});

it('each verdict is told to whoever measures', async () => {
  open();
  await ready();
  const events = await listening<AttestationEvent>(CHANNELS.attestation, async () => {
    await strict();
  });
  expect(events).toEqual([
    { database: 'clinic', state: 'intact', seconds: expect.any(Number), findings: [] },
  ]);
});

it('after closing nothing is intact', async () => {
  open();
  await ready();
  await oracle.close();
  expect((await strict()).state).toBe('unverified');
});
