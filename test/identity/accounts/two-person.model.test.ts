import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Account, type Accounts, HOST } from '../../../identity/accounts/index.ts';
import { accountOf } from '../../../identity/accounts/model.ts';
import { must, openWorld, type World } from './support/world.ts';

/**
 * Random people try random things, in any order. Beside the product, this keeps its own books of who asked for
 * what and who approved it, and after every step compares them with what is in the store.
 */

const ORGANISATIONS = ['staff', 'riverside', 'lakeside'] as const;
const ROLES = [['user'], ['admin'], ['staff'], ['user', 'admin']] as const;

type Step =
  | { readonly do: 'create'; readonly actor: number; readonly organisation: number; readonly roles: number }
  | { readonly do: 'change'; readonly actor: number; readonly on: number; readonly roles: number }
  | { readonly do: 'enable' | 'disable' | 'remove' | 'reset'; readonly actor: number; readonly on: number }
  | { readonly do: 'approve' | 'reject'; readonly actor: number; readonly request: number }
  | { readonly do: 'found'; readonly actor: number };

const some = fc.nat({ max: 40 });
/** Mostly one of those who can do something, and what was asked for last: otherwise nearly all is refused. */
const likely = fc.oneof({ weight: 3, arbitrary: fc.nat({ max: 4 }) }, { weight: 1, arbitrary: some });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('create' as const),
      actor: likely,
      organisation: some,
      roles: some,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('change' as const), actor: likely, on: some, roles: some }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('enable', 'disable', 'disable', 'remove', 'reset'),
      actor: likely,
      on: some,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('approve', 'approve', 'approve', 'reject'),
      actor: likely,
      request: likely,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('found' as const), actor: likely }) },
);

interface Asked {
  readonly by: string;
  readonly kind: string;
  readonly accounts: readonly string[];
  readonly roles: readonly string[] | undefined;
}

class Books {
  readonly world: World;
  readonly accounts: Accounts;
  readonly people: string[] = [HOST];
  readonly requests: string[] = [];
  readonly asked = new Map<string, Asked>();
  /** Of each account: who stood behind its being active, and behind its roles. */
  readonly behind = new Map<string, ReadonlySet<string>>();
  readonly roles = new Map<string, readonly string[]>();
  before: readonly Account[] = [];
  logins = 0;

  constructor(world: World) {
    this.world = world;
    this.accounts = world.accounts;
  }

  pick<T>(from: readonly T[], at: number): T {
    return from[at % from.length] as T;
  }

  person(): { login: string; name: string } {
    this.logins += 1;
    return { login: `login-${this.logins}`, name: 'Somebody' };
  }

  /** Whether this account is, by the books' last look at the store, an active administrator of that kind. */
  administrator(id: string, organisation: string): boolean {
    if (id === HOST) return true;
    const found = this.before.find((each) => each.id === id);
    if (found?.status !== 'active') return false;
    if (found.organisation === 'staff') return found.roles.includes('staff');
    return found.organisation === organisation && found.roles.includes('admin');
  }

  /** Every other time somebody who can: random people alone are refused nearly always. */
  able(at: number, organisation: string, not?: string): string {
    const able = this.people.filter(
      (id) => id !== not && id !== HOST && this.administrator(id, organisation),
    );
    return at % 2 === 0 && able.length > 0 ? this.pick(able, at / 2) : this.pick(this.people, at);
  }

  note(request: { readonly id: string } | undefined, asked: Asked): void {
    if (request === undefined) {
      // Only the host does anything alone, and only while there are no Staff.
      expect(asked.by).toBe(HOST);
      expect(this.before.some((each) => each.organisation === 'staff' && each.status === 'active')).toBe(
        false,
      );
      for (const id of asked.accounts) this.behind.set(id, new Set(['bootstrap']));
      return;
    }
    this.requests.push(request.id);
    this.asked.set(request.id, asked);
  }

  async perform(one: Step): Promise<void> {
    const { asking, deciding, alone } = this.accounts;
    const actor = this.pick(this.people, one.actor);
    if (one.do === 'create') {
      const organisation = this.pick(ORGANISATIONS, one.organisation);
      const fitting = organisation === 'staff' ? (['staff'] as const) : this.pick(ROLES, one.roles % 2);
      const roles = one.roles % 5 === 4 ? this.pick(ROLES, one.roles) : fitting;
      const by = this.able(one.actor, organisation);
      const made = await asking.createAccount(by, { organisation, roles, ...this.person() });
      if (!made.ok) return;
      this.people.push(made.value.account.id);
      this.roles.set(made.value.account.id, roles);
      this.note(made.value.request, { by, kind: 'create', accounts: [made.value.account.id], roles });
    } else if (one.do === 'found') {
      const made = await asking.createOrganisation(actor, {
        name: `clinic-${this.logins}`,
        administrators: [this.person(), this.person()],
      });
      if (!made.ok) return;
      const accounts = made.value.accounts.map(({ id }) => id);
      this.people.push(...accounts);
      for (const id of accounts) this.roles.set(id, ['admin']);
      this.note(made.value.request, { by: actor, kind: 'found', accounts, roles: ['admin'] });
    } else if ('request' in one) {
      if (this.requests.length === 0) return;
      const id = this.pick(this.requests.toReversed(), one.request);
      const asked = this.asked.get(id);
      const about = asked?.kind === 'found' ? 'staff' : this.organisationOf(asked?.accounts[0] ?? '');
      const by = this.able(one.actor, about, asked?.by);
      const done = await deciding[one.do](by, id);
      if (!done.ok || one.do === 'reject' || asked === undefined) return;
      expect(by).not.toBe(asked.by);
      expect(asked.accounts).not.toContain(by);
      expect(asked.accounts).not.toContain(asked.by);
      for (const account of asked.accounts) {
        const organisation = asked.kind === 'found' ? 'staff' : this.organisationOf(account);
        expect(this.administrator(by, organisation)).toBe(true);
        expect(this.administrator(asked.by, organisation)).toBe(true);
        if (asked.kind !== 'reset') this.behind.set(account, new Set([asked.by, by]));
        if (asked.kind === 'change' && asked.roles) this.roles.set(account, asked.roles);
      }
    } else {
      const on = this.pick(this.people, one.on);
      if (one.do === 'disable') await alone.disableAccount(actor, on);
      else if (one.do === 'remove') await alone.removeAccount(actor, on);
      else {
        const roles = one.do === 'change' ? this.pick(ROLES, one.roles) : undefined;
        const made =
          one.do === 'change'
            ? await asking.changeAccount(actor, on, { roles: roles ?? [] })
            : await asking[one.do === 'enable' ? 'enableAccount' : 'resetPassword'](actor, on);
        if (made.ok && !(one.do === 'reset' && made.value.request === undefined)) {
          this.note(made.value.request, { by: actor, kind: one.do, accounts: [on], roles });
        }
      }
    }
  }

  organisationOf(id: string): string {
    return this.before.find((each) => each.id === id)?.organisation ?? 'gone';
  }

  async judge(): Promise<void> {
    const now = (await this.world.store.list('account', { limit: 1000 })).map(accountOf);
    for (const account of now) {
      if (account.status === 'active') {
        const people = this.behind.get(account.id);
        expect(people, 'somebody stood behind it').toBeDefined();
        expect(people?.has(account.id)).toBe(false);
        if (!people?.has('bootstrap')) expect(people?.size).toBe(2);
      }
      expect(account.roles, 'roles that two people gave').toEqual(this.roles.get(account.id));
    }
    const administrators = (all: readonly Account[], organisation: string) =>
      all.filter(
        (each) =>
          each.organisation === organisation &&
          each.status === 'active' &&
          each.roles.includes(organisation === 'staff' ? 'staff' : 'admin'),
      ).length;
    for (const organisation of new Set(this.before.map((each) => each.organisation))) {
      const [had, has] = [administrators(this.before, organisation), administrators(now, organisation)];
      if (has < had) expect(has, 'two administrators stay').toBeGreaterThanOrEqual(2);
    }
    this.before = now;
  }
}

test('whatever anybody tries, behind every active account there are two other people, or the bootstrap', async () => {
  let approvals = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 60, size: 'max' }), async (steps) => {
      const world = await openWorld();
      try {
        const books = new Books(world);
        for (const organisation of ['riverside', 'lakeside']) {
          const made = must(
            await world.accounts.asking.createOrganisation(HOST, {
              name: organisation,
              administrators: [books.person(), books.person()],
            }),
          );
          for (const { id } of made.accounts) {
            books.people.push(id);
            books.roles.set(id, ['admin']);
            books.behind.set(id, new Set(['bootstrap']));
          }
        }
        await books.judge();
        for (const one of steps) {
          await books.perform(one);
          await books.judge();
        }
        approvals += [...books.behind.values()].filter((people) => !people.has('bootstrap')).length;
      } finally {
        await world.close();
      }
    }),
    { numRuns: 40 },
  );
  // Otherwise it would have shown that nothing happens when nothing happens.
  expect(approvals).toBeGreaterThan(30);
});
