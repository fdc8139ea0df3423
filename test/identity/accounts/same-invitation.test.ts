import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Outcome } from '../../../identity/accounts/index.ts';
import { type Deed, watch } from '../issuer/support/watched.ts';
import {
  clinic,
  enrolled,
  GOOD_PASSWORD,
  must,
  OTHER_PASSWORD,
  openWorld,
  SOURCE,
  type World,
} from './support/world.ts';

/** Whether somebody has an account at another organisation is nothing that an invitation may tell. */
let world: World;
let riverside: readonly [string, string];
let lakeside: readonly [string, string];
const KNOWN = 'uma@people.example';
const UNKNOWN = 'nobo@people.example';

beforeAll(async () => {
  world = await openWorld();
  riverside = await clinic(world.accounts, 'riverside');
  lakeside = await clinic(world.accounts, 'lakeside');
  await enrolled(world.accounts, riverside, 'riverside', KNOWN);
});
afterAll(() => world?.close());

const reason = (outcome: Outcome<unknown>): string => (outcome.ok ? 'done' : outcome.reason);

/** Ids, halves of codes and times are random or of the moment. */
const plain = (value: unknown, login: string): string =>
  JSON.stringify(value, (key, each: unknown) =>
    [
      'id',
      'version',
      'subject',
      'account',
      'text',
      'requestedAt',
      'expiresAt',
      'createdAt',
      'hash',
      'decidedAt',
      'request',
    ].includes(key) && typeof each !== 'object'
      ? `<${typeof each === 'string' ? each.length : typeof each}>`
      : each,
  ).replaceAll(login, 'LOGIN');

async function watched<T>(
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly deeds: readonly string[] }> {
  const watching = watch(world.store);
  const value = await work();
  watching.stop();
  return { value, deeds: watching.deeds.map(({ do: what, kind }: Deed) => `${what} ${kind}`) };
}

const invite = (login: string) =>
  world.accounts.asking.createAccount(lakeside[0], {
    organisation: 'lakeside',
    login,
    name: 'Uma User',
    roles: ['user'],
  });

describe('whether a login has an account at another organisation', () => {
  test('is told neither by an invitation, nor by its approval, nor by any look at it', async () => {
    const seen: string[][] = [];
    for (const login of [KNOWN, UNKNOWN]) {
      const asked = await watched(() => invite(login));
      const { account, request } = must(asked.value);
      const decided = await watched(() => world.accounts.deciding.approve(lakeside[1], request?.id ?? ''));
      const looked = [
        must(await world.accounts.looking.account(lakeside[0], account.id)),
        must(await world.accounts.looking.accountByLogin(lakeside[0], login.toUpperCase())),
        must(await world.accounts.alone.unlockAccount(lakeside[0], account.id)),
        must(await world.accounts.looking.account(lakeside[0], account.id)),
      ];
      seen.push([
        plain(asked.value, login),
        asked.deeds.join(),
        plain(decided.value, login),
        decided.deeds.join(),
        ...looked.map((each) => plain(each, login)),
      ]);
    }
    expect(seen[0]).toEqual(seen[1]);
  });

  test('is not told by a second invitation: each says that this organisation has asked before', async () => {
    for (const login of [KNOWN, UNKNOWN]) expect(reason(await invite(login))).toBe('login-taken');
  });

  test('is told to the Staff, who look after all organisations', async () => {
    const asked = await world.accounts.asking.createOrganisation('host', {
      name: 'hillside',
      administrators: [
        { login: KNOWN, name: 'Uma' },
        { login: 'other@people.example', name: 'Other' },
      ],
    });
    expect(reason(asked)).toBe('login-taken');
  });

  test('changes nothing for whoever has it: the other invitation opens no account, and ends no password', async () => {
    const login = 'vera@people.example';
    await enrolled(world.accounts, riverside, 'riverside', login);
    const asked = must(await invite(login));
    const decided = must(await world.accounts.deciding.approve(lakeside[1], asked.request?.id ?? ''));
    const code = `${asked.codes[0]?.text}-${decided.codes[0]?.text}`;
    const set = await world.accounts.passwords.redeem({ code, next: OTHER_PASSWORD, source: SOURCE });
    expect(set).toEqual({ ok: false, reason: 'refused', faults: [] });
    const attempt = (password: string) =>
      world.accounts.signIn.authenticate({ login, password, source: SOURCE });
    expect((await attempt(OTHER_PASSWORD)).ok).toBe(false);
    expect(await attempt(GOOD_PASSWORD)).toMatchObject({ ok: true, account: { organisation: 'riverside' } });
  });

  test('gives nobody power over its lock: guesses at it are not begun anew by another organisation', async () => {
    const login = 'xena@people.example';
    await enrolled(world.accounts, riverside, 'riverside', login);
    const { account } = must(await invite(login));
    const attempt = (password: string) =>
      world.accounts.signIn.authenticate({ login, password, source: SOURCE });
    for (let guess = 0; guess < 5; guess += 1) await attempt(OTHER_PASSWORD);
    must(await world.accounts.alone.unlockAccount(lakeside[0], account.id));
    expect((await attempt(GOOD_PASSWORD)).ok).toBe(false);
  });

  test('does not reach the other account by what is done with the invited one', async () => {
    const login = 'yara@people.example';
    const theirs = await enrolled(world.accounts, riverside, 'riverside', login);
    const asked = must(await invite(login));
    must(await world.accounts.deciding.approve(lakeside[1], asked.request?.id ?? ''));
    must(await world.accounts.alone.disableAccount(lakeside[0], asked.account.id));
    expect(reason(await world.accounts.alone.disableAccount(lakeside[0], theirs))).toBe('not-permitted');
    must(await world.accounts.alone.removeAccount(lakeside[0], asked.account.id));
    const still = await world.accounts.signIn.authenticate({
      login,
      password: GOOD_PASSWORD,
      source: SOURCE,
    });
    expect(still.ok).toBe(true);
  });
});

describe('a code for a first or a new password', () => {
  test('is refused in the same way, after the same look-ups, whatever is not right about it', async () => {
    const asked = must(await invite('zoe@people.example'));
    const decided = must(await world.accounts.deciding.approve(lakeside[1], asked.request?.id ?? ''));
    const [first = '', second = ''] = [asked.codes[0]?.text, decided.codes[0]?.text];
    const other = [...second].reverse().join('');
    const tried = async (code: string) =>
      watched(() => world.accounts.passwords.redeem({ code, next: OTHER_PASSWORD, source: SOURCE }));
    // Whatever is made once only.
    await tried(`${other}-${second}`);
    const [unknown, wrong, halves] = [
      await tried(`${second}-${other}`),
      await tried(`${first}-${other}`),
      await tried(`${[...first].reverse().join('')}-${second}`),
    ];
    expect(unknown.value).toEqual({ ok: false, reason: 'refused', faults: [] });
    for (const each of [wrong, halves]) {
      expect(each.value).toEqual(unknown.value);
      expect([...each.deeds].sort()).toEqual([...unknown.deeds].sort());
    }
    expect((await tried(`${first}-${second}`)).value.ok).toBe(true);
  });
});
