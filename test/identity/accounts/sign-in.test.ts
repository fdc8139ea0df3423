import * as crypto from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACCOUNT_DEFAULTS, type AccountSettings } from '../../../contracts/account-settings.ts';
import { HOST, type SignIn } from '../../../identity/accounts/index.ts';
import { passwordOf } from '../../../identity/accounts/model.ts';
import {
  clinic,
  enrolled,
  GOOD_PASSWORD,
  must,
  OTHER_PASSWORD,
  openWorld,
  pushedClock,
  QUICK,
  SOURCE,
  type World,
} from './support/world.ts';

const MINUTE = 60_000;

/** What the outside may see of an answer. */
const outside = (answer: SignIn) => (answer.ok ? 'signed in' : answer.reason);
const inside = (answer: SignIn) => (answer.ok ? 'signed in' : answer.detail);

describe('sign-in with a password', () => {
  const clock = pushedClock();
  let world: World;
  let pair: readonly [string, string];
  let user: string;
  const login = 'Uma@Riverside.example';

  beforeAll(async () => {
    world = await openWorld(QUICK, clock);
    pair = await clinic(world.accounts);
    user = await enrolled(world.accounts, pair, 'riverside', login);
  });
  afterAll(() => world.close());

  const authenticate = (name: string, password: string, source = SOURCE) =>
    world.accounts.signIn.authenticate({ login: name, password, source });

  test.each([
    ['an unknown account', 'nobody@riverside.example', GOOD_PASSWORD, 'unknown'],
    ['a wrong password', login, OTHER_PASSWORD, 'wrong-password'],
    ['another case of the password', login, GOOD_PASSWORD.toUpperCase(), 'wrong-password'],
    ['no password', login, '', 'malformed'],
    ['a login that nobody can have', `${login}\u0000`, GOOD_PASSWORD, 'malformed'],
    ['a password of a megabyte', login, 'x'.repeat(1_000_000), 'malformed'],
    ['half a character', login, '\ud800', 'malformed'],
  ])('%s is refused with the same answer', async (_why, name, password, detail) => {
    const answer = await authenticate(name, password);
    expect(outside(answer)).toBe('refused');
    expect(inside(answer)).toBe(detail);
    await world.accounts.alone.unlockAccount(pair[0], user);
  });

  test('the right password signs in, however the login was typed', async () => {
    for (const typed of [login, ' uma@riverside.example ', 'UMA@RIVERSIDE.EXAMPLE']) {
      const answer = await authenticate(typed, GOOD_PASSWORD);
      expect(answer).toMatchObject({ ok: true, change: undefined, account: { id: user } });
    }
  });

  test('an account that is pending or disabled is refused like one that does not exist', async () => {
    const other = await enrolled(world.accounts, pair, 'riverside', 'disabled@riverside.example');
    must(await world.accounts.alone.disableAccount(pair[0], other));
    const asked = must(
      await world.accounts.asking.createAccount(pair[0], {
        organisation: 'riverside',
        login: 'pending@riverside.example',
        name: 'Pending',
        roles: ['user'],
      }),
    );
    expect(asked.account.status).toBe('pending');
    const answers = [
      await authenticate('disabled@riverside.example', GOOD_PASSWORD),
      await authenticate('pending@riverside.example', GOOD_PASSWORD),
    ];
    expect(answers.map(outside)).toEqual(['refused', 'refused']);
    expect(answers.map(inside)).toEqual(['inactive', 'no-password']);
  });

  test('after five failures even the right password waits 15 minutes; then it signs in', async () => {
    for (let i = 0; i < 5; i += 1) await authenticate(login, OTHER_PASSWORD);
    expect(inside(await authenticate(login, GOOD_PASSWORD))).toBe('locked-account');
    clock.push(14 * MINUTE);
    expect(outside(await authenticate(login, GOOD_PASSWORD, '198.51.100.9'))).toBe('refused');
    clock.push(2 * MINUTE);
    expect(outside(await authenticate(login, GOOD_PASSWORD))).toBe('signed in');
  });

  test('a login that does not exist locks like one that does', async () => {
    const answers: string[] = [];
    for (let i = 0; i < 7; i += 1) answers.push(inside(await authenticate('ghost', OTHER_PASSWORD)));
    expect(answers).toEqual([...Array<string>(5).fill('unknown'), 'locked-account', 'locked-account']);
  });

  test('an administrator ends the wait', async () => {
    for (let i = 0; i < 5; i += 1) await authenticate(login, OTHER_PASSWORD);
    expect(inside(await authenticate(login, GOOD_PASSWORD))).toBe('locked-account');
    must(await world.accounts.alone.unlockAccount(pair[1], user));
    expect(outside(await authenticate(login, GOOD_PASSWORD))).toBe('signed in');
  });

  test('five failures from one source lock that source for every account, and no other source', async () => {
    const strict = world.again({ ...QUICK, lockout: { ...QUICK.lockout, sourceFailures: 5 } });
    const from = (source: string, name: string, password: string) =>
      strict.signIn.authenticate({ login: name, password, source });
    for (let i = 0; i < 5; i += 1) await from('203.0.113.5', `guess-${i}`, OTHER_PASSWORD);
    expect(inside(await from('203.0.113.5', login, GOOD_PASSWORD))).toBe('locked-source');
    expect(outside(await from('203.0.113.6', login, GOOD_PASSWORD))).toBe('signed in');
  });

  test('of many guesses at once, by two processes, no more than five are checked', async () => {
    const other = world.again();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        (i % 2 ? other : world.accounts).signIn.authenticate({
          login: 'anna@riverside.example',
          password: `${OTHER_PASSWORD}${i}`,
          source: SOURCE,
        }),
      ),
    );
    expect(answers.filter((answer) => inside(answer) === 'wrong-password')).toHaveLength(5);
    await world.accounts.alone.unlockAccount(pair[1], pair[0]);
  });

  test('a hash with old parameters is made anew at sign-in, and the password stays', async () => {
    const dearer: AccountSettings = { ...QUICK, argon2: { ...QUICK.argon2, memoryKib: 128 } };
    const later = world.again(dearer);
    const hash = async () => {
      const found = await world.store.get('password', user);
      return found && passwordOf(found).current;
    };
    expect(await hash()).toContain('$m=64,t=1,p=1$');
    const first = await later.signIn.authenticate({ login, password: GOOD_PASSWORD, source: SOURCE });
    expect(first.ok).toBe(true);
    expect(await hash()).toContain('$m=128,t=1,p=1$');
    expect(outside(await authenticate(login, GOOD_PASSWORD))).toBe('signed in');
  });

  test('a password older than the limit must be changed; one that an administrator marked, too', async () => {
    const limited = world.again({
      ...QUICK,
      passwords: { ...QUICK.passwords, maximumAgeMs: 90 * 24 * 60 * MINUTE },
    });
    const attempt = { login, password: GOOD_PASSWORD, source: SOURCE };
    expect(await limited.signIn.authenticate(attempt)).toMatchObject({ ok: true, change: undefined });
    clock.push(91 * 24 * 60 * MINUTE);
    expect(await limited.signIn.authenticate(attempt)).toMatchObject({ ok: true, change: 'expired' });
    expect(await authenticate(login, GOOD_PASSWORD)).toMatchObject({ ok: true, change: undefined });
    must(await world.accounts.alone.requirePasswordChange(pair[0], user));
    expect(await authenticate(login, GOOD_PASSWORD)).toMatchObject({ ok: true, change: 'temporary' });
  });

  test('past the bound of the queue it is busy, and nobody was counted as having failed', async () => {
    // One failure would lock: whoever was counted though nothing was checked could not try again.
    const small = world.again({
      ...QUICK,
      argon2: { ...QUICK.argon2, concurrency: 1, waiting: 1 },
      lockout: { ...QUICK.lockout, failures: 1 },
    });
    const attempt = (i: number) =>
      small.signIn.authenticate({ login: `queue-${i}`, password: OTHER_PASSWORD, source: '203.0.113.77' });
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => attempt(i)));
    const busy = answers.flatMap((answer, i) => (outside(answer) === 'busy' ? [i] : []));
    expect(busy.length).toBeGreaterThan(0);
    for (const i of busy) expect(inside(await attempt(i))).toBe('unknown');
  });
});

describe('what an observer could measure', () => {
  test('the decoy is nobody: it is in no list, and nobody signs in as it', async () => {
    const world = await openWorld();
    try {
      const pair = await clinic(world.accounts);
      const again = world.again();
      for (const login of [' decoy', 'decoy', '']) {
        const answer = await again.signIn.authenticate({ login, password: GOOD_PASSWORD, source: SOURCE });
        expect(outside(answer)).toBe('refused');
      }
      expect(await world.accounts.account('decoy')).toMatchObject({ status: 'disabled', organisation: '' });
      const { looking, alone, asking } = world.accounts;
      const listed = must(await looking.accounts(pair[0], 'riverside', { limit: 100 }));
      expect(listed.items).toHaveLength(2);
      for (const actor of [pair[0], HOST]) {
        expect(await alone.removeAccount(actor, 'decoy')).toMatchObject({ ok: false });
        expect(await asking.enableAccount(actor, 'decoy')).toMatchObject({ ok: false });
      }
    } finally {
      await world.close();
    }
  });

  test('every case asks the store the same things and computes one Argon2id', async () => {
    const world = await openWorld();
    try {
      const pair = await clinic(world.accounts);
      const disabled = await enrolled(world.accounts, pair, 'riverside', 'gone@riverside.example');
      must(await world.accounts.alone.disableAccount(pair[0], disabled));
      const asked = must(
        await world.accounts.asking.createAccount(pair[0], {
          organisation: 'riverside',
          login: 'not-enrolled',
          name: 'Not Enrolled',
          roles: ['user'],
        }),
      );
      must(await world.accounts.deciding.approve(pair[1], asked.request?.id ?? ''));
      const calls: string[] = [];
      const finds = new Map<string, number>();
      const watched = new Proxy(world.store, {
        get: (target, name: keyof typeof world.store) =>
          name === 'get' || name === 'find'
            ? async (kind: string, ...rest: [never, never, never]) => {
                const act = target[name] as (...all: unknown[]) => Promise<unknown>;
                const answer = await act.call(target, kind, ...rest);
                if (kind === 'attempts') return answer;
                calls.push(`${name} ${kind}`);
                const found = Array.isArray(answer) ? answer.length : Number(answer !== undefined);
                finds.set(kind, (finds.get(kind) ?? 0) + found);
                return answer;
              }
            : (target[name] as () => unknown).bind(target),
      });
      const { createAccounts } = await import('../../../identity/accounts/index.ts');
      const accounts = createAccounts({ store: watched, settings: QUICK });
      const path = async (login: string, password: string) => {
        calls.length = 0;
        finds.clear();
        const before = argon2Count;
        const answer = await accounts.signIn.authenticate({ login, password, source: SOURCE });
        expect(outside(answer)).toBe('refused');
        const found = [...finds].map(([kind, count]) => `found ${count} ${kind}`);
        return [...calls, ...found, `${argon2Count - before} Argon2id`];
      };
      const unknown = await path('nobody@riverside.example', OTHER_PASSWORD);
      expect(unknown).toEqual([
        ...['find account', 'find account', 'get password', 'get password'],
        ...['found 1 account', 'found 1 password', '1 Argon2id'],
      ]);
      expect(await path('anna@riverside.example', OTHER_PASSWORD)).toEqual(unknown);
      expect(await path('gone@riverside.example', OTHER_PASSWORD)).toEqual(unknown);
      expect(await path('not-enrolled', OTHER_PASSWORD)).toEqual(unknown);
      expect(await path('gone@riverside.example', GOOD_PASSWORD)).toEqual(unknown);
      expect(await path('no such form of login\u0000', OTHER_PASSWORD)).toEqual(unknown);
      expect(await path('anna@riverside.example', '')).toEqual(unknown);
      for (let i = 0; i < 6; i += 1) await path('boris@riverside.example', OTHER_PASSWORD);
      expect(await path('boris@riverside.example', GOOD_PASSWORD)).toEqual(unknown);
    } finally {
      await world.close();
    }
  });

  /** Node has no event for it; what it costs has: one asynchronous resource of that type for each computation. */
  let argon2Count = 0;
  let hook: { disable(): void };
  beforeAll(async () => {
    const { createHook } = await import('node:async_hooks');
    hook = createHook({
      init: (_id, type) => {
        if (/argon2/i.test(type)) argon2Count += 1;
      },
    }).enable();
    await new Promise<void>((resolve) =>
      crypto.argon2(
        'argon2id',
        { message: 'x', nonce: Buffer.alloc(16), parallelism: 1, tagLength: 32, memory: 64, passes: 1 },
        () => resolve(),
      ),
    );
    expect(argon2Count).toBe(1);
  });
  afterAll(() => hook.disable());
});

test('the default parameters are those of the documentation', () => {
  expect(ACCOUNT_DEFAULTS.argon2).toMatchObject({ memoryKib: 19_456, passes: 2, parallelism: 1 });
  expect(ACCOUNT_DEFAULTS.lockout).toEqual({ failures: 5, durationMs: 15 * MINUTE, sourceFailures: 5 });
});

test('changes are announced with ids only', async () => {
  const world = await openWorld();
  const seen: unknown[] = [];
  const note = (event: unknown) => seen.push(event);
  channel('chartgate:account').subscribe(note);
  try {
    await clinic(world.accounts);
    expect(seen).toHaveLength(3);
    expect(JSON.stringify(seen)).not.toMatch(/@|Anna|quartz/);
  } finally {
    channel('chartgate:account').unsubscribe(note);
    await world.close();
  }
});
