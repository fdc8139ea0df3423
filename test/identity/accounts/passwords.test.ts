import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PASSWORD_DEFAULTS, PASSWORD_EXPIRY_MS } from '../../../contracts/account-settings.ts';
import {
  dummyPhc,
  hashPassword,
  outdated,
  parsePhc,
  verifyPassword,
} from '../../../identity/accounts/argon2.ts';
import { newHalf, parseCode } from '../../../identity/accounts/codes.ts';
import { parseLogin } from '../../../identity/accounts/names.ts';
import { judgePassword } from '../../../identity/accounts/password-policy.ts';
import { LONGEST_PASSWORD, parsePassword, passwordBytes } from '../../../identity/accounts/password-text.ts';
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

const CHEAP = { memoryKib: 64, passes: 1, parallelism: 1 };
const NAMES = { names: ['uma.underwood@riverside.example', 'Uma Underwood', 'riverside'] };

describe('Argon2id', () => {
  test('a hash is one of its password and of no other', async () => {
    const phc = await hashPassword(Buffer.from('right'), CHEAP);
    expect(phc).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await verifyPassword(Buffer.from('right'), phc)).toBe(true);
    expect(await verifyPassword(Buffer.from('wrong'), phc)).toBe(false);
    expect(await hashPassword(Buffer.from('right'), CHEAP)).not.toBe(phc);
  });

  test.each([
    ['another variant', '$argon2i$v=19$m=64,t=1,p=1$'],
    ['an older version', '$argon2id$v=16$m=64,t=1,p=1$'],
    ['gigabytes of memory', '$argon2id$v=19$m=9999999,t=1,p=1$'],
    ['passes for minutes', '$argon2id$v=19$m=64,t=99,p=1$'],
    ['no memory for its lanes', '$argon2id$v=19$m=8,t=1,p=2$'],
    ['parameters in another order', '$argon2id$v=19$t=1,m=64,p=1$'],
    ['a leading zero', '$argon2id$v=19$m=064,t=1,p=1$'],
  ])('a hash with %s is of no password', async (_why, head) => {
    const tail = `${'A'.repeat(22)}$${'A'.repeat(43)}`;
    expect(parsePhc(`$argon2id$v=19$m=64,t=1,p=1$${tail}`)).toBeDefined();
    expect(parsePhc(head + tail)).toBeUndefined();
    expect(await verifyPassword(Buffer.from('x'), head + tail)).toBe(false);
  });

  test('any text is a hash in our form or none, and nothing is thrown', () => {
    const near = fc.stringMatching(
      /^\$argon2id\$v=19\$m=\d{1,7},t=\d{1,2},p=\d{1,2}\$[\w+/=]{20,24}\$[\w+/=]{41,45}$/,
    );
    fc.assert(fc.property(fc.oneof(fc.string(), near), (text) => void parsePhc(text)));
  });

  test('the hash for nobody has the parameters of today', () => {
    expect(outdated(dummyPhc(CHEAP), { ...QUICK.argon2, ...CHEAP })).toBe(false);
    expect(outdated(dummyPhc(CHEAP), { ...QUICK.argon2, passes: 2 })).toBe(true);
  });
});

describe('passwords as text', () => {
  test('one password has one spelling', () => {
    expect(parsePassword('cafe\u0301\u00a0noir')?.text).toBe('café noir');
    expect(parsePassword('  spaces count ')?.text).toBe('  spaces count ');
    expect(parsePassword('👩‍⚕️'.repeat(3))?.length).toBe(12);
  });

  test('64 and more characters are taken, of any script', () => {
    expect(parsePassword('ж'.repeat(LONGEST_PASSWORD))?.length).toBe(LONGEST_PASSWORD);
    expect(parsePassword('ж'.repeat(LONGEST_PASSWORD + 1))).toBeUndefined();
  });

  test('parsing again changes nothing, and what is parsed can be hashed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (typed) => {
        const once = parsePassword(typed);
        if (once === undefined) return;
        expect(parsePassword(once.text)?.text).toBe(once.text);
        expect(passwordBytes(once).toString('utf8')).toBe(once.text);
      }),
    );
  });

  test('a login is the same however often it is parsed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (typed) => {
        const once = parseLogin(typed);
        if (once !== undefined) expect(parseLogin(once)).toBe(once);
      }),
    );
  });
});

describe('the policy for new passwords', () => {
  const modern = PASSWORD_DEFAULTS.length;
  const four = PASSWORD_DEFAULTS['eight-with-four-classes'];

  test.each([
    ['eleven characters', 'kettle fry9', ['too-short']],
    ['nothing', '', ['too-short']],
    ['one character many times', 'a'.repeat(40), ['too-guessable']],
    ['a run of the keyboard', 'qwertyuiopasdf', ['too-guessable']],
    ['a common one', 'unbelievable', ['common']],
    ['a common one with signs around', '!!unbelievable99', ['common']],
    ['the login', 'uma.underwood-42x', ['contains-name']],
    ['a part of the name, in another case', 'my UNDERWOOD piano tile', ['contains-name']],
    ['the organisation', 'riverside ferry quartz', ['contains-name']],
    ['a control character', 'kettle\u0007 quartz ferry', ['malformed']],
    ['more than anybody types', 'x'.repeat(5000), ['malformed']],
  ])('%s is refused, with the reason', async (_why, typed, faults) => {
    const judged = await judgePassword(typed, modern, NAMES);
    expect(judged.ok).toBe(false);
    if (!judged.ok) expect(judged.faults).toEqual(expect.arrayContaining(faults));
  });

  test.each([
    ['words without signs or digits', 'quartz ferry umbrella'],
    ['another script', 'зонтик кварц паром семь'],
    ['what a password manager makes', 'k9#Vt2!qLw8$Zp'],
    ['200 characters', 'quartz ferry umbrella '.repeat(9)],
  ])('%s is taken: there are no rules of composition', async (_why, typed) => {
    expect(await judgePassword(typed, modern, NAMES)).toMatchObject({ ok: true });
  });

  test('the preset for sites that must asks for four classes, and takes eight characters', async () => {
    expect(await judgePassword('kT9#wq2!', four, NAMES)).toMatchObject({ ok: true });
    for (const without of ['kt9#wq2!', 'KT9#WQ2!', 'kTx#wqy!', 'kT9xwq2y']) {
      expect(await judgePassword(without, four, NAMES)).toMatchObject({ faults: ['needs-four-classes'] });
    }
    expect(await judgePassword('kT9#wq!', four, NAMES)).toMatchObject({ faults: ['too-short'] });
  });

  test('expiry, where it is asked for, is 90 days', () => {
    expect(PASSWORD_EXPIRY_MS).toBe(90 * 24 * 3_600_000);
    expect(modern.maximumAgeMs).toBeUndefined();
  });
});

describe('setting a password', () => {
  const clock = pushedClock();
  let world: World;
  let pair: readonly [string, string];
  beforeAll(async () => {
    world = await openWorld(QUICK, clock);
    pair = await clinic(world.accounts);
  });
  afterAll(() => world.close());

  const change = (account: string, present: string, next: string) =>
    world.accounts.passwords.change({ account, present, next, source: SOURCE });
  const signs = async (login: string, password: string) =>
    (await world.accounts.signIn.authenticate({ login, password, source: SOURCE })).ok;

  test('needs the present one; wrong ones are counted as at sign-in', async () => {
    const user = await enrolled(world.accounts, pair, 'riverside', 'present@riverside.example');
    for (let i = 0; i < 5; i += 1) {
      expect(await change(user, 'not the present one', OTHER_PASSWORD)).toMatchObject({ reason: 'refused' });
    }
    expect(await change(user, GOOD_PASSWORD, OTHER_PASSWORD)).toMatchObject({ reason: 'refused' });
    expect(await signs('present@riverside.example', GOOD_PASSWORD)).toBe(false);
    must(await world.accounts.alone.unlockAccount(pair[0], user));
    expect(await change(user, GOOD_PASSWORD, 'short')).toMatchObject({ reason: 'unacceptable' });
    expect(await change(user, GOOD_PASSWORD, OTHER_PASSWORD)).toMatchObject({ ok: true });
    expect(await signs('present@riverside.example', OTHER_PASSWORD)).toBe(true);
    expect(await signs('present@riverside.example', GOOD_PASSWORD)).toBe(false);
  });

  test('the last five are refused, the sixth is not', async () => {
    const user = await enrolled(world.accounts, pair, 'riverside', 'former@riverside.example');
    const passwords = ['one', 'two', 'three', 'four', 'five', 'six'].map((n) => `mosaic harbour violet ${n}`);
    let present = GOOD_PASSWORD;
    for (const next of passwords.slice(0, 4)) {
      expect(await change(user, present, next)).toMatchObject({ ok: true });
      present = next;
    }
    for (const used of [GOOD_PASSWORD, ...passwords.slice(0, 4)]) {
      expect(await change(user, present, used)).toMatchObject({ faults: ['used-before'] });
    }
    expect(await change(user, present, passwords[4] ?? '')).toMatchObject({ ok: true });
    expect(await change(user, passwords[4] ?? '', GOOD_PASSWORD)).toMatchObject({ ok: true });
  });

  test('a reset ends the old password at once, remembers it, and its code works once', async () => {
    const login = 'reset@riverside.example';
    const user = await enrolled(world.accounts, pair, 'riverside', login);
    const asked = must(await world.accounts.asking.resetPassword(pair[0], user));
    expect(await signs(login, GOOD_PASSWORD)).toBe(true);
    const decided = must(await world.accounts.deciding.approve(pair[1], asked.request?.id ?? ''));
    expect(await signs(login, GOOD_PASSWORD)).toBe(false);
    const code = `${asked.codes[0]?.text}-${decided.codes[0]?.text}`.toLowerCase().replaceAll('-', ' ');
    const redeem = (next: string) => world.accounts.passwords.redeem({ code, next, source: SOURCE });
    expect(await redeem(GOOD_PASSWORD)).toMatchObject({ reason: 'unacceptable', faults: ['used-before'] });
    const both = await Promise.all([redeem(OTHER_PASSWORD), redeem('mosaic harbour violet 77')]);
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await redeem('mosaic harbour violet 78')).toMatchObject({ reason: 'refused' });
  });

  test('half of a code is no code, and neither is one that was approved too long ago', async () => {
    const asked = must(
      await world.accounts.asking.createAccount(pair[0], {
        organisation: 'riverside',
        login: 'late@riverside.example',
        name: 'Late',
        roles: ['user'],
      }),
    );
    const first = asked.codes[0]?.text ?? '';
    const redeem = (code: string) =>
      world.accounts.passwords.redeem({ code, next: GOOD_PASSWORD, source: SOURCE });
    expect(await redeem(first)).toMatchObject({ reason: 'refused' });
    expect(await redeem(`${first}-${first}`)).toMatchObject({ reason: 'refused' });
    const decided = must(await world.accounts.deciding.approve(pair[1], asked.request?.id ?? ''));
    const second = decided.codes[0]?.text ?? '';
    expect(await redeem(`${second}-${first}`)).toMatchObject({ reason: 'refused' });
    expect(await redeem(`${first}-${newHalf()}`)).toMatchObject({ reason: 'refused' });
    clock.push(QUICK.codeLifetimeMs + 1000);
    expect(await redeem(`${first}-${second}`)).toMatchObject({ reason: 'refused' });
  });

  test('a dump holds no password, no code and no half of one', async () => {
    const asked = must(
      await world.accounts.asking.createAccount(pair[0], {
        organisation: 'riverside',
        login: 'dump@riverside.example',
        name: 'Dump',
        roles: ['user'],
      }),
    );
    const decided = must(await world.accounts.deciding.approve(pair[1], asked.request?.id ?? ''));
    const kinds = ['account', 'password', 'approval', 'account-code', 'account-event', 'attempts'] as const;
    const dump = JSON.stringify(
      await Promise.all(kinds.map((kind) => world.store.list(kind, { limit: 1000 }))),
    );
    for (const { text } of [...asked.codes, ...decided.codes]) {
      expect(dump).not.toContain(text);
      expect(dump).not.toContain(text.replaceAll('-', ''));
    }
    expect(dump).not.toContain(GOOD_PASSWORD);
    expect(dump).toContain('$argon2id$');
  });

  test('a code is read however people write it down', () => {
    const [first, second] = [newHalf(), newHalf()];
    const bare = { first: first.replaceAll('-', ''), second: second.replaceAll('-', '') };
    for (const typed of [
      `${first}-${second}`,
      `${first} ${second}`.toLowerCase(),
      bare.first + bare.second,
    ]) {
      expect(parseCode(typed)).toEqual(bare);
    }
    expect(parseCode('0'.repeat(32).replace(/0/g, 'o'))).toEqual(parseCode('0'.repeat(32)));
    expect(parseCode(`${bare.first}${bare.second}A`)).toBeUndefined();
    expect(parseCode('')).toBeUndefined();
  });
});
