import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import { armedAt, nextDeadline } from '../../gateway/answer/deadline.ts';
import { LearnedDeadline, STEPS_MS } from '../../gateway/answer/learned.ts';
import { ReleaseQueue, TICK_MS, tickOf } from '../../gateway/answer/release-queue.ts';
import { endingOfBackendStatus } from '../../gateway/answer/statuses.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import { recordIntent } from '../../gateway/pipeline/stages/record-intent.ts';
import { withhold } from '../../gateway/pipeline/stages/withhold.ts';

describe('answers that wait for their instant', () => {
  it('leave in the order in which their requests arrived, never before it, whenever they were ready', async () => {
    const queue = new ReleaseQueue(systemClock);
    const left: string[] = [];
    const begun = systemClock.monotonic();
    const at = tickOf(begun + 30);
    const waits: Promise<void>[] = [];
    const wait = (name: string, arrivedAt: number, instant = at) =>
      waits.push(
        queue.until(instant, arrivedAt, name).then(() => {
          expect(systemClock.monotonic()).toBeGreaterThanOrEqual(instant);
          left.push(name);
        }),
      );
    // Ready in another order than they arrived in, at other times.
    wait('third', begun - 1);
    wait('last', begun - 9, tickOf(begun + 60));
    await new Promise((resolve) => setTimeout(resolve, 12));
    wait('second', begun - 2);
    wait('first', begun - 3);
    await new Promise((resolve) => setTimeout(resolve, 5));
    wait('before all', begun, tickOf(begun + 20));
    await Promise.all(waits);
    expect(left).toEqual(['before all', 'first', 'second', 'third', 'last']);
    expect(queue.length).toBe(0);
  });

  it('of two that arrived in one instant neither comes first by how it was known', async () => {
    const orders = new Set<string>();
    const queue = new ReleaseQueue(systemClock);
    for (const [one, two] of [
      ['A', 'B'],
      ['B', 'A'],
    ] as const) {
      const left: string[] = [];
      const at = tickOf(systemClock.monotonic());
      await Promise.all([
        queue.until(at, 5, one).then(() => left.push(one)),
        queue.until(at, 5, two).then(() => left.push(two)),
      ]);
      orders.add(left.join());
    }
    expect([...orders]).toEqual(['A,B']);
  });

  it('have instants that are not before their deadline and at most a tick after it', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e9, noNaN: true }), (instant) => {
        expect(tickOf(instant)).toBeGreaterThanOrEqual(instant);
        expect(tickOf(instant) - instant).toBeLessThan(TICK_MS + 1e-6);
      }),
    );
  });
});

describe('a request whose body came late', () => {
  it('has at least three quarters of the deadline left when it is complete', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.double({ min: 0, max: 1e5, noNaN: true }),
        fc.integer({ min: 8, max: 10_000 }),
        (arrivedAt, lateBy, period) => {
          const completeAt = arrivedAt + lateBy;
          const armed = armedAt(arrivedAt, completeAt, period);
          expect(armed).toBeGreaterThanOrEqual(arrivedAt);
          const left = nextDeadline(armed, period, completeAt) - completeAt;
          expect(left).toBeGreaterThan(period * 0.75 - 1e-6);
          expect(left).toBeLessThanOrEqual(period * 1.25 + 1e-6);
        },
      ),
    );
  });

  it('does not move the deadline of one that came at once', () => {
    expect(armedAt(100, 100, 200)).toBe(100);
    expect(armedAt(100, 150, 200)).toBe(100);
    expect(armedAt(100, 151, 200)).toBe(200);
  });
});

describe('a deadline that is learned', () => {
  const MINUTE = 60_001;

  /** Some minutes in each of which these were seen. */
  function learned(
    minutes: number,
    seen: readonly (readonly [ms: number, who: string, hidden: boolean])[],
    deadline = new LearnedDeadline(250, 0),
    from = 0,
  ): LearnedDeadline {
    for (let minute = 0; minute < minutes; minute += 1)
      for (const [ms, who, hidden] of seen) deadline.observe(ms, who, hidden, from + minute * MINUTE);
    deadline.observe(1, 'nobody', false, from + minutes * MINUTE);
    return deadline;
  }
  const everybody = (ms: number, hidden: boolean, people = 5, each = 4) =>
    Array.from({ length: people * each }, (_, at) => [ms, `p${at % people}`, hidden] as const);

  it('begins with what it is told, and is one of a few steps', () => {
    expect(new LearnedDeadline(250, 0).milliseconds).toBe(250);
    expect(new LearnedDeadline(260, 0).milliseconds).toBe(400);
    expect(new LearnedDeadline(1, 0).milliseconds).toBe(10);
    expect(new LearnedDeadline(60_000, 0).milliseconds).toBe(10_000);
  });

  it('rises when what is released, or what is hidden, takes longer than it', () => {
    for (const hidden of [false, true]) expect(learned(4, everybody(900, hidden)).milliseconds).toBe(1500);
  });

  it('rises by two steps a minute at most, and never above its last', () => {
    expect(learned(1, everybody(9000, true)).milliseconds).toBe(600);
    expect(learned(20, everybody(90_000, true)).milliseconds).toBe(10_000);
  });

  it('is not moved by one who finds slow records, however often', () => {
    const slow = Array.from({ length: 500 }, () => [9000, 'somebody', true] as const);
    expect(learned(20, [...slow, ...everybody(20, false)]).milliseconds).toBe(250);
  });

  it('falls one step after ten minutes that would do with less, seen of several people and of hidden answers', () => {
    const usual = [...everybody(20, false), ...everybody(25, true)];
    expect(learned(9, usual).milliseconds).toBe(250);
    expect(learned(10, usual).milliseconds).toBe(150);
    expect(learned(200, usual).milliseconds).toBe(50);
    // Nobody knows how long it takes to find nothing.
    expect(learned(200, everybody(20, false)).milliseconds).toBe(250);
    // One person alone, or hardly anything.
    expect(learned(200, [...everybody(20, false, 1), ...everybody(20, true, 1)]).milliseconds).toBe(250);
  });

  it('does not fall because somebody asks often for what is quick', () => {
    const quick = Array.from({ length: 5000 }, () => [1, 'somebody', true] as const);
    expect(learned(60, [...quick, ...everybody(200, false), ...everybody(200, true)]).milliseconds).toBe(250);
  });

  it('is never the time of one record: any times at all give one of the steps', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 1e5, noNaN: true }), fc.string(), fc.boolean())),
        (seen) => {
          expect(STEPS_MS).toContain(learned(3, seen).milliseconds);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('what the policy hides', () => {
  const exchange = (more: object): Exchange =>
    ({
      match: { route: { hide: 'record' } },
      facts: { method: 'GET', body: { kind: 'none' }, headers: new Map([['if-none-match', '"7"']]) },
      tenant: { reachable: () => true, busy: false },
      withheld: { kind: 'hidden', reason: 'denied-by-rule' },
      outgoing: {},
      failed() {},
      ...more,
    }) as unknown as Exchange;

  it('ends before an intent is recorded, without which nothing is forwarded', async () => {
    expect(withhold(exchange({}))).toMatchObject({ kind: 'hidden' });
    const asked = exchange({ client: { gone: false } });
    expect(await recordIntent(asked)).toMatchObject({ kind: 'hidden' });
    expect(asked.intentRecorded).toBeUndefined();
  });

  it('is unavailable while everything is', () => {
    for (const [busy, reason] of [
      [false, 'backend-unavailable'],
      [true, 'backend-busy'],
    ] as const)
      expect(withhold(exchange({ tenant: { reachable: () => false, busy } }))).toMatchObject({
        kind: 'unavailable',
        reason,
      });
  });

  it('leaves a permitted request alone, but for its conditions', () => {
    const permitted = exchange({ withheld: undefined });
    expect(withhold(permitted)).toBeUndefined();
    expect(permitted.conditional).toBe(true);
    expect(permitted.outgoing.headers).toMatchObject({ 'if-none-match': undefined });
    const plain = exchange({ withheld: undefined, match: { route: { hide: 'none' } } });
    expect(withhold(plain)).toBeUndefined();
    expect(plain.outgoing).toEqual({});
  });
});

describe('a status of the back end', () => {
  const fhir = { version: 'R4', interaction: 'read' } as const;
  it.each([
    [200, 'record', fhir, undefined, 'what is given is given'],
    [206, 'record', undefined, undefined, 'a part of it too'],
    [301, 'record', fhir, 'hidden', 'a FHIR read that is sent on says that there was something'],
    [302, 'record', undefined, undefined, 'pages send on'],
    [304, 'record', undefined, 'hidden', 'nobody asked for a condition'],
    [304, 'none', undefined, undefined, 'a page of a browser’s cache'],
    [404, 'record', fhir, 'hidden', 'absent'],
    [410, 'record', fhir, 'hidden', 'deleted'],
    [403, 'none', undefined, 'backend-refused', 'nothing is hidden here'],
    [500, 'collection', undefined, 'hidden', 'an error about that id'],
    [101, 'record', fhir, 'bad-gateway', 'nobody asked for another protocol'],
  ] as const)('%i on a route of class %s: %s', (status, hide, about, kind, _why) => {
    expect(endingOfBackendStatus(status, { hide, fhir: about })?.kind).toBe(kind);
  });
});
