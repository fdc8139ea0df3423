import type { StateOperation } from '../../contracts/state.ts';
import { type GrantsInput, type Person, parseGrants, parsePerson, parseScopes } from './inputs.ts';
import { type Account, type ApprovalRequest, ELSEWHERE, HOST, type Organisation } from './model.ts';
import { parseOrganisationName, parseRoleName, STAFF_ORGANISATION } from './names.ts';
import { accountDocument, newId, organisationDocument, roleId } from './repository.ts';
import {
  type Asked,
  concernOfAccount,
  grantsBody,
  type IssuedCode,
  newRequest,
  wholeCode,
} from './requests.ts';
import { administers, FEWEST_ADMINISTRATORS, isStaff, mayAsk, mayLose } from './rules.ts';
import {
  type AdministrationParts,
  event,
  type Outcome,
  type Plan,
  type Refused,
  refuse,
  Transactions,
  type View,
} from './transaction.ts';

export interface NewAccount extends Person, GrantsInput {
  readonly organisation: string;
}

/** `request` is undefined for what the host did alone, while there was nobody who could have approved. */
export interface AccountAsked {
  readonly account: Account;
  readonly request: ApprovalRequest | undefined;
  readonly codes: readonly IssuedCode[];
}

export interface OrganisationAsked {
  readonly organisation: string;
  readonly accounts: readonly Account[];
  readonly request: ApprovalRequest | undefined;
  readonly codes: readonly IssuedCode[];
}

const MOST_FOUNDERS = 10;

/** Everything that one person asks for and another must approve. */
export class Asking {
  readonly #parts: AdministrationParts;
  readonly #transactions: Transactions;

  constructor(parts: AdministrationParts) {
    this.#parts = parts;
    this.#transactions = new Transactions(parts);
  }

  /** An organisation with its first administrators, at least two. Staff only. */
  createOrganisation(
    actorId: string,
    input: { readonly name: string; readonly administrators: readonly Person[] },
  ): Promise<Outcome<OrganisationAsked>> {
    return this.#transactions.run(actorId, async (view) => {
      const staff = await view.hold(STAFF_ORGANISATION);
      const ruling = mayAsk(view.actor, {
        organisation: STAFF_ORGANISATION,
        account: undefined,
        about: 'organisation',
      });
      if (!ruling.ok) return ruling;
      const name = parseOrganisationName(input.name);
      if (name === undefined || name === STAFF_ORGANISATION) return refuse('invalid', 'name');
      const { administrators } = input;
      if (administrators.length < FEWEST_ADMINISTRATORS || administrators.length > MOST_FOUNDERS) {
        return refuse('invalid', 'administrators');
      }
      if (await view.repository.organisation(name)) return refuse('name-taken');
      const bootstrap = await this.#bootstraps(view, staff);
      const founders: Founder[] = [];
      for (const each of administrators) {
        const founder = await this.#founder(view, name, each, { roles: ['admin'] }, bootstrap);
        if (!founder.ok) return founder;
        if (founders.some(({ account }) => account.login === founder.account.login)) {
          return refuse('login-taken', 'login');
        }
        founders.push(founder);
      }
      const accounts = founders.map(({ account }) => account);
      const organisation = {
        name,
        status: bootstrap ? 'active' : 'pending',
        changes: 0,
        createdAt: view.now,
      } as const;
      const asked = bootstrap
        ? undefined
        : newRequest(view, this.#parts.settings.requestLifetimeMs, {
            organisation: STAFF_ORGANISATION,
            action: 'create-organisation',
            subject: name,
            change: { logins: accounts.map(({ login }) => login) },
            seen: 0,
            coded: accounts,
          });
      return {
        ok: true,
        value: {
          organisation: name,
          accounts,
          request: asked?.request,
          codes: asked?.codes ?? founders.flatMap(({ code }) => code ?? []),
        },
        steps: [
          {
            do: 'insert',
            kind: 'organisation',
            id: name,
            document: organisationDocument(organisation, asked?.request.expiresAt),
          },
          ...founders.flatMap(({ steps }) => steps),
          ...(asked ? [asked.step] : []),
        ],
        events: [
          event(asked ? 'organisation-requested' : 'organisation-created', STAFF_ORGANISATION, name, {
            accounts: accounts.map(({ id }) => id),
          }),
        ],
      };
    });
  }

  /** An account of an existing organisation; with the organisation `staff`, one of the Staff. */
  createAccount(actorId: string, input: NewAccount): Promise<Outcome<AccountAsked>> {
    return this.#transactions.run(actorId, async (view) => {
      const { organisation } = input;
      const found = await view.hold(organisation);
      const ruling = mayAsk(view.actor, {
        organisation,
        account: undefined,
        about: administers(input) ? 'administrator' : 'user',
      });
      if (!ruling.ok) return ruling;
      const forStaff = organisation === STAFF_ORGANISATION;
      if (!forStaff && found?.status !== 'active') return refuse('not-found');
      const bootstrap = forStaff && (await this.#bootstraps(view, found));
      const founder = await this.#founder(view, organisation, input, input, bootstrap);
      if (!founder.ok) return founder;
      const { account } = founder;
      const asked = bootstrap
        ? undefined
        : newRequest(view, this.#parts.settings.requestLifetimeMs, {
            organisation,
            action: 'create-account',
            subject: account.id,
            change: grantsBody(account),
            seen: 0,
            coded: [account],
          });
      const first: StateOperation[] = found
        ? []
        : [{ do: 'insert', kind: 'organisation', id: organisation, document: staffDocument(view.now) }];
      return {
        ok: true,
        value: {
          account,
          request: asked?.request,
          codes: asked?.codes ?? (founder.code ? [founder.code] : []),
        },
        steps: [...first, ...founder.steps, ...(asked ? [asked.step] : [])],
        events: [
          event(asked ? 'account-requested' : 'account-created', organisation, account.id, {
            roles: account.roles,
          }),
        ],
      };
    });
  }

  /** Other roles, patients or FHIR person for an account. @param seen the account's version that was looked at */
  changeAccount(actorId: string, id: string, input: GrantsInput, seen?: number): Promise<Outcome<Asked>> {
    return this.#about(actorId, id, async (view, account) => {
      if (seen !== undefined && seen !== account.version) return refuse('changed-meanwhile');
      if (account.status !== 'active') return refuse('wrong-status', account.status);
      const grants = await parseGrants(view.repository, account.organisation, input);
      if (!grants.ok) return grants;
      const after = { ...account, ...grants.value };
      const ruling = mayAsk(view.actor, {
        ...concernOfAccount(account),
        about: administers(account) || administers(after) ? 'administrator' : 'user',
      });
      if (!ruling.ok) return ruling;
      if (!administers(after)) {
        const losing = mayLose(account, await view.repository.accounts(account.organisation));
        if (!losing.ok) return losing;
      }
      return this.#ask(view, account, 'change-account', grantsBody(grants.value), []);
    });
  }

  enableAccount(actorId: string, id: string): Promise<Outcome<Asked>> {
    return this.#about(actorId, id, async (view, account) =>
      account.status === 'disabled'
        ? this.#ask(view, account, 'enable-account', { roles: account.roles }, [])
        : refuse('wrong-status', account.status),
    );
  }

  /**
   * A new one-time code for whoever lost the password. The host may do it alone for one of the first
   * administrators who has never signed in, while there are no Staff: it is still the same bootstrap.
   */
  resetPassword(actorId: string, id: string): Promise<Outcome<Asked | AccountAsked>> {
    return this.#about<Asked | AccountAsked>(actorId, id, async (view, account) => {
      if (account.status !== 'active') return refuse('wrong-status', account.status);
      const unused = account.provenance.by === 'bootstrap' && !account.enrolled;
      if (!unused || !(await this.#bootstraps(view, await view.hold(STAFF_ORGANISATION)))) {
        return this.#ask(view, account, 'reset-password', {}, [account]);
      }
      const { code, step } = wholeCode(account, view.now + this.#parts.settings.codeLifetimeMs);
      return {
        ok: true,
        value: { account, request: undefined, codes: [code] },
        steps: [...(await view.repository.withoutCodes(id)), step],
        events: [event('password-reset', account.organisation, id)],
      };
    });
  }

  /** For whoever lost the second factor and the recovery codes: all factors go, and the next sign-in enrols anew. */
  resetFactors(actorId: string, id: string): Promise<Outcome<Asked>> {
    return this.#about(actorId, id, async (view, account) => {
      if (this.#parts.factorSteps === undefined) return refuse('not-permitted');
      return account.status === 'active'
        ? this.#ask(view, account, 'reset-factors', {}, [])
        : refuse('wrong-status', account.status);
    });
  }

  /** A custom role of an organisation, new or with other scopes. */
  setRole(
    actorId: string,
    input: { readonly organisation: string; readonly name: string; readonly scopes: readonly string[] },
    seen?: number,
  ): Promise<Outcome<Asked>> {
    return this.#transactions.run(actorId, async (view) => {
      const { organisation } = input;
      const found = await view.hold(organisation);
      const ruling = mayAsk(view.actor, { organisation, account: undefined, about: 'role' });
      if (!ruling.ok) return ruling;
      if (found?.status !== 'active') return refuse('not-found');
      const name = parseRoleName(input.name);
      if (name === undefined) return refuse('invalid', 'name');
      const scopes = parseScopes(input.scopes);
      if (!scopes.ok) return scopes;
      const present = await view.repository.role(organisation, name);
      if (seen !== undefined && seen !== (present?.version ?? 0)) return refuse('changed-meanwhile');
      const asked = newRequest(view, this.#parts.settings.requestLifetimeMs, {
        organisation,
        action: 'set-role',
        subject: roleId(organisation, name),
        change: { name, scopes: scopes.value },
        seen: present?.version ?? 0,
        coded: [],
      });
      return {
        ok: true,
        value: { request: asked.request, codes: [] },
        steps: [asked.step],
        events: [event('role-requested', organisation, name, { request: asked.request.id })],
      };
    });
  }

  /** Operations about one account: held, permitted, then judged by what is left to judge. */
  #about<T>(
    actorId: string,
    id: string,
    judge: (view: View, account: Account) => Promise<Plan<T> | Refused>,
  ): Promise<Outcome<T>> {
    return this.#transactions.run<T>(actorId, async (view) => {
      const there = await view.repository.account(id);
      if (there === undefined) return refuse('not-permitted');
      await view.hold(there.organisation);
      const account = await view.repository.account(id);
      if (account === undefined) return refuse('not-permitted');
      const ruling = mayAsk(view.actor, concernOfAccount(account));
      return ruling.ok ? judge(view, account) : ruling;
    });
  }

  #ask(
    view: View,
    account: Account,
    action: keyof typeof ASKED,
    change: ApprovalRequest['change'],
    coded: readonly Account[],
  ): Plan<Asked> {
    const { step, ...asked } = newRequest(view, this.#parts.settings.requestLifetimeMs, {
      organisation: account.organisation,
      action,
      subject: account.id,
      change,
      seen: account.version,
      coded,
    });
    const details = { request: asked.request.id };
    return {
      ok: true,
      value: asked,
      steps: [step],
      events: [event(ASKED[action], account.organisation, account.id, details)],
    };
  }

  /** The host alone, and only while there are no Staff who could approve. */
  async #bootstraps(view: View, staff: Organisation | undefined): Promise<boolean> {
    if (view.actor.id !== HOST) return false;
    if (staff === undefined) return true;
    const all = await view.repository.accounts(STAFF_ORGANISATION);
    return !all.some((each) => each.status === 'active' && administers(each));
  }

  async #founder(
    view: View,
    organisation: string,
    who: Person,
    input: GrantsInput,
    bootstrap: boolean,
  ): Promise<Founder | Refused> {
    const person = parsePerson(who);
    if (!person.ok) return person;
    const grants = await parseGrants(view.repository, organisation, input);
    if (!grants.ok) return grants;
    const { login } = person.value;
    const taken = await view.repository.accountByLogin(login);
    const before = await view.repository.accountElsewhere(organisation, login);
    const elsewhere = taken !== undefined && taken.organisation !== organisation;
    // That somebody is known at another organisation may be told to the Staff alone, who look after all of them.
    if (before !== undefined || (taken !== undefined && (!elsewhere || isStaff(view.actor))))
      return refuse('login-taken', 'login');
    const account: Account = Object.freeze({
      id: newId(),
      version: 0,
      organisation,
      ...person.value,
      ...grants.value,
      status: bootstrap ? 'active' : 'pending',
      enrolled: false,
      provenance: bootstrap
        ? ({ by: 'bootstrap' } as const)
        : ({ by: 'nobody-yet', requestedBy: view.actor.id } as const),
      createdAt: view.now,
      ...(elsewhere ? { [ELSEWHERE]: true as const } : {}),
    });
    const { requestLifetimeMs, codeLifetimeMs } = this.#parts.settings;
    // What nobody approves in time is gone by itself, and its login is free.
    const expiresAt = bootstrap ? undefined : view.now + requestLifetimeMs;
    const whole = bootstrap ? wholeCode(account, view.now + codeLifetimeMs) : undefined;
    return {
      ok: true,
      account,
      code: whole?.code,
      steps: [
        { do: 'insert', kind: 'account', id: account.id, document: accountDocument(account, expiresAt) },
        ...(whole ? [whole.step] : []),
      ],
    };
  }
}

interface Founder {
  readonly ok: true;
  readonly account: Account;
  readonly code: IssuedCode | undefined;
  readonly steps: readonly StateOperation[];
}

const ASKED = Object.freeze({
  'change-account': 'account-change-requested',
  'enable-account': 'account-enable-requested',
  'reset-password': 'password-reset-requested',
  'reset-factors': 'factors-reset-requested',
} as const);

const staffDocument = (now: number) =>
  organisationDocument({ name: STAFF_ORGANISATION, status: 'active', changes: 0, createdAt: now });
