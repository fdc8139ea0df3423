import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AttemptLimits,
  createAttempts,
  DEFAULT_ATTEMPT_LIMITS,
  sourceOf,
} from '../../../identity/attempts.ts';
import { openRig, type Rig } from './support.ts';

const MINUTE = 60_000;

describe('failed attempts', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterAll(() => rig.close());

  let purposes = 0;
  function attemptsOf(limits: AttemptLimits = DEFAULT_ATTEMPT_LIMITS) {
    purposes += 1;
    return createAttempts({ store: rig.store, clock: rig.clock, purpose: `test-${purposes}`, limits });
  }

  it('are five, then the account waits fifteen minutes, wherever the next comes from', async () => {
    const attempts = attemptsOf();
    for (let i = 1; i <= 5; i += 1) {
      const reserved = await attempts.reserve({ account: 'a', source: `192.0.2.${i}` });
      expect(reserved).toMatchObject({
        ok: true,
        failures: i,
        consecutive: i,
        locks: i === 5,
        closes: false,
      });
    }
    expect(await attempts.reserve({ account: 'a', source: '203.0.113.9' })).toEqual({
      ok: false,
      by: 'account',
      retryAfter: 900,
    });
    expect(await attempts.reserve({ account: 'b', source: '203.0.113.9' })).toMatchObject({ ok: true });
    rig.clock.move(15 * MINUTE - 2000);
    expect(await attempts.reserve({ account: 'a', source: '203.0.113.10' })).toMatchObject({ ok: false });
    rig.clock.move(2500);
    expect(await attempts.reserve({ account: 'a', source: '203.0.113.10' })).toMatchObject({
      ok: true,
      failures: 1,
      consecutive: 6,
    });
  });

  it('of many accounts lock their source, and nobody else', async () => {
    const attempts = attemptsOf();
    for (let i = 1; i <= 5; i += 1)
      expect(await attempts.reserve({ account: `account-${i}`, source: '192.0.2.1' })).toMatchObject({
        ok: true,
      });
    expect(await attempts.reserve({ account: 'account-6', source: '192.0.2.1' })).toMatchObject({
      ok: false,
      by: 'source',
    });
    // What was refused was not counted for the account.
    expect(await attempts.status('account-6')).toMatchObject({ failures: 0, consecutive: 0 });
    expect(await attempts.reserve({ account: 'account-6', source: '192.0.2.2' })).toMatchObject({ ok: true });
  });

  it('are not made longer by guessing on during a lock', async () => {
    const attempts = attemptsOf();
    for (let i = 0; i < 5; i += 1) await attempts.reserve({ account: 'a', source: `192.0.2.${i}` });
    for (let i = 0; i < 14; i += 1) {
      rig.clock.move(MINUTE);
      expect(await attempts.reserve({ account: 'a', source: '203.0.113.1' })).toMatchObject({ ok: false });
    }
    rig.clock.move(MINUTE + 500);
    expect(await attempts.reserve({ account: 'a', source: '203.0.113.1' })).toMatchObject({ ok: true });
  });

  it('are forgotten after a success, but not those of others at the same source unless told so', async () => {
    const patient = attemptsOf({
      ...DEFAULT_ATTEMPT_LIMITS,
      source: { ...DEFAULT_ATTEMPT_LIMITS.source, clearedBySuccess: false },
    });
    for (let i = 0; i < 4; i += 1) await patient.reserve({ account: 'victim', source: '192.0.2.1' });
    const own = await patient.reserve({ account: 'own', source: '192.0.2.1' });
    if (!own.ok) throw new Error('refused');
    await own.succeeded();
    expect(await patient.status('own')).toMatchObject({ failures: 0, consecutive: 0 });
    expect(await patient.status('victim')).toMatchObject({ failures: 4 });
    expect(await patient.reserve({ account: 'third', source: '192.0.2.1' })).toMatchObject({ ok: true });
    expect(await patient.reserve({ account: 'third', source: '192.0.2.1' })).toMatchObject({ by: 'source' });

    const forgiving = attemptsOf();
    for (let i = 0; i < 4; i += 1) await forgiving.reserve({ account: 'x', source: '192.0.2.1' });
    const good = await forgiving.reserve({ account: 'y', source: '192.0.2.1' });
    if (!good.ok) throw new Error('refused');
    await good.succeeded();
    for (let i = 0; i < 4; i += 1)
      expect(await forgiving.reserve({ account: `z${i}`, source: '192.0.2.1' })).toMatchObject({ ok: true });
  });

  it('that checked nothing are given back, once', async () => {
    const attempts = attemptsOf();
    for (let i = 0; i < 20; i += 1) {
      const reserved = await attempts.reserve({ account: 'busy', source: '192.0.2.1' });
      if (!reserved.ok) throw new Error('refused');
      await reserved.abandoned();
      await expect(reserved.abandoned()).rejects.toMatchObject({ code: 'internal' });
      await expect(reserved.succeeded()).rejects.toMatchObject({ code: 'internal' });
    }
    expect(await attempts.status('busy')).toMatchObject({ failures: 0, consecutive: 0 });
  });

  it('in a row close the account at the limit, until an administrator opens it', async () => {
    const attempts = attemptsOf({
      ...DEFAULT_ATTEMPT_LIMITS,
      consecutive: { failures: 12, keepMs: 400 * 86_400_000 },
    });
    let checked = 0;
    for (let round = 0; round < 6; round += 1) {
      for (let i = 0; i < 7; i += 1)
        if ((await attempts.reserve({ account: 'a', source: `192.0.2.${round}` })).ok) checked += 1;
      rig.clock.move(16 * MINUTE);
    }
    expect(checked).toBe(12);
    expect(await attempts.reserve({ account: 'a', source: '203.0.113.1' })).toEqual({
      ok: false,
      by: 'closed',
      retryAfter: undefined,
    });
    expect(await attempts.status('a')).toMatchObject({ closed: true, consecutive: 12 });
    rig.clock.move(30 * 86_400_000);
    expect(await attempts.reserve({ account: 'a', source: '203.0.113.1' })).toMatchObject({ by: 'closed' });
    await attempts.unlock('a');
    expect(await attempts.reserve({ account: 'a', source: '203.0.113.1' })).toMatchObject({ ok: true });
  });

  it('are counted before they are checked: of a hundred at once five may go on', async () => {
    const attempts = attemptsOf();
    const reserved = await Promise.all(
      Array.from({ length: 100 }, (_, i) => attempts.reserve({ account: 'a', source: `2001:db8:${i}::1` })),
    );
    expect(reserved.filter((one) => one.ok)).toHaveLength(5);
  });

  it('of one purpose are not those of another, and no name is kept', async () => {
    const [one, two] = [attemptsOf(), attemptsOf()];
    for (let i = 0; i < 5; i += 1) await one.reserve({ account: 'dr.jekyll', source: `192.0.2.${i}` });
    expect(await two.reserve({ account: 'dr.jekyll', source: '192.0.2.1' })).toMatchObject({ ok: true });
    const kept = JSON.stringify(await rig.store.list('attempts'));
    expect(kept).not.toMatch(/jekyll|192\.0\.2/);
  });

  it('cannot be counted: nothing may be checked', async () => {
    const broken = await openRig();
    const attempts = createAttempts({ store: broken.store, clock: broken.clock, purpose: 'lost' });
    await broken.close();
    await expect(attempts.reserve({ account: 'a', source: 's' })).rejects.toMatchObject({
      code: 'state-unavailable',
    });
  });

  it('are counted as too many where a counter cannot be read', async () => {
    const attempts = attemptsOf();
    await attempts.reserve({ account: 'a', source: 's' });
    for (const document of await rig.store.list('attempts')) {
      await rig.store.replace('attempts', document.id, document.version, { body: { points: 'none' } });
    }
    expect(await attempts.reserve({ account: 'a', source: 't' })).toMatchObject({ ok: false });
  });

  it.each([
    [{ failures: 0, lockMs: 1000 }, 'no failure allowed'],
    [{ failures: Number.NaN, lockMs: 1000 }, 'not a number'],
    [{ failures: 2.5, lockMs: 1000 }, 'not whole'],
    [{ failures: 5, lockMs: 0 }, 'no time'],
    [{ failures: 5, lockMs: Number.POSITIVE_INFINITY }, 'endless'],
  ])('are refused a limit of %j (%s)', (account) => {
    expect(() => attemptsOf({ ...DEFAULT_ATTEMPT_LIMITS, account })).toThrow(/attempts: account/);
  });
});

describe('a source', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1', 'IPv4'],
    ['::ffff:192.0.2.1', '192.0.2.1', 'IPv4 written as IPv6'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64', 'IPv6: its /64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64', 'another spelling of the same'],
    ['2001:db8::1', '2001:db8:0:0::/64', 'zeros left out'],
    ['::1', '0:0:0:0::/64', 'loopback'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64', 'a zone'],
  ])('%s is %s (%s)', (address, source) => {
    expect(sourceOf(address)).toBe(source);
  });
});
