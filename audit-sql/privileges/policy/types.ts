import type { Account } from '../../names.ts';
import type { Globs } from './glob.ts';

/** Privileges on rows, in the order in which GRANT statements name them. */
export const ROW_PRIVILEGES = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;
export type RowPrivilege = (typeof ROW_PRIVILEGES)[number];

/** Every column of a table, present and future, or those that patterns take now. */
export type ColumnChoice = 'all' | Globs;

/** What a role may do with the tables and views that it names. */
export interface TableRule {
  /** Base tables and sequences; undefined when the rule is about views alone. */
  readonly tables: Globs | undefined;
  /** Views are named apart: a view runs with its definer's rights. */
  readonly views: Globs | undefined;
  readonly columns: Readonly<Partial<Record<'SELECT' | 'INSERT' | 'UPDATE', ColumnChoice>>>;
  readonly delete: boolean;
}

/** `keep`: granted on the EMR's schema if the account has it there or globally now. */
export type Switch = 'no' | 'yes' | 'keep';

export interface PolicyRole {
  readonly name: string;
  readonly description: string;
  /** A user whose name begins with one of these has the role, on whatever host. */
  readonly prefixes: readonly string[];
  readonly accounts: readonly Account[];
  /** On every table and view of the schema, those made later too. */
  readonly schema: readonly RowPrivilege[];
  readonly tables: readonly TableRule[];
  /** Routines that it may call. `all` and `keep` are about the whole schema. */
  readonly execute: 'none' | 'all' | 'keep' | Globs;
  readonly lockTables: Switch;
  readonly temporaryTables: Switch;
  /** EXECUTE on the guard procedures of the audit: the integrity checker. */
  readonly guard: boolean;
}

/** Who may do what in one EMR schema. Frozen; made only by `parsePolicy` and `completePolicy`. */
export interface PrivilegePolicy {
  /** The file, or `built-in`. */
  readonly source: string;
  /** Break-glass administrators: reported with what they hold, never changed. */
  readonly administrators: readonly Account[];
  /** Accounts of others that are known and accepted as they are (backup, monitoring): reported, never changed. */
  readonly accepted: readonly Account[];
  /** Schemas besides the EMR's whose grants this policy neither makes nor takes. */
  readonly otherSchemas: readonly string[];
  readonly roles: readonly PolicyRole[];
}
