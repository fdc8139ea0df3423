import { ChartgateError } from '../contracts/errors.ts';

/** An SQL account, as in `'user'@'host'`. */
export interface Account {
  readonly user: string;
  readonly host: string;
}

/** What the audit is called on one server. */
export interface AuditNames {
  readonly emrSchema: string;
  readonly auditSchema: string;
  /** Locked; the triggers run as this account. */
  readonly definer: Account;
  /** Locked; the guard procedures run as this account. */
  readonly guard: Account;
}

/** Names inside the audit schema. They are part of the product: the checker and auditors rely on them. */
export const AUDIT_ROW_TABLE = 'audit_row';
/** Changes of tables whose engine keeps what a rolled back transaction did. */
export const DIRECT_ROW_TABLE = 'audit_row_direct';
export const INSTATEMENT_TABLE = 'audit_instatement_log';
export const TRAIL_VIEW = 'audit_trail';
export const SNAPSHOT_PROCEDURE = 'chartgate_snapshot';
/** Ids and hashes of audit rows. */
export const ROW_HASHES_PROCEDURE = 'chartgate_row_hashes';
/** Which transactions are under way: as long as one is, a missing audit row may still appear. */
export const TRANSACTIONS_PROCEDURE = 'chartgate_transactions';
/** Every guard procedure; the checker's user gets EXECUTE on these. */
export const GUARD_PROCEDURES = [SNAPSHOT_PROCEDURE, ROW_HASHES_PROCEDURE, TRANSACTIONS_PROCEDURE] as const;
/**
 * Shows the texts of the audit schema's routines to the checker, where the server has no privilege for that
 * alone. MySQL 8 and later have one, SHOW_ROUTINE, and no such view.
 */
export const GUARD_TEXT_VIEW = 'chartgate_guard_text';
/** What the checker itself may read of the instatement log: whether its last line still says started. */
export const PROBED_COLUMNS = ['id', 'action'] as const;
/** Of `mysql.proc`: everything that decides what a routine does. */
export const GUARD_TEXT_COLUMNS = [
  'name',
  'type',
  'definer',
  'security_type',
  'sql_mode',
  'language',
  'sql_data_access',
  'is_deterministic',
  'param_list',
  'returns',
  'body',
  'character_set_client',
  'collation_connection',
  'db_collation',
] as const;
/** Every trigger of ours starts with this; `stop` drops what does. */
export const TRIGGER_PREFIX = 'chartgate_';

const MAXIMUM_IDENTIFIER = 64;
const SYSTEM_SCHEMAS: ReadonlySet<string> = new Set([
  'mysql',
  'information_schema',
  'performance_schema',
  'sys',
]);

function checkSchemaName(name: string, what: string): void {
  if (name === '' || [...name].length > MAXIMUM_IDENTIFIER || name.includes('\0') || name.includes('\\')) {
    throw new ChartgateError(
      'usage',
      `The name of the ${what} schema must have 1 to 64 characters, no backslash and no NUL: ${printable(name)}.`,
    );
  }
  if (SYSTEM_SCHEMAS.has(name.toLowerCase())) {
    throw new ChartgateError('usage', `The ${what} schema cannot be the server's own ${printable(name)}.`);
  }
}

/**
 * The names for one EMR schema, with the defaults filled in.
 * @throws ChartgateError `usage` when a name cannot be used
 */
export function auditNames(options: {
  readonly emrSchema: string;
  readonly auditSchema?: string | undefined;
  readonly definer?: Account | undefined;
  readonly guard?: Account | undefined;
}): AuditNames {
  const emrSchema = options.emrSchema;
  const auditSchema = options.auditSchema ?? `${emrSchema}_audit`;
  checkSchemaName(emrSchema, 'EMR');
  checkSchemaName(auditSchema, 'audit');
  if (emrSchema.toLowerCase() === auditSchema.toLowerCase()) {
    throw new ChartgateError('usage', 'The audit schema must not be the EMR schema.');
  }
  const definer = options.definer ?? { user: 'chartgate_audit', host: 'localhost' };
  const guard = options.guard ?? { user: 'chartgate_guard', host: 'localhost' };
  if (sameAccount(definer, guard)) {
    throw new ChartgateError('usage', 'The definer and the guard must be two accounts.');
  }
  return Object.freeze({ emrSchema, auditSchema, definer, guard });
}

export function sameAccount(a: Account, b: Account): boolean {
  return a.user === b.user && a.host.toLowerCase() === b.host.toLowerCase();
}

/**
 * Reads `user@host` as a person types it; the host is what follows the last `@`, `%` when there is none.
 * @throws ChartgateError `usage`
 */
export function parseAccount(text: string): Account {
  const at = text.lastIndexOf('@');
  const unquote = (part: string): string => /^'(.*)'$/s.exec(part)?.[1] ?? part;
  const user = unquote(at < 0 ? text : text.slice(0, at));
  const host = unquote(at < 0 ? '%' : text.slice(at + 1));
  if (user === '' || host === '') {
    throw new ChartgateError('usage', `An account is written user@host, not ${printable(text)}.`);
  }
  return { user, host };
}

/** A quoted identifier. */
export function ident(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** A schema-qualified name. */
export function qualified(schema: string, name: string): string {
  return `${ident(schema)}.${ident(name)}`;
}

/**
 * A string literal. A backslash is doubled, so the session must not run with NO_BACKSLASH_ESCAPES; the
 * scripts and `apply` set the SQL mode first.
 */
export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** An account as SQL writes it. */
export function accountSql(account: Account): string {
  return `${literal(account.user)}@${literal(account.host)}`;
}

/** Text that can stand in a one-line comment or a message whatever a name holds. */
export function printable(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
