import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DatabaseId, parseDatabaseId } from '../../contracts/identifiers.ts';
import type { LogLine } from '../../integrity-checker/log.ts';
import type { WatchVerdict } from '../../integrity-checker/watch/types.ts';
import { DatabaseWatch } from '../../integrity-checker/watch/watch.ts';
import { MISSING, ScriptedSession } from './support/scripted-session.ts';
import { pause, until } from './support/wait.ts';

const ID = parseDatabaseId('clinic') as DatabaseId;
const FAR = 600_000;

let sessions: ScriptedSession[];
let lines: LogLine[];
let watch: DatabaseWatch;
let refuse: boolean;
let prepare: (session: ScriptedSession) => void;

beforeEach(() => {
  sessions = [];
  lines = [];
  refuse = false;
  prepare = () => {};
});

afterEach(() => watch.close());

async function start(fullCheckMs = FAR, timeoutMs = 2_000, watchfulMs = 60_000): Promise<ScriptedSession> {
  watch = new DatabaseWatch({
    id: ID,
    open: async () => {
      if (refuse) throw new Error('refused');
      const session = new ScriptedSession();
      prepare(session);
      sessions.push(session);
      return session;
    },
    fullCheckMs,
    timeoutMs,
    watchfulMs,
    log: (line) => lines.push(line),
  });
  await until(async () => (await watch.attest()).findings[0] !== 'checker-starting');
  const session = sessions.at(-1);
  if (session === undefined) throw new Error('no session');
  return session;
}

/** Tells, at any time, which of the promises are settled. */
function settled(promises: readonly Promise<WatchVerdict>[]): boolean[] {
  const done = promises.map(() => false);
  promises.forEach((promise, index) => {
    void promise.then(() => {
      done[index] = true;
    });
  });
  return done;
}

describe('groups', () => {
  it('share one probe when they wait as it starts, and wait for the next when they come during one', async () => {
    const session = await start();
    session.holdProbes = true;
    const before = session.probes;
    const first = [watch.attest(), watch.attest(), watch.attest()];
    await until(() => session.heldProbes.length === 1);
    const during = [watch.attest(), watch.attest()];
    const firstDone = settled(first);
    const duringDone = settled(during);
    await pause(20);
    expect(session.probes - before).toBe(1);
    session.heldProbes[0]?.answer();
    await until(() => session.heldProbes.length === 2);
    expect(firstDone).toEqual([true, true, true]);
    expect(duringDone).toEqual([false, false]);
    session.heldProbes[1]?.answer();
    await Promise.all(during);
    expect(session.probes - before).toBe(2);
  });

  it('that come after a tamper began are never answered by the probe before it', async () => {
    const session = await start();
    session.holdProbes = true;
    const early = watch.attest();
    await until(() => session.heldProbes.length === 1);
    session.hard += 1;
    session.findings = [MISSING];
    const later = watch.attest();
    session.heldProbes[0]?.answer();
    expect((await early).state).toBe('intact');
    await until(() => session.heldProbes.length === 2);
    session.heldProbes[1]?.answer();
    expect(await later).toEqual({ state: 'broken', epoch: '', findings: ['trigger-missing'] });
  });

  it('of 1,000 requests at once cost one query', async () => {
    const session = await start();
    const before = session.probes;
    await Promise.all(Array.from({ length: 1_000 }, () => watch.attest()));
    expect(session.probes - before).toBe(1);
  });
});

describe('a comparison', () => {
  it('is not made while nothing moves, and the epoch stays', async () => {
    const session = await start();
    const epochs = new Set<string>();
    for (let i = 0; i < 50; i++) epochs.add((await watch.attest()).epoch);
    expect(session.comparisons).toBe(1);
    expect([...epochs]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });

  it('is made when a counter moved; restored in between means another epoch', async () => {
    const session = await start();
    const { epoch } = await watch.attest();
    session.hard += 2;
    const after = await watch.attest();
    expect(after.state).toBe('intact');
    expect(after.epoch).not.toBe(epoch);
    expect(session.comparisons).toBe(2);
  });

  it('is made again when a counter moved under it, and counts only once it stood still', async () => {
    const session = await start();
    let moves = 2;
    session.duringComparison = () => {
      if (moves-- > 0) session.hard += 1;
    };
    session.hard += 1;
    expect((await watch.attest()).state).toBe('intact');
    expect(session.comparisons).toBe(1 + 3);
  });

  it('under which something always moves ends as unverified, and never as a loop', async () => {
    const session = await start();
    session.duringComparison = () => {
      session.hard += 1;
    };
    session.hard += 1;
    expect(await watch.attest()).toEqual({ state: 'unverified', epoch: '', findings: ['database-changing'] });
    session.duringComparison = () => {};
    expect((await watch.attest()).state).toBe('intact');
  });

  it('at the interval that finds all as it was keeps the epoch', async () => {
    const session = await start(20);
    const { epoch } = await watch.attest();
    await until(() => session.comparisons > 4);
    expect((await watch.attest()).epoch).toBe(epoch);
  });

  it('at the interval finds what moved no counter', async () => {
    const session = await start(20);
    session.findings = [MISSING];
    await until(async () => (await watch.attest()).state === 'broken');
    session.findings = [];
    await until(async () => (await watch.attest()).state === 'intact');
    expect(lines.filter((line) => line.event === 'state').map((line) => line.codes)).toEqual([
      ['intact'],
      ['broken', 'trigger-missing'],
      ['intact'],
    ]);
  });

  it('at the interval does not make probes wait', async () => {
    const session = await start(20);
    session.holdComparisons = true;
    await until(() => session.heldComparisons.length === 1);
    expect((await watch.attest()).state).toBe('intact');
    session.holdComparisons = false;
    session.heldComparisons[0]?.answer();
  });

  it('that began before a request is not enough for it when a counter moved', async () => {
    const session = await start(20);
    session.holdComparisons = true;
    await until(() => session.heldComparisons.length === 1);
    // Tampered after the interval's comparison had read everything.
    session.hard += 1;
    session.findings = [MISSING];
    const verdict = watch.attest();
    await pause(10);
    session.holdComparisons = false;
    session.heldComparisons[0]?.answer();
    expect((await verdict).state).toBe('broken');
  });

  it('for tables alone, which may be temporary ones, keeps the epoch when all is as it was', async () => {
    const session = await start();
    const { epoch } = await watch.attest();
    session.tables += 2;
    expect((await watch.attest()).epoch).toBe(epoch);
    expect(session.comparisons).toBe(2);
    session.tables += 1;
    session.findings = [MISSING];
    expect((await watch.attest()).state).toBe('broken');
  });

  it('under which tables come and go counts for its own requests, and is made again for the next', async () => {
    const session = await start();
    session.duringComparison = () => {
      session.tables += 1;
    };
    session.tables += 1;
    for (let i = 0; i < 5; i++) expect((await watch.attest()).state).toBe('intact');
    expect(session.comparisons).toBe(1 + 5);
    session.findings = [MISSING];
    expect((await watch.attest()).state).toBe('broken');
  });

  it('follows a definition first used after a statement that took effect late', async () => {
    const session = await start();
    session.hard += 1;
    expect((await watch.attest()).state).toBe('intact');
    // The statement had been waiting for a lock; now it is through, and somebody writes to its table.
    session.findings = [MISSING];
    session.definitions += 1;
    expect((await watch.attest()).state).toBe('broken');
  });

  it('for a definition alone keeps the epoch when all is as it was', async () => {
    const session = await start();
    const { epoch } = await watch.attest();
    session.definitions += 1;
    expect((await watch.attest()).epoch).toBe(epoch);
    expect(session.comparisons).toBe(2);
  });

  it('is not repeated for ever because the server loads definitions all the time', async () => {
    const session = await start();
    session.duringComparison = () => {
      session.definitions += 1;
    };
    session.hard += 1;
    expect((await watch.attest()).state).toBe('intact');
    const { comparisons } = session;
    for (let i = 0; i < 20; i++) {
      session.definitions += 1;
      expect((await watch.attest()).state).toBe('intact');
    }
    expect(session.comparisons).toBe(comparisons);
    expect(lines.some((line) => line.event === 'definitions-unstable')).toBe(true);
  });

  it('with another baseline begins a new epoch', async () => {
    const session = await start();
    const { epoch } = await watch.attest();
    watch.recheck();
    const again = await watch.attest();
    expect(again.state).toBe('intact');
    expect(again.epoch).not.toBe(epoch);
    expect(session.comparisons).toBeGreaterThan(1);
  });
});

describe('a lost database', () => {
  it('is unverified at once for those who wait and those who come, and another epoch when it is back', async () => {
    const session = await start();
    const { epoch } = await watch.attest();
    session.holdProbes = true;
    const waiting = watch.attest();
    await until(() => session.heldProbes.length === 1);
    refuse = true;
    session.heldProbes[0]?.fail(Object.assign(new Error('x'), { code: 'PROTOCOL_CONNECTION_LOST' }));
    const lost = { state: 'unverified', epoch: '', findings: ['database-unavailable'] };
    expect(await waiting).toEqual(lost);
    expect(await watch.attest()).toEqual(lost);
    expect(session.destroyed).toBe(true);
    refuse = false;
    await until(async () => (await watch.attest()).state === 'intact');
    expect((await watch.attest()).epoch).not.toBe(epoch);
  });

  it('is noticed without a request', async () => {
    const session = await start();
    refuse = true;
    session.lose();
    await until(() => lines.some((line) => line.codes?.includes('database-unavailable') === true));
    expect((await watch.attest()).state).toBe('unverified');
  });

  it('that answers too slowly is unverified and its connection is given up', async () => {
    const session = await start(FAR, 60);
    session.holdProbes = true;
    expect(await watch.attest()).toEqual({ state: 'unverified', epoch: '', findings: ['database-timeout'] });
    await until(() => session.destroyed);
    await until(async () => (await watch.attest()).state === 'intact');
  });

  it('cannot be called intact by a comparison that was under way when it was lost', async () => {
    const session = await start(20);
    session.holdComparisons = true;
    await until(() => session.heldComparisons.length === 1);
    refuse = true;
    session.lose();
    await until(() => session.destroyed);
    session.heldComparisons[0]?.answer();
    await pause(20);
    expect((await watch.attest()).state).toBe('unverified');
  });

  it('does not delay another database', async () => {
    const slow = await start(FAR, 30_000);
    slow.holdProbes = true;
    const stuck = watch.attest();
    const first = watch;
    const other = await start();
    expect((await watch.attest()).state).toBe('intact');
    expect(other.probes).toBeGreaterThan(0);
    slow.heldProbes.forEach((call) => {
      call.answer();
    });
    await stuck;
    await first.close();
  });

  it('answers everybody when the checker stops', async () => {
    const session = await start();
    session.holdProbes = true;
    const waiting = watch.attest();
    await until(() => session.heldProbes.length === 1);
    const closed = watch.close();
    session.heldProbes[0]?.answer();
    expect((await waiting).state).not.toBe('intact');
    await closed;
    expect((await watch.attest()).state).toBe('unverified');
  });
});

describe('probes are paced', () => {
  /** Asks all the time, as many at once as given, and says how many probes a second that made. */
  async function rate(session: ScriptedSession, askers: number, ms: number): Promise<number> {
    const from = session.probes;
    const begin = performance.now();
    const end = begin + ms;
    await Promise.all(
      Array.from({ length: askers }, async () => {
        while (performance.now() < end) await watch.attest();
      }),
    );
    return ((session.probes - from) * 1_000) / (performance.now() - begin);
  }

  it.each([
    [1, 1],
    [50, 1],
    [1, 2],
    [50, 2],
  ])(
    'for %d who ask all the time, to a thousand statements a second, %d a probe',
    async (askers, statements) => {
      prepare = (session) => {
        session.statements = statements;
      };
      const session = await start();
      await pause(20);
      const probes = await rate(session, askers, 600);
      expect(probes * statements).toBeLessThanOrEqual(1_000);
      expect(probes * statements).toBeGreaterThan(300);
    },
  );

  it('but not for one who asks after a pause', async () => {
    const session = await start();
    for (let i = 0; i < 20; i++) {
      await pause(5);
      const before = session.probes;
      const asked = watch.attest();
      await Promise.resolve();
      await Promise.resolve();
      expect(session.probes).toBe(before + 1);
      await asked;
    }
  });

  it('and a verdict still comes from a probe that began after the question', async () => {
    const session = await start();
    for (let i = 0; i < 300; i++) {
      if (i % 50 === 49) {
        session.hard += 1;
        session.findings = session.findings.length === 0 ? [MISSING] : [];
      }
      const expected = session.findings.length === 0 ? 'intact' : 'broken';
      expect((await watch.attest()).state).toBe(expected);
    }
  });
});

describe("while somebody's definition is under way", () => {
  it('its late effect is found by the loaded definition, however long it waited', async () => {
    const session = await start(FAR, 2_000, 30);
    session.pending = true;
    session.hard += 1;
    expect((await watch.attest()).state).toBe('intact');
    await pause(80);
    // Longer than definitions are usually heeded: now it takes effect, and its table is used.
    session.findings = [MISSING];
    session.definitions += 1;
    expect((await watch.attest()).state).toBe('broken');
  });

  it('when nothing is under way any more, loaded definitions soon mean nothing again', async () => {
    const session = await start(FAR, 2_000, 30);
    session.pending = true;
    session.hard += 1;
    await watch.attest();
    session.pending = false;
    session.definitions += 1;
    await watch.attest();
    await pause(50);
    const before = session.comparisons;
    session.definitions += 1;
    expect((await watch.attest()).state).toBe('intact');
    expect(session.comparisons).toBe(before);
  });

  it('every probe compares where definitions are loaded all the time, and the epoch stays', async () => {
    const session = await start(FAR, 2_000, 30);
    session.pending = true;
    session.duringComparison = () => {
      session.definitions += 1;
    };
    session.hard += 1;
    const first = await watch.attest();
    const before = session.comparisons;
    const second = await watch.attest();
    expect(session.comparisons).toBeGreaterThan(before);
    expect(second.epoch).toBe(first.epoch);
    session.findings = [MISSING];
    expect((await watch.attest()).state).toBe('broken');
  });
});

describe('a slow comparison', () => {
  it('is waited for beyond the limit of a probe, as long as the server answers probes', async () => {
    const session = await start(20, 100);
    session.holdComparisons = true;
    await until(() => session.heldComparisons.length === 1);
    const before = session.comparisons;
    await pause(400);
    expect((await watch.attest()).state).toBe('intact');
    session.holdComparisons = false;
    session.heldComparisons[0]?.answer();
    await until(() => session.comparisons > before);
    expect((await watch.attest()).state).toBe('intact');
    expect(session.destroyed).toBe(false);
  });

  it('ends when the server does not answer a probe in between, although nobody asks', async () => {
    const session = await start(20, 100);
    session.holdComparisons = true;
    await until(() => session.heldComparisons.length === 1);
    session.holdProbes = true;
    await until(() => session.destroyed, 1_000);
  });
});
