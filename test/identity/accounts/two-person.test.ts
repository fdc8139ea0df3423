import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HOST, type Outcome } from '../../../identity/accounts/index.ts';
import { clinic, enrolled, must, openWorld, pushedClock, QUICK, type World } from './support/world.ts';

const clock = pushedClock();
let world: World;
/** Ids of accounts, by the name of what they are. */
const who: Record<string, string> = { host: HOST, nobody: 'no-such-account' };

beforeAll(async () => {
  world = await openWorld(QUICK, clock);
  const { accounts } = world;
  [who.anna, who.boris] = [...(await clinic(accounts))];
  [who.clara, who.dirk] = [...(await clinic(accounts, 'lakeside'))];
  [who.hilda, who.hugo] = [...(await clinic(accounts, 'hillside'))];
  [who.selma, who.simon] = [...(await clinic(accounts, 'seaside'))];
  who.uma = await enrolled(accounts, [id('anna'), id('boris')], 'riverside', 'uma');
  who.carl = await enrolled(accounts, [id('anna'), id('boris')], 'riverside', 'carl', ['admin']);
  const staff = must(
    await accounts.asking.createAccount(HOST, {
      organisation: 'staff',
      login: 'sam',
      name: 'Sam Staff',
      roles: ['staff'],
    }),
  );
  who.sam = staff.account.id;
  const second = must(
    await accounts.asking.createAccount(who.sam, {
      organisation: 'staff',
      login: 'sue',
      name: 'Sue Staff',
      roles: ['staff'],
    }),
  );
  must(await accounts.deciding.approve(HOST, second.request?.id ?? ''));
  who.sue = second.account.id;
});
afterAll(() => world.close());

const id = (name: string): string => who[name] ?? name;
const reason = (outcome: Outcome<unknown>): string => (outcome.ok ? 'done' : outcome.reason);
let made = 0;
const fresh = (): string => {
  made += 1;
  return `made-${made}`;
};

const ask = (actor: string, organisation: string, roles: readonly string[], login = fresh()) =>
  world.accounts.asking.createAccount(id(actor), { organisation, login, name: 'Somebody', roles });

describe('asking for an account', () => {
  test.each([
    ['nobody', 'riverside', ['user'], 'not-permitted', 'no such account'],
    ['uma', 'riverside', ['user'], 'not-permitted', 'a user is no administrator'],
    ['clara', 'riverside', ['user'], 'not-permitted', 'administrator of another organisation'],
    ['sam', 'riverside', ['user'], 'not-permitted', 'Staff look after administrators, not users'],
    ['host', 'riverside', ['user'], 'not-permitted', 'neither does the host'],
    ['anna', 'staff', ['staff'], 'not-permitted', 'an administrator is no Staff'],
    ['anna', 'riverside', ['staff'], 'unknown-role', 'Staff belong to their own organisation'],
    ['sam', 'staff', ['user'], 'unknown-role', 'the Staff organisation has no users'],
    ['sam', 'staff', ['staff', 'admin'], 'unknown-role', 'nor Admins'],
    ['anna', 'riverside', ['surgeon'], 'unknown-role', 'a role that there is not'],
    ['anna', 'riverside', [], 'invalid', 'no role at all'],
    ['anna', 'riverside', ['user', 'user'], 'invalid', 'a role twice'],
    ['anna', 'nowhere', ['user'], 'not-permitted', 'an organisation that there is not'],
    ['anna', 'riverside', ['user'], 'done', 'an administrator of the organisation'],
    ['sam', 'riverside', ['admin'], 'done', 'Staff, for an administrator'],
  ])('%s for %s %j: %s (%s)', async (actor, organisation, roles, expected) => {
    expect(reason(await ask(actor, organisation, roles))).toBe(expected);
  });

  test('a login is taken once, also of one that only waits, in any spelling', async () => {
    must(await ask('anna', 'riverside', ['user'], 'Ｗanda'));
    expect(reason(await ask('anna', 'riverside', ['user'], 'wanda'))).toBe('login-taken');
    // Of another organisation's only the Staff are told; see same-invitation.test.ts.
    expect(reason(await ask('sam', 'lakeside', ['admin'], 'WANDA'))).toBe('login-taken');
  });
});

describe('approving what anna asked for', () => {
  test.each([
    ['anna', 'own-request', 'her own request'],
    ['uma', 'not-permitted', 'a user'],
    ['clara', 'not-permitted', 'an administrator of another organisation'],
    ['sam', 'not-permitted', "Staff, for a user's account"],
    ['host', 'not-permitted', "the host, for a user's account"],
    ['nobody', 'not-permitted', 'no such account'],
    ['boris', 'done', 'another administrator of the same organisation'],
  ])('%s: %s (%s)', async (actor, expected) => {
    const asked = must(await ask('anna', 'riverside', ['user']));
    const outcome = await world.accounts.deciding.approve(id(actor), asked.request?.id ?? '');
    expect(reason(outcome)).toBe(expected);
    const account = await world.accounts.account(asked.account.id);
    expect(account?.status).toBe(expected === 'done' ? 'active' : 'pending');
  });

  test('an administrator whom nobody has approved yet approves nothing, himself least of all', async () => {
    const asked = must(await ask('anna', 'riverside', ['admin']));
    const other = must(await ask('anna', 'riverside', ['user']));
    const { approve } = world.accounts.deciding;
    const by = (request: string) => approve.call(world.accounts.deciding, asked.account.id, request);
    expect(reason(await by(asked.request?.id ?? ''))).toBe('not-permitted');
    expect(reason(await by(other.request?.id ?? ''))).toBe('not-permitted');
  });

  test('an administrator cannot approve what concerns himself', async () => {
    const asked = must(
      await world.accounts.asking.changeAccount(id('anna'), id('carl'), { roles: ['admin', 'user'] }),
    );
    const outcome = await world.accounts.deciding.approve(id('carl'), asked.request.id);
    expect(reason(outcome)).toBe('own-account');
    must(await world.accounts.deciding.reject(id('boris'), asked.request.id));
  });

  test('nobody changes, enables, resets, disables or removes himself', async () => {
    const { asking, alone } = world.accounts;
    const self = id('carl');
    expect(reason(await asking.changeAccount(self, self, { roles: ['admin'] }))).toBe('own-account');
    expect(reason(await asking.enableAccount(self, self))).toBe('own-account');
    expect(reason(await asking.resetPassword(self, self))).toBe('own-account');
    expect(reason(await alone.disableAccount(self, self))).toBe('own-account');
    expect(reason(await alone.removeAccount(self, self))).toBe('own-account');
  });

  test('not twice, not after it was refused, not after it was taken back', async () => {
    const { deciding } = world.accounts;
    const one = must(await ask('anna', 'riverside', ['user']));
    must(await deciding.approve(id('boris'), one.request?.id ?? ''));
    expect(reason(await deciding.approve(id('boris'), one.request?.id ?? ''))).toBe('request-closed');
    for (const [actor, state] of [
      ['boris', 'rejected'],
      ['anna', 'withdrawn'],
    ] as const) {
      const asked = must(await ask('anna', 'riverside', ['user'], 'tried-again'));
      const ended = must(await deciding.reject(id(actor), asked.request?.id ?? ''));
      expect(ended.request.state).toBe(state);
      expect(reason(await deciding.approve(id('boris'), asked.request?.id ?? ''))).toBe('request-closed');
      expect(await world.accounts.account(asked.account.id)).toBeUndefined();
    }
  });

  test('not after a week: the request, the account and the claim to the login are gone', async () => {
    const asked = must(await ask('anna', 'riverside', ['user'], 'too-late'));
    clock.push(QUICK.requestLifetimeMs + 1000);
    const outcome = await world.accounts.deciding.approve(id('boris'), asked.request?.id ?? '');
    expect(['request-expired', 'not-permitted']).toContain(reason(outcome));
    expect(await world.accounts.account(asked.account.id)).toBeUndefined();
    expect(reason(await ask('boris', 'riverside', ['user'], 'too-late'))).toBe('done');
  });

  test('not when whoever asked is no administrator any more: there would be one person behind it', async () => {
    const { accounts } = world;
    const pair = [id('anna'), id('boris')] as const;
    const gone = await enrolled(accounts, pair, 'riverside', 'gone', ['admin']);
    who.gone = gone;
    const asked = must(await ask('gone', 'riverside', ['user']));
    must(await accounts.alone.disableAccount(id('anna'), gone));
    const outcome = await accounts.deciding.approve(id('boris'), asked.request?.id ?? '');
    expect(reason(outcome)).toBe('requester-gone');
  });

  test('not a change of what has changed since it was looked at', async () => {
    const { asking, deciding } = world.accounts;
    const first = must(
      await asking.changeAccount(id('anna'), id('uma'), { roles: ['user'], patients: ['p1'] }),
    );
    const second = must(
      await asking.changeAccount(id('anna'), id('uma'), { roles: ['user'], patients: ['p2'] }),
    );
    must(await deciding.approve(id('boris'), first.request.id));
    expect(reason(await deciding.approve(id('boris'), second.request.id))).toBe('changed-meanwhile');
    expect((await world.accounts.account(id('uma')))?.patients).toEqual(['p1']);
  });

  test('of twenty approvals and refusals at once exactly one decides', async () => {
    const asked = must(await ask('anna', 'riverside', ['user']));
    const other = world.again();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const { deciding } = i % 2 ? other : world.accounts;
        return i % 4 < 2
          ? deciding.approve(id('boris'), asked.request?.id ?? '')
          : deciding.reject(id('carl'), asked.request?.id ?? '');
      }),
    );
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
  });
});

test.each(['', ' ', 'ü', '../x', 'a'.repeat(300), '\u0000', "x' OR '1'='1"])(
  'what is no name and no id, such as %j, is what there is not',
  async (odd) => {
    const { asking, deciding, alone, looking } = world.accounts;
    for (const actor of [id('anna'), HOST, odd]) {
      const outcomes = await Promise.all([
        asking.createAccount(actor, { organisation: odd, login: fresh(), name: 'X', roles: ['user'] }),
        asking.changeAccount(actor, odd, { roles: ['user'] }),
        asking.setRole(actor, { organisation: odd, name: 'nurse', scopes: [] }),
        deciding.approve(actor, odd),
        deciding.reject(actor, odd),
        alone.disableAccount(actor, odd),
        alone.removeRole(actor, odd, odd),
        looking.account(actor, odd),
        looking.accountByLogin(actor, odd),
        looking.request(actor, odd),
      ]);
      expect(outcomes.map(({ ok }) => ok)).not.toContain(true);
      const page = { limit: 10 };
      const lists: Outcome<{ items: readonly unknown[] }>[] = await Promise.all([
        looking.accounts(actor, odd, page),
        looking.requests(actor, odd, page),
        looking.roles(actor, odd, page),
        looking.events(actor, odd, page),
      ]);
      for (const listed of lists) if (listed.ok) expect(listed.value.items).toEqual([]);
    }
  },
);

describe('administrators', () => {
  test('the last two can be neither disabled nor removed nor made users, at the same time either', async () => {
    const { accounts } = world;
    const [one, two] = [id('hilda'), id('hugo')] as const;
    expect(reason(await accounts.alone.disableAccount(one, two))).toBe('last-administrators');
    expect(reason(await accounts.alone.removeAccount(one, two))).toBe('last-administrators');
    expect(reason(await accounts.asking.changeAccount(one, two, { roles: ['user'] }))).toBe(
      'last-administrators',
    );
    const third = await enrolled(accounts, [one, two], 'hillside', 'third', ['admin']);
    const fourth = await enrolled(accounts, [one, two], 'hillside', 'fourth', ['admin']);
    const other = world.again();
    const outcomes = await Promise.all([
      accounts.alone.disableAccount(one, two),
      other.alone.disableAccount(two, one),
      accounts.alone.removeAccount(third, fourth),
      other.alone.disableAccount(fourth, third),
    ]);
    const all = await Promise.all([one, two, third, fourth].map((each) => accounts.account(each)));
    expect(all.filter((each) => each?.status === 'active')).toHaveLength(2);
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(2);
  });

  test('one who never set a password does not count as one who stays', async () => {
    const { accounts } = world;
    const [one, two] = [id('selma'), id('simon')] as const;
    const asked = must(
      await accounts.asking.createAccount(one, {
        organisation: 'seaside',
        login: 'never',
        name: 'Never',
        roles: ['admin'],
      }),
    );
    must(await accounts.deciding.approve(two, asked.request?.id ?? ''));
    expect(reason(await accounts.alone.disableAccount(one, two))).toBe('last-administrators');
    expect(reason(await accounts.alone.disableAccount(one, asked.account.id))).toBe('done');
  });

  test('of two, one lost: the other and the Staff are two people, and so are two Staff', async () => {
    const { accounts } = world;
    const asked = must(await accounts.asking.resetPassword(id('clara'), id('dirk')));
    expect(reason(await accounts.deciding.approve(id('dirk'), asked.request?.id ?? ''))).toBe('own-account');
    expect(reason(await accounts.deciding.approve(id('sam'), asked.request?.id ?? ''))).toBe('done');
    const both = must(await accounts.asking.resetPassword(id('sam'), id('clara')));
    expect(reason(await accounts.deciding.approve(id('sam'), both.request?.id ?? ''))).toBe('own-request');
    expect(reason(await accounts.deciding.approve(id('sue'), both.request?.id ?? ''))).toBe('done');
  });

  test('somebody disabled comes back only with two, and neither alone can', async () => {
    const { accounts } = world;
    must(await accounts.alone.disableAccount(id('anna'), id('uma')));
    const asked = must(await accounts.asking.enableAccount(id('anna'), id('uma')));
    expect(reason(await accounts.deciding.approve(id('anna'), asked.request.id))).toBe('own-request');
    expect(reason(await accounts.deciding.approve(id('boris'), asked.request.id))).toBe('done');
    expect(await accounts.account(id('uma'))).toMatchObject({
      status: 'active',
      provenance: { by: 'two', requestedBy: id('anna'), approvedBy: id('boris') },
    });
  });
});

describe('organisations', () => {
  const people = [
    { login: 'first-of-new', name: 'First' },
    { login: 'second-of-new', name: 'Second' },
  ];
  const create = (actor: string, name: string, administrators = people) =>
    world.accounts.asking.createOrganisation(id(actor), { name, administrators });

  test.each([
    ['anna', 'newside', people, 'not-permitted'],
    ['uma', 'newside', people, 'not-permitted'],
    ['sam', 'newside', people.slice(0, 1), 'invalid'],
    ['sam', 'newside', [people[0], people[0]], 'login-taken'],
    ['sam', 'New Side', people, 'invalid'],
    ['sam', 'staff', people, 'invalid'],
    ['sam', 'riverside', people, 'name-taken'],
  ])('%s cannot make %s with %j: %s', async (actor, name, administrators, expected) => {
    expect(reason(await create(actor, name, administrators as typeof people))).toBe(expected);
  });

  test('take two of the Staff once there are any, the host being one', async () => {
    const asked = must(await create('host', 'newside'));
    expect(asked.accounts.map(({ status }) => status)).toEqual(['pending', 'pending']);
    const request = asked.request?.id ?? '';
    expect(reason(await world.accounts.deciding.approve(HOST, request))).toBe('own-request');
    expect(reason(await world.accounts.deciding.approve(id('anna'), request))).toBe('not-permitted');
    const decided = must(await world.accounts.deciding.approve(id('sam'), request));
    expect(decided.codes.map(({ part }) => part)).toEqual(['second half', 'second half']);
    const [one] = asked.accounts;
    expect((await world.accounts.account(one?.id ?? ''))?.status).toBe('active');
  });

  test('that were refused leave nothing, and their name is free', async () => {
    const other = [
      { login: 'x1', name: 'X' },
      { login: 'x2', name: 'Y' },
    ];
    const asked = must(await create('sam', 'refused', other));
    must(await world.accounts.deciding.reject(id('sue'), asked.request?.id ?? ''));
    expect(reason(await create('sue', 'refused', other))).toBe('done');
  });
});

describe('roles', () => {
  test('take two people, carry scopes into tokens, and take them away at once', async () => {
    const { accounts } = world;
    const set = (scopes: readonly string[]) =>
      accounts.asking.setRole(id('anna'), { organisation: 'riverside', name: 'nurse', scopes });
    expect(reason(await set(['admin/accounts.write']))).toBe('invalid');
    expect(reason(await set(['two words']))).toBe('invalid');
    const asked = must(await set(['user/Observation.rs', 'user/Patient.rs']));
    expect(reason(await ask('anna', 'riverside', ['nurse']))).toBe('unknown-role');
    expect(reason(await accounts.deciding.approve(id('sam'), asked.request.id))).toBe('not-permitted');
    must(await accounts.deciding.approve(id('boris'), asked.request.id));
    const nurse = await enrolled(accounts, [id('anna'), id('boris')], 'riverside', 'nora', ['nurse']);
    const scopes = async () => {
      const account = await accounts.account(nurse);
      return account ? [...(await accounts.scopesOf(account))].sort() : [];
    };
    expect(await scopes()).toEqual(['user/Observation.rs', 'user/Patient.rs']);
    expect(reason(await accounts.alone.removeRole(id('clara'), 'riverside', 'nurse'))).toBe('not-permitted');
    must(await accounts.alone.removeRole(id('boris'), 'riverside', 'nurse'));
    expect(await scopes()).toEqual([]);
  });

  test('built-in ones: users have no scope of the administration, administrators none of organisations', async () => {
    const scopes = async (name: string) => {
      const account = await world.accounts.account(id(name));
      return account ? await world.accounts.scopesOf(account) : new Set();
    };
    expect([...(await scopes('uma'))]).toEqual([]);
    expect((await scopes('anna')).has('admin/accounts.write')).toBe(true);
    expect((await scopes('anna')).has('admin/organisations.write')).toBe(false);
    expect((await scopes('sam')).has('admin/organisations.write')).toBe(true);
  });
});

test('what happened is written down with who did it and when, and without codes', async () => {
  const events = must(await world.accounts.looking.events(id('anna'), 'riverside', { limit: 500 }));
  expect(events.items.length).toBeGreaterThan(30);
  expect(events.items.map(({ at }) => at)).toEqual(
    events.items.map(({ at }) => at).toSorted((a, b) => a - b),
  );
  expect(new Set(events.items.map(({ organisation }) => organisation))).toEqual(new Set(['riverside']));
  expect(events.items.every(({ actor, subject }) => actor !== '' && subject !== '')).toBe(true);
  expect(
    must(await world.accounts.looking.accounts(id('anna'), 'riverside', { limit: 3 })).next,
  ).toBeDefined();
  expect(reason(await world.accounts.looking.events(id('clara'), 'riverside', { limit: 5 }))).toBe(
    'not-permitted',
  );
});
