import type { Account } from '../names.ts';

/** Where a privilege can be held, from widest to narrowest; then membership of roles, and proxies. */
export const SCOPES = ['global', 'schema', 'table', 'column', 'routine', 'role', 'proxy'] as const;
export type Scope = (typeof SCOPES)[number];

/**
 * One privilege of one account on one thing, as the server stores it.
 *
 * `object`: global `[]`; schema `[pattern as stored]`; table `[schema, table]`; column `[schema, table,
 * column]`; routine `[schema, kind, name]`; role and proxy `[user, host]`.
 * `privilege`: as GRANT names it; `MEMBER` or `DEFAULT` of a role, `PROXY` of a proxy.
 */
export interface Holding {
  readonly account: Account;
  readonly scope: Scope;
  readonly object: readonly string[];
  readonly privilege: string;
  /** May be passed on: WITH ADMIN OPTION of a role, WITH GRANT OPTION of a proxy or a dynamic privilege. */
  readonly passable: boolean;
}

export interface LiveAccount {
  readonly account: Account;
  /** MariaDB's own kind of role, PUBLIC included. On MySQL a role is an account like any other. */
  readonly isRole: boolean;
  readonly locked: boolean;
  /** What MySQL's partial revokes take away, schema by schema, of what a global privilege gives. */
  readonly restrictions: readonly { readonly schema: string; readonly privileges: readonly string[] }[];
}

/** Every account of a server with every privilege, as the server's own tables say. */
export interface LivePrivileges {
  readonly accounts: readonly LiveAccount[];
  /** In order of account, scope, object and privilege. */
  readonly holdings: readonly Holding[];
  /** MySQL: roles that every account holds without any row that says so. */
  readonly mandatoryRoles: readonly Account[];
  /** The account that asks. */
  readonly current: Account;
  /** What is in force but not in the tables, or the other way round; gone after FLUSH PRIVILEGES. */
  readonly unflushed: readonly string[];
}

/** The part of that which one engine keeps in its own way: accounts, global privileges, roles, default roles. */
export interface EngineAccounts {
  readonly accounts: readonly LiveAccount[];
  readonly holdings: readonly Holding[];
  readonly mandatoryRoles: readonly Account[];
}

/** A base table, sequence or view of the EMR's schema, with its columns. */
export interface GrantTable {
  readonly name: string;
  readonly kind: 'table' | 'view';
  readonly columns: readonly string[];
}

export interface GrantRoutine {
  readonly name: string;
  readonly kind: 'PROCEDURE' | 'FUNCTION';
}

/** A view, routine, trigger or event that runs with another account's rights. */
export interface DefinedObject {
  readonly kind: 'view' | 'procedure' | 'function' | 'trigger' | 'event';
  readonly name: string;
  readonly definer: string;
}

/** A histogram of MySQL: whoever has any privilege on the table may read values of the column in it. */
export interface HistogramColumn {
  readonly table: string;
  readonly column: string;
}

/** A key whose errors tell whether a value is there. */
export interface TellingKey {
  readonly table: string;
  readonly kind: 'unique' | 'foreign';
  readonly columns: readonly string[];
  /** The table that a foreign key refers to. */
  readonly references: string | undefined;
}

/** What of the EMR's schema can be granted. */
export interface GrantObjects {
  readonly keys: readonly TellingKey[];
  readonly histograms: readonly HistogramColumn[];
  readonly tables: readonly GrantTable[];
  readonly routines: readonly GrantRoutine[];
  readonly definers: readonly DefinedObject[];
}

/** A privilege that the policy gives to an account. */
export interface WantedGrant {
  readonly account: Account;
  readonly scope: Scope;
  readonly object: readonly string[];
  readonly privilege: string;
  readonly why: string;
}

export const CHANGES = ['grant', 'revoke', 'create'] as const;
/** `create`: the account itself is missing. */
export type Change = (typeof CHANGES)[number];

/** One difference between what an account holds and what the policy gives it; `protect` removes it. */
export interface Difference {
  readonly account: Account;
  readonly change: Change;
  readonly scope: Scope;
  readonly object: readonly string[];
  readonly privilege: string;
  /** One sentence. */
  readonly why: string;
}

/** What becomes of one account whose grants the policy decides. */
export interface AccountPlan {
  readonly account: Account;
  readonly role: string;
  /** Everything that it is to hold. */
  readonly wanted: readonly WantedGrant[];
  readonly differences: readonly Difference[];
  /** MySQL's partial revokes take something from it on the EMR's schema. */
  readonly restricted: boolean;
}

export function accountKey(account: Account): string {
  return JSON.stringify([account.user, account.host.toLowerCase()]);
}

/**
 * Names a privilege on a thing, whoever holds it. Servers keep the names of columns and routines as somebody
 * typed them in a GRANT, and take no notice of case.
 */
export function grantKey({
  scope,
  object,
  privilege,
}: Pick<Holding, 'scope' | 'object' | 'privilege'>): string {
  const folds = scope === 'column' || scope === 'routine';
  const parts = folds ? [object[0], object[1], object[2]?.toLowerCase()] : object;
  return JSON.stringify([scope, parts, privilege]);
}
