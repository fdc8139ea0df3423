import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActivityEntry } from '../../../contracts/activity.ts';
import { systemClock } from '../../../contracts/clock.ts';
import type { GuardSettings, GuardThresholds } from '../../../contracts/limits.ts';
import type { StateStore } from '../../../contracts/state.ts';
import { type Fared, Guard } from '../../../gateway/guard/index.ts';
import { guardKeyOf, lockId, readLocks } from '../../../gateway/guard/locks.ts';
import { Desk, DeskLine } from '../../../gateway/limits/index.ts';
import type { Exchange } from '../../../gateway/pipeline/exchange.ts';
import { openState } from '../../../identity/state/index.ts';

const FAR: GuardThresholds = {
  misses: { slow: 1e6, stepUp: 1e6, lock: 1e6 },
  patients: { slow: 1e6, stepUp: 1e6, lock: 1e6 },
};
const misses = (slow: number, stepUp: number, lock: number): GuardThresholds => ({
  ...FAR,
  misses: { slow, stepUp, lock },
});
const patients = (slow: number, stepUp: number, lock: number): GuardThresholds => ({
  ...FAR,
  patients: { slow, stepUp, lock },
});

const open: { close(): unknown }[] = [];
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guard-'));
});
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Options {
  readonly person: GuardThresholds;
  readonly mode?: GuardSettings['mode'];
  readonly state?: StateStore;
  readonly desk?: DeskLine;
  readonly lockMs?: number;
  readonly windowMs?: number;
}

function guardWith(options: Options): Guard {
  const guard = new Guard({
    settings: {
      mode: options.mode ?? 'enforce',
      windowMs: options.windowMs ?? 60_000,
      slowMs: 150,
      lockMs: options.lockMs ?? 60_000,
      person: options.person,
      patient: FAR,
      system: FAR,
      roles: new Map(),
    },
    key: Buffer.from('a key for the hashes of patients'),
    desk: options.desk,
    redis: undefined,
    state: options.state,
    clock: systemClock,
  });
  open.push(guard);
  return guard;
}

interface Visit {
  readonly who?: string;
  readonly patient?: string;
  readonly missed?: boolean;
  readonly fared?: Fared;
  /** Seconds since the epoch; null: no factor was ever given. */
  readonly factorAt?: number | null;
}

const written: ActivityEntry[] = [];
beforeEach(() => {
  written.length = 0;
});

/** One request through the guard and back. @returns what it ended with, and the milliseconds that it waited */
async function visit(guard: Guard, { who = 'a', patient, missed = false, fared, factorAt = 1 }: Visit = {}) {
  const segments = patient === undefined ? ['nowhere'] : ['fhir', 'Patient', patient];
  const principal = {
    kind: 'session',
    tenant: 'north',
    issuer: 'https://issuer.example',
    subject: who,
    limitKey: who,
    scopes: new Set(['user/*.rs']),
    authentication: { factorAt: factorAt ?? undefined },
  };
  const failed: string[] = [];
  const x = {
    tenant: { id: 'north' },
    principal,
    knownPrincipal: principal,
    facts: { id: 'r', path: { segments }, parameters: new Map() },
    match: undefined,
    client: { gone: false },
    services: { activity: { append: async (entry: ActivityEntry) => void written.push(entry) } },
    failed: (code: string) => failed.push(code),
    held: () => {},
  } as unknown as Exchange;
  const begun = performance.now();
  const ending = await guard.enter(x);
  const ms = performance.now() - begun;
  if (ending === undefined) guard.observe(x, missed ? 'hidden' : undefined, fared);
  await sleep(1);
  return { kind: ending?.kind, reason: ending?.reason, retry: ending?.retryAfterSeconds, ms };
}

describe('the enumeration guard', () => {
  it('leaves alone who meets what is usual, and whoever is somebody else', async () => {
    const guard = guardWith({ person: misses(5, 10, 15) });
    for (let n = 0; n < 4; n += 1) expect((await visit(guard, { missed: true })).kind).toBeUndefined();
    for (let n = 0; n < 20; n += 1) expect((await visit(guard)).ms).toBeLessThan(100);
    for (let n = 0; n < 4; n += 1) await visit(guard, { who: 'b', missed: true });
    expect((await visit(guard, { who: 'b' })).ms).toBeLessThan(100);
    expect(written).toEqual([]);
  });

  it('slows, asks for a factor that is given afterwards, and locks', async () => {
    const guard = guardWith({ person: misses(3, 5, 8) });
    for (let n = 0; n < 3; n += 1) await visit(guard, { missed: true });
    expect((await visit(guard, { missed: true })).ms).toBeGreaterThanOrEqual(140);
    await visit(guard, { missed: true });
    const old = Math.floor(Date.now() / 1000);
    expect(await visit(guard, { factorAt: old })).toMatchObject({
      kind: 'factor-stale',
      reason: 'guard-step-up',
    });
    // Asking again changes nothing; a factor that was given since does.
    expect((await visit(guard, { factorAt: old - 100 })).kind).toBe('factor-stale');
    const fresh = old + 2;
    for (let n = 0; n < 3; n += 1)
      expect((await visit(guard, { factorAt: fresh, missed: true })).kind).toBeUndefined();
    expect(await visit(guard, { factorAt: fresh + 5 })).toMatchObject({
      kind: 'limited',
      reason: 'guard-locked',
      retry: 60,
    });
    expect(written.map((entry) => (entry.kind === 'guard' ? entry.event : ''))).toEqual([
      'slowed',
      'step-up',
      'locked',
    ]);
    expect(written.at(-1)).toMatchObject({ misses: 8, patients: 0, enforced: true, tenant: 'north' });
  });

  it('makes whoever never gave a factor wait until the window is over', async () => {
    const guard = guardWith({ person: misses(1, 1, 10), windowMs: 900 });
    await visit(guard, { missed: true, factorAt: null });
    expect(await visit(guard, { factorAt: null })).toMatchObject({
      kind: 'limited',
      reason: 'guard-step-up',
      retry: 1,
    });
    await sleep(950);
    expect((await visit(guard, { factorAt: null })).kind).toBeUndefined();
  });

  it('counts patients that are named, found or not, each once', async () => {
    const guard = guardWith({ person: patients(100, 100, 4) });
    for (let n = 0; n < 10; n += 1)
      expect((await visit(guard, { patient: '1', missed: n % 2 === 0 })).kind).toBeUndefined();
    expect((await visit(guard, { patient: '2' })).kind).toBeUndefined();
    expect((await visit(guard, { patient: '3', missed: true })).kind).toBeUndefined();
    // The fourth is refused before anybody looks for it.
    expect((await visit(guard, { patient: '4' })).reason).toBe('guard-locked');
  });

  it('lets no more than a few wait', async () => {
    const guard = guardWith({ person: misses(1, 100, 200) });
    await visit(guard, { missed: true });
    const all = await Promise.all(Array.from({ length: 20 }, () => visit(guard)));
    expect(all.filter(({ reason }) => reason === 'guard-slowed')).toHaveLength(12);
    expect(all.filter(({ kind }) => kind === undefined)).toHaveLength(8);
  });

  it('that only reports says everything and refuses nobody', async () => {
    const guard = guardWith({ person: misses(2, 3, 4), mode: 'report' });
    for (let n = 0; n < 8; n += 1) {
      const { kind, ms } = await visit(guard, { missed: true });
      expect(kind).toBeUndefined();
      expect(ms).toBeLessThan(100);
    }
    expect(written.map((entry) => (entry.kind === 'guard' ? [entry.event, entry.enforced] : []))).toEqual([
      ['slowed', false],
      ['step-up', false],
      ['locked', false],
    ]);
  });

  it('that is off counts nothing', async () => {
    const guard = guardWith({ person: misses(1, 1, 1), mode: 'off' });
    for (let n = 0; n < 5; n += 1) expect((await visit(guard, { missed: true })).kind).toBeUndefined();
    expect(written).toEqual([]);
  });

  it('adds up what the workers of a gateway saw', async () => {
    const lines: DeskLine[] = [];
    const desk = new Desk(systemClock, (answers) => {
      for (const line of lines) setImmediate(() => line.receive(structuredClone(answers)));
    });
    open.push(desk);
    const guards = [0, 1].map((index) => {
      const line = new DeskLine((asks) => void desk.handle(`worker-${index}`, structuredClone(asks)));
      lines.push(line);
      return guardWith({ person: misses(100, 100, 6), desk: line });
    });
    for (let n = 0; n < 6; n += 1) {
      const guard = guards[n % 2];
      if (guard !== undefined) await visit(guard, { missed: true });
      await sleep(10);
    }
    await sleep(150);
    for (const guard of guards) expect((await visit(guard)).reason).toBe('guard-locked');
    // Said once for each worker at most, and the lock is known to both.
    expect(written.filter((entry) => entry.kind === 'guard').length).toBeLessThanOrEqual(2);
  });

  it('keeps locks in the state: another process knows them, until they end', async () => {
    const store = await openState({ kind: 'sqlite', file: join(folder, 'state.sqlite') }, systemClock);
    open.push(store);
    const first = guardWith({ person: misses(9, 9, 2), state: store, lockMs: 2500 });
    await visit(first, { missed: true });
    await visit(first, { missed: true });
    expect((await visit(first)).reason).toBe('guard-locked');
    await sleep(50);
    const second = guardWith({ person: FAR, state: store });
    expect(await visit(second)).toMatchObject({ kind: 'limited', reason: 'guard-locked' });
    expect((await visit(second, { who: 'b' })).kind).toBeUndefined();
    await sleep(2600);
    expect((await visit(second)).kind).toBeUndefined();
  });

  it('takes back what an administrator unlocks, everything that was counted with it', async () => {
    const store = await openState({ kind: 'sqlite', file: join(folder, 'state.sqlite') }, systemClock);
    open.push(store);
    const guard = guardWith({ person: misses(9, 9, 2), state: store });
    await visit(guard, { missed: true });
    await visit(guard, { missed: true });
    expect((await visit(guard)).reason).toBe('guard-locked');
    await sleep(1200);
    const [found] = await readLocks(store);
    expect(found?.lock).toMatchObject({ tenant: 'north', subject: 'a', misses: 2, patients: 0 });
    expect(found?.id).toBe(lockId(guardKeyOf('north', 'a')));
    expect(await store.remove('guard-lock', found?.id ?? '')).toBe(true);
    await sleep(1200);
    expect((await visit(guard, { missed: true })).kind).toBeUndefined();
    expect((await visit(guard)).kind).toBeUndefined();
    const events = written.map((entry) => (entry.kind === 'guard' ? entry.event : ''));
    expect(events).toEqual(['locked', 'unlocked']);
  });
});
