import type { Attempts } from '../attempts.ts';
import { eventsOf, type KeptEvent } from './events.ts';
import {
  type Account,
  type ApprovalRequest,
  HOST,
  type Organisation,
  type RequestState,
  type Role,
  stateOf,
} from './model.ts';
import { parseLogin, STAFF_ORGANISATION } from './names.ts';
import { concernOf, concernOfAccount } from './requests.ts';
import { type Actor, hasSay } from './rules.ts';
import { attemptsKey } from './sign-in.ts';
import { type AdministrationParts, type Outcome, refuse, Transactions } from './transaction.ts';

/** One page of a list: at most so many, beginning after an id. */
export interface Page {
  readonly limit: number;
  readonly after?: string | undefined;
}

export interface Listed<T> {
  readonly items: readonly T[];
  /** Give it as `after` for the next page; undefined: there is none. */
  readonly next: string | undefined;
}

/** An account with what its administrators must know of it. */
export interface AccountDetails {
  readonly account: Account;
  readonly password: {
    readonly set: boolean;
    readonly temporary: boolean;
    /** Wall-clock milliseconds; undefined when there never was one. */
    readonly changedAt: number | undefined;
  };
  /** Seconds until the lock after too many failures ends; undefined when there is none. */
  readonly lockedFor: number | undefined;
  readonly requests: readonly ApprovalRequest[];
}

/** What administrators may see: what they have a say in. The host sees all, as it can read the store. */
export class Looking {
  readonly #parts: AdministrationParts;
  readonly #transactions: Transactions;
  readonly #attempts: Attempts;

  constructor(parts: AdministrationParts, attempts: Attempts) {
    this.#parts = parts;
    this.#transactions = new Transactions(parts);
    this.#attempts = attempts;
  }

  async organisations(actorId: string, page: Page): Promise<Outcome<Listed<Organisation>>> {
    const actor = await this.#transactions.actor(actorId);
    if (actor === undefined) return refuse('not-permitted');
    const all = await this.#parts.repository.organisations();
    const visible = all.filter(({ id }) => this.#seesOrganisation(actor, id));
    return visible.length === 0 && actor.id !== HOST ? refuse('not-permitted') : listed(visible, page);
  }

  async accounts(actorId: string, organisation: string, page: Page): Promise<Outcome<Listed<Account>>> {
    const actor = await this.#transactions.actor(actorId);
    if (actor === undefined || !this.#seesOrganisation(actor, organisation)) return refuse('not-permitted');
    const all = await this.#parts.repository.accounts(organisation);
    return listed(
      all.filter((account) => this.#seesAccount(actor, account)),
      page,
    );
  }

  async account(actorId: string, id: string): Promise<Outcome<AccountDetails>> {
    const { repository } = this.#parts;
    const [actor, account] = await Promise.all([this.#transactions.actor(actorId), repository.account(id)]);
    if (actor === undefined || account === undefined || !this.#seesAccount(actor, account)) {
      return refuse('not-permitted');
    }
    const [record, requests, status] = await Promise.all([
      repository.password(id),
      repository.requestsAbout(id),
      this.#attempts.status(attemptsKey(account.login)),
    ]);
    return {
      ok: true,
      value: {
        account,
        password: {
          set: record?.current !== undefined,
          temporary: record?.temporary ?? false,
          changedAt: record?.changedAt,
        },
        lockedFor: status.lockedFor,
        requests,
      },
    };
  }

  /** For commands, where people give logins. */
  async accountByLogin(actorId: string, typed: string): Promise<Outcome<Account>> {
    const login = parseLogin(typed);
    const { repository } = this.#parts;
    const [actor, account] = await Promise.all([
      this.#transactions.actor(actorId),
      login === undefined ? undefined : repository.accountByLogin(login),
    ]);
    const organisation = actor !== undefined && 'organisation' in actor ? actor.organisation : '';
    const own = login === undefined ? undefined : await repository.accountElsewhere(organisation, login);
    const seen = [own, account].find(
      (each) => actor !== undefined && each !== undefined && this.#seesAccount(actor, each),
    );
    return seen === undefined ? refuse('not-permitted') : { ok: true, value: seen };
  }

  async requests(
    actorId: string,
    organisation: string,
    page: Page,
    state?: RequestState,
  ): Promise<Outcome<Listed<ApprovalRequest>>> {
    const { repository, clock } = this.#parts;
    const actor = await this.#transactions.actor(actorId);
    if (actor === undefined || !this.#seesOrganisation(actor, organisation)) return refuse('not-permitted');
    const visible: ApprovalRequest[] = [];
    for (const request of await repository.requests(organisation)) {
      if (state !== undefined && stateOf(request, clock.wall()) !== state) continue;
      if (await this.#seesRequest(actor, request)) visible.push(request);
    }
    return listed(visible, page);
  }

  async request(actorId: string, id: string): Promise<Outcome<ApprovalRequest>> {
    const [actor, request] = await Promise.all([
      this.#transactions.actor(actorId),
      this.#parts.repository.request(id),
    ]);
    const seen = actor !== undefined && request !== undefined && (await this.#seesRequest(actor, request));
    return seen ? { ok: true, value: request } : refuse('not-permitted');
  }

  async roles(actorId: string, organisation: string, page: Page): Promise<Outcome<Listed<Role>>> {
    const actor = await this.#transactions.actor(actorId);
    if (actor === undefined || !this.#ownOrganisation(actor, organisation)) return refuse('not-permitted');
    return listed(await this.#parts.repository.roles(organisation), page);
  }

  async events(actorId: string, organisation: string, page: Page): Promise<Outcome<Listed<KeptEvent>>> {
    const actor = await this.#transactions.actor(actorId);
    if (actor === undefined || !this.#ownOrganisation(actor, organisation)) return refuse('not-permitted');
    const { limit, after } = page;
    const items = await eventsOf(this.#parts.repository.store, organisation, {
      limit: limit + 1,
      ...(after === undefined ? {} : { after }),
    });
    return listed(items, { limit });
  }

  #seesOrganisation(actor: Actor, organisation: string): boolean {
    return (
      hasSay(actor, { organisation, account: undefined, about: 'organisation' }) ||
      this.#ownOrganisation(actor, organisation)
    );
  }

  /** The whole of it: its own administrators; for the Staff's organisation, the Staff. */
  #ownOrganisation(actor: Actor, organisation: string): boolean {
    const about = organisation === STAFF_ORGANISATION ? 'administrator' : 'user';
    return actor.id === HOST || hasSay(actor, { organisation, account: undefined, about });
  }

  #seesAccount(actor: Actor, account: Account): boolean {
    return actor.id === HOST || hasSay(actor, concernOfAccount(account));
  }

  async #seesRequest(actor: Actor, request: ApprovalRequest): Promise<boolean> {
    if (actor.id === HOST) return true;
    const account = await this.#parts.repository.account(request.subject);
    return hasSay(actor, concernOf(request, account));
  }
}

/** @param all in the order of ids */
function listed<T extends { readonly id: string }>(
  all: readonly T[],
  { limit, after }: Page,
): { readonly ok: true; readonly value: Listed<T> } {
  const rest = after === undefined ? all : all.filter(({ id }) => id > after);
  const items = rest.slice(0, limit);
  const next = rest.length > items.length ? items.at(-1)?.id : undefined;
  return { ok: true, value: { items, next } };
}
