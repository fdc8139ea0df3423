import { afterEach, describe, expect, test } from 'vitest';
import { type BalancingSettings, USUAL_BALANCING } from '../../contracts/balancing.ts';
import { type Clock, systemClock } from '../../contracts/clock.ts';
import type { BackendSettings } from '../../contracts/settings.ts';
import {
  type Backend,
  createTenantRouter,
  type Tenant,
  type TenantRouter,
} from '../../tenant-router/index.ts';
import { backend, tenant } from './support.ts';

/** Real time that can be skipped. */
let skipped = 0;
const clock: Clock = { wall: systemClock.wall, monotonic: () => systemClock.monotonic() + skipped };
const skip = (ms: number) => {
  skipped += ms;
};

let router: TenantRouter | undefined;
afterEach(() => router?.close(0));

function tenantWith(
  balancing: Partial<BalancingSettings>,
  backends: readonly Partial<BackendSettings>[],
  firstEjectionMs = 60_000,
): Tenant {
  const settings = tenant(
    'a',
    ['a.example'],
    ...backends.map((more, index) => backend(`http://127.0.0.1:${9001 + index}`, more)),
  );
  router = createTenantRouter([{ ...settings, balancing: { ...USUAL_BALANCING, ...balancing } }], {
    clock,
    circuit: { firstEjectionMs, longestEjectionMs: 8 * firstEjectionMs, trialMs: 600_000 },
  });
  const [only] = router.tenants;
  if (only === undefined) throw new Error('no tenant');
  return only;
}

const name = (picked: Backend | undefined) => picked?.origin.slice(-1) ?? 'none';
const names = (count: number, pick: () => Backend | undefined) =>
  Array.from({ length: count }, () => name(pick())).join('');
const fail = (picked: Backend | undefined, times = 3) => {
  for (let n = 0; n < times; n += 1) picked?.report('connect-failed');
};

describe('round robin', () => {
  test('goes round, and past one that is out', () => {
    const a = tenantWith({}, [{}, {}, {}]);
    expect(names(6, () => a.pick())).toBe('123123');
    fail(a.pick());
    expect(names(6, () => a.pick())).toBe('232323');
  });

  test('what cannot be sent again goes where nothing failed last', () => {
    const a = tenantWith({}, [{}, {}]);
    a.pick()?.report('protocol');
    expect(names(4, () => a.pick('primary', '', true))).toBe('2222');
    expect(names(4, () => a.pick('primary', '', false))).toContain('1');
  });

  test('what cannot be sent again is not what tries one that was out', () => {
    const a = tenantWith({}, [{}, {}], 4_000);
    fail(a.pick());
    skip(4_500);
    expect(names(4, () => a.pick('primary', '', true))).toBe('2222');
    expect(names(2, () => a.pick('primary', '', false))).toContain('1');
  });

  test('one that was tried already is not chosen again', () => {
    const a = tenantWith({}, [{}, {}]);
    const first = a.pick();
    expect(names(3, () => a.pick('primary', '', false, first))).toBe('222');
    const only = tenantWith({}, [{}]);
    expect(only.pick('primary', '', false, only.pick())).toBeUndefined();
  });
});

describe('fewest requests', () => {
  test('go to whoever has the fewest under way, whatever became of them', () => {
    const a = tenantWith({ method: 'least-requests' }, [{}, {}, {}]);
    const begun: Backend[] = [];
    const begin = () => {
      const picked = a.pick();
      picked?.progress('none', 'waiting');
      if (picked !== undefined) begun.push(picked);
      return picked;
    };
    expect([...names(6, begin)].sort().join('')).toBe('112233');
    const second = begun.find((each) => name(each) === '2');
    second?.progress('waiting', 'sent');
    second?.progress('sent', 'over');
    expect(name(a.pick())).toBe('2');
  });
});

describe('sticky', () => {
  test('the same one for the same session, others for others', () => {
    const a = tenantWith({ method: 'sticky' }, [{}, {}, {}]);
    const chosen = Array.from({ length: 60 }, (_, n) => name(a.pick('primary', `session-${n}`)));
    expect(new Set(chosen)).toEqual(new Set(['1', '2', '3']));
    expect(Array.from({ length: 60 }, (_, n) => name(a.pick('primary', `session-${n}`)))).toEqual(chosen);
  });

  test('moves only when its own is out, and the sessions of the others stay', () => {
    const a = tenantWith({ method: 'sticky' }, [{}, {}, {}]);
    const before = new Map(Array.from({ length: 60 }, (_, n) => [`s${n}`, a.pick('primary', `s${n}`)]));
    const gone = before.get('s0');
    fail(gone);
    for (const [session, former] of before) {
      const now = a.pick('primary', session);
      if (former === gone) expect(now).not.toBe(gone);
      else expect(now).toBe(former);
    }
  });

  test('a failure that does not leave it out moves nobody', () => {
    const a = tenantWith({ method: 'sticky' }, [{}, {}]);
    const own = a.pick('primary', 'x');
    own?.report('protocol');
    expect(a.pick('primary', 'x', true)).toBe(own);
  });

  test('nobody in particular goes round', () => {
    const a = tenantWith({ method: 'sticky' }, [{}, {}]);
    expect(names(4, () => a.pick('primary', ''))).toBe('1212');
  });
});

describe('primary and replicas', () => {
  const roles = [{ role: 'primary' }, { role: 'replica' }, { role: 'replica' }] as const;

  test('writes never go to a replica, not even when the primary is out', () => {
    const a = tenantWith({}, roles);
    expect(names(4, () => a.pick('primary'))).toBe('1111');
    fail(a.pick('primary'));
    expect(a.pick('primary')).toBeUndefined();
    expect(a.reachable('primary')).toBe(false);
    expect(a.reachable('replica')).toBe(true);
  });

  test('reads go to the replicas, and to the primary when they are out', () => {
    const a = tenantWith({}, roles);
    expect(names(4, () => a.pick('replica'))).toBe('2323');
    fail(a.pick('replica'));
    fail(a.pick('replica'));
    expect(names(2, () => a.pick('replica'))).toBe('11');
  });

  test('a replica that fails, alone as it is, is left to the primary, and used when that is out', () => {
    const a = tenantWith({}, [{ role: 'primary' }, { role: 'replica' }]);
    const replica = a.pick('replica');
    expect(name(replica)).toBe('2');
    replica?.progress('none', 'waiting');
    replica?.progress('waiting', 'sent');
    skip(350);
    expect(names(2, () => a.pick('replica'))).toBe('11');
    fail(a.pick('primary'));
    expect(names(2, () => a.pick('replica'))).toBe('22');
    for (let n = 0; n < 5; n += 1) replica?.report('timeout');
    expect(a.pick('replica')).toBeUndefined();
  });

  test('without replicas, any one will do for anything', () => {
    const a = tenantWith({}, [{}, { role: 'primary' }]);
    expect(a.replicated).toBe(false);
    expect(names(4, () => a.pick('replica'))).toBe('1212');
  });
});

describe('the queue', () => {
  test('when it is full nobody is let in, and it is said why', () => {
    const a = tenantWith({ queue: { length: 2, waitMs: 1000 } }, [{ connections: 1 }]);
    for (let n = 0; n < 3; n += 1) a.pick()?.progress('none', 'waiting');
    expect(a.reachable()).toBe(false);
    expect(a.pick()).toBeUndefined();
    expect(a.busy).toBe(true);
  });

  test('of none leaves room for as many as there are connections', () => {
    const a = tenantWith({ queue: { length: 0, waitMs: 1000 } }, [{ connections: 2 }]);
    const begun = [a.pick(), a.pick()];
    for (const each of begun) each?.progress('none', 'waiting');
    expect(a.pick()).toBeUndefined();
    begun[0]?.progress('waiting', 'over');
    expect(a.pick()).toBeDefined();
  });

  test('another back end takes what one has no room for; a session waits for its own', () => {
    const a = tenantWith({ queue: { length: 0, waitMs: 1000 } }, [{ connections: 1 }, { connections: 1 }]);
    a.pick()?.progress('none', 'waiting');
    expect(names(3, () => a.pick())).toBe('222');
    const sticky = tenantWith({ method: 'sticky', queue: { length: 0, waitMs: 1000 } }, [
      { connections: 1 },
      { connections: 1 },
    ]);
    sticky.pick('primary', 'x')?.progress('none', 'waiting');
    expect(sticky.pick('primary', 'x')).toBeUndefined();
    expect(sticky.busy).toBe(true);
  });
});

describe('left out and back', () => {
  test('requests of which a share fails eject too, though never many in a row', () => {
    const a = tenantWith({}, [{}, {}]);
    const first = a.pick();
    for (let n = 0; n < 40; n += 1) first?.report(n % 2 === 0 ? 'unwell' : 'ok');
    expect(names(4, () => a.pick())).toBe('2222');
  });

  test('one that flaps stays out longer each time', () => {
    const a = tenantWith({ slowStartMs: 0 }, [{}, {}], 4_000);
    const first = a.pick();
    fail(first);
    skip(4_500);
    first?.report('ok');
    fail(first);
    // The second ejection lasts twice as long, although there was a success in between.
    skip(4_500);
    expect(names(6, () => a.pick())).not.toContain('1');
    skip(4_500);
    expect(names(6, () => a.pick())).toContain('1');
  });

  test('one that is back gets a growing part', () => {
    const a = tenantWith({ slowStartMs: 60_000 }, [{}, {}], 4_000);
    const first = a.pick();
    fail(first);
    skip(4_500);
    first?.report('ok');
    const count = () => [...names(40, () => a.pick())].filter((each) => each === '1').length;
    const early = count();
    skip(60_000);
    expect(early).toBeGreaterThan(0);
    expect(early).toBeLessThan(12);
    expect(count()).toBe(20);
  });

  test('one that answers nothing for a while in which others do is asked no more, but not the last', () => {
    const a = tenantWith({}, [{}, {}]);
    const hanging = a.pick();
    hanging?.progress('none', 'waiting');
    hanging?.progress('waiting', 'sent');
    expect(names(4, () => a.pick())).toContain('1');
    skip(350);
    expect(names(4, () => a.pick())).toBe('2222');
    fail(a.pick());
    expect(names(2, () => a.pick())).toBe('11');
    hanging?.progress('sent', 'answering');
    expect(names(2, () => a.pick())).toBe('11');
  });

  test('whoever may move is told when its back end is left out, once', () => {
    const a = tenantWith({}, [{}, {}]);
    const first = a.pick();
    let moved = 0;
    const movable = { move: () => (moved += 1) };
    first?.progress('none', 'waiting', movable);
    first?.progress('waiting', 'sent', movable);
    const answered = { move: () => (moved += 100) };
    first?.progress('none', 'waiting', answered);
    first?.progress('waiting', 'sent', answered);
    first?.progress('sent', 'answering', answered);
    fail(first, 6);
    expect(moved).toBe(1);
  });
});

describe('the budget of further attempts', () => {
  test('is a few, and then a share of the requests', () => {
    const a = tenantWith({ retryPercent: 10 }, [{}, {}]);
    let few = 0;
    while (a.takeRetry()) few += 1;
    expect(few).toBe(10);
    for (let n = 0; n < 1000; n += 1) a.earnRetry();
    let taken = 0;
    while (a.takeRetry()) taken += 1;
    expect(taken).toBeGreaterThanOrEqual(99);
    expect(taken).toBeLessThanOrEqual(101);
  });

  test('saves up no more than two hundred', () => {
    const a = tenantWith({ retryPercent: 50 }, [{}, {}]);
    for (let n = 0; n < 100_000; n += 1) a.earnRetry();
    let taken = 0;
    while (a.takeRetry()) taken += 1;
    expect(taken).toBeLessThanOrEqual(211);
  });

  test('keeps some for those that need it more', () => {
    const a = tenantWith({ retryPercent: 10 }, [{}, {}]);
    expect(a.takeRetry(10)).toBe(false);
    for (let n = 0; n < 200; n += 1) a.earnRetry();
    let moved = 0;
    while (a.takeRetry(10)) moved += 1;
    expect(moved).toBeGreaterThanOrEqual(9);
    expect(moved).toBeLessThanOrEqual(11);
    expect(a.takeRetry()).toBe(true);
  });

  test('of 0 percent is none at all', () => {
    const a = tenantWith({ retryPercent: 0 }, [{}, {}]);
    for (let n = 0; n < 1000; n += 1) a.earnRetry();
    expect(a.takeRetry()).toBe(false);
  });
});
