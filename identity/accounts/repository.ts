import { randomBytes } from 'node:crypto';
import type { JsonBody, NewDocument, StateOperation, StateStore } from '../../contracts/state.ts';
import { hashOf } from '../lengths.ts';
import {
  type Account,
  type ApprovalRequest,
  accountOf,
  ELSEWHERE,
  type Organisation,
  organisationOf,
  type PasswordRecord,
  passwordOf,
  type Role,
  requestOf,
  roleOf,
} from './model.ts';

const PAGE = 500;
/** Of every id that we make: random ones, hashes, and names of organisations. */
const ID = /^[A-Za-z0-9_-]{1,64}$/;

export const newId = (): string => randomBytes(16).toString('base64url');

/** A role's id follows from its organisation and name, so that there is one of each. */
export const roleId = (organisation: string, name: string): string => hashOf('role', organisation, name);

// Documents as they are kept: the one place that knows their bodies.

export function accountDocument(account: Omit<Account, 'id' | 'version'>, expiresAt?: number): NewDocument {
  const { organisation, login, name, status, enrolled, roles, patients, fhirUser, provenance, createdAt } =
    account;
  return {
    body: {
      organisation,
      login,
      name,
      status,
      enrolled,
      roles,
      patients,
      fhirUser: fhirUser ?? null,
      provenance: { ...provenance },
      createdAt,
      ...(account[ELSEWHERE] === true ? { elsewhere: true } : {}),
    },
    indexes: {
      organisation,
      login: account[ELSEWHERE] === true ? elsewhereKey(organisation, login) : login,
    },
    expiresAt,
  };
}

/** Unique in its organisation, and no login: those have no spaces. */
const elsewhereKey = (organisation: string, login: string): string =>
  `elsewhere ${hashOf('login elsewhere', organisation, login)}`;

export function organisationDocument(
  organisation: Omit<Organisation, 'id' | 'version'>,
  expiresAt?: number,
): NewDocument {
  const { name, status, changes, createdAt } = organisation;
  return { body: { name, status, changes, createdAt }, indexes: { name }, expiresAt };
}

/** Decided and expired requests stay visible for this long. */
const KEPT_MS = 90 * 24 * 3_600_000;

export function requestDocument(request: Omit<ApprovalRequest, 'id' | 'version'>): NewDocument {
  const halves = Object.fromEntries(request.halves.map(({ account, hash }) => [account, hash]));
  return {
    body: {
      ...request,
      decidedBy: request.decidedBy ?? null,
      decidedAt: request.decidedAt ?? null,
      halves,
    } satisfies JsonBody,
    indexes: { organisation: request.organisation, subject: request.subject },
    expiresAt: request.expiresAt + KEPT_MS,
  };
}

export function passwordDocument(record: Omit<PasswordRecord, 'version'>): NewDocument {
  const { account, current, former, changedAt, temporary } = record;
  return {
    body: { current: current ?? null, former, changedAt, temporary },
    indexes: { account },
  };
}

export function roleDocument(role: Omit<Role, 'id' | 'version'>): NewDocument {
  const { organisation, name, scopes } = role;
  return { body: { organisation, name, scopes }, indexes: { organisation, name } };
}

/** Reads what `identity/accounts` keeps. Rejects with `state-unavailable` or `state-invalid`. */
export class AccountRepository {
  readonly store: StateStore;

  constructor(store: StateStore) {
    this.store = store;
  }

  /** What somebody typed may be no id at all: then there is no such document. */
  #get(kind: 'account' | 'organisation' | 'password' | 'approval', id: string) {
    return ID.test(id) ? this.store.get(kind, id) : undefined;
  }

  async account(id: string): Promise<Account | undefined> {
    const found = await this.#get('account', id);
    return found && accountOf(found);
  }

  async accountByLogin(login: string): Promise<Account | undefined> {
    const [found] = await this.store.find('account', 'login', login, { limit: 1 });
    return found && accountOf(found);
  }

  /** The account of that login which cannot be signed in with, since another organisation has one. */
  async accountElsewhere(organisation: string, login: string): Promise<Account | undefined> {
    const [found] = await this.store.find('account', 'login', elsewhereKey(organisation, login), {
      limit: 1,
    });
    return found && accountOf(found);
  }

  async organisation(id: string): Promise<Organisation | undefined> {
    const found = await this.#get('organisation', id);
    return found && organisationOf(found);
  }

  async password(account: string): Promise<PasswordRecord | undefined> {
    const found = await this.#get('password', account);
    return found && passwordOf(found);
  }

  async request(id: string): Promise<ApprovalRequest | undefined> {
    const found = await this.#get('approval', id);
    return found && requestOf(found);
  }

  async role(organisation: string, name: string): Promise<Role | undefined> {
    const found = await this.store.get('role', roleId(organisation, name));
    return found && roleOf(found);
  }

  async roles(organisation: string): Promise<readonly Role[]> {
    return (await this.#all('role', organisation)).map(roleOf);
  }

  /** Every live account of an organisation. */
  async accounts(organisation: string): Promise<readonly Account[]> {
    return (await this.#all('account', organisation)).map(accountOf);
  }

  async requests(organisation: string): Promise<readonly ApprovalRequest[]> {
    return (await this.#all('approval', organisation)).map(requestOf);
  }

  /** Requests about one account, role or organisation. */
  async requestsAbout(subject: string): Promise<readonly ApprovalRequest[]> {
    return (await this.store.find('approval', 'subject', subject, { limit: PAGE })).map(requestOf);
  }

  async organisations(): Promise<readonly Organisation[]> {
    const all: Organisation[] = [];
    for (let after: string | undefined; ; ) {
      const page = await this.store.list('organisation', { limit: PAGE, ...(after ? { after } : {}) });
      all.push(...page.map(organisationOf));
      after = page.at(-1)?.id;
      if (page.length < PAGE || after === undefined) return all;
    }
  }

  /** Steps that remove every code of an account that was not used yet. */
  async withoutCodes(account: string): Promise<readonly StateOperation[]> {
    const codes = await this.store.find('account-code', 'account', account, { limit: 50 });
    return codes.map(({ id, version }) => ({ do: 'remove', kind: 'account-code', id, version }));
  }

  async #all(kind: 'account' | 'role' | 'approval', organisation: string) {
    const all = [];
    if (!ID.test(organisation)) return [];
    for (let after: string | undefined; ; ) {
      const page = await this.store.find(kind, 'organisation', organisation, {
        limit: PAGE,
        ...(after ? { after } : {}),
      });
      all.push(...page);
      after = page.at(-1)?.id;
      if (page.length < PAGE || after === undefined) return all;
    }
  }
}
