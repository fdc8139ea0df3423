import type { Dialect } from '../dialect.ts';
import {
  type Account,
  AUDIT_ROW_TABLE,
  type AuditNames,
  accountSql,
  INSTATEMENT_TABLE,
  ident,
  literal,
  qualified,
  TRIGGER_PREFIX,
} from '../names.ts';
import type { Section, Statement } from './script.ts';

const TABLE_OPTIONS = 'ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin';

/** Statements after which `account` exists, has no usable password and is locked. */
export function lockedAccount(account: Account, dialect: Dialect): Statement[] {
  const sql = accountSql(account);
  const shape = `${sql} ${dialect.unusableAuthentication} ACCOUNT LOCK`;
  return [
    { label: `account ${sql}`, sql: `CREATE USER IF NOT EXISTS ${shape}` },
    { label: `account ${sql} locked`, sql: `ALTER USER ${shape}` },
  ];
}

function rowTable(names: AuditNames, dialect: Dialect): string {
  return `CREATE TABLE IF NOT EXISTS ${qualified(names.auditSchema, AUDIT_ROW_TABLE)} (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  at DATETIME(6) NOT NULL COMMENT 'UTC, from the server',
  login VARCHAR(384) NOT NULL COMMENT 'session_user(): who was connected, and from where',
  ran_as VARCHAR(384) NOT NULL COMMENT 'current_user(): the account the trigger ran as',
  connection BIGINT UNSIGNED NOT NULL COMMENT 'connection_id()',
  emr_table VARCHAR(64) NOT NULL,
  operation ENUM('insert', 'update', 'delete') NOT NULL,
  row_key ${dialect.jsonType} NULL COMMENT 'the row''s key before the change; NULL for a table without one',
  old_values ${dialect.jsonType} NULL COMMENT 'the whole row as it was',
  new_values ${dialect.jsonType} NULL COMMENT 'the whole row as it became',
  changes ${dialect.jsonType} NULL COMMENT 'of an update: {"column": [old, new]} of what changed',
  PRIMARY KEY (id),
  KEY audited_table (emr_table, id)
) ${TABLE_OPTIONS}
  COMMENT = 'Every change of the EMR''s rows. Append-only.'`;
}

function instatementTable(names: AuditNames): string {
  return `CREATE TABLE IF NOT EXISTS ${qualified(names.auditSchema, INSTATEMENT_TABLE)} (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  at DATETIME(6) NOT NULL COMMENT 'UTC, from the server',
  action ENUM('start', 'stop') NOT NULL,
  login VARCHAR(384) NOT NULL COMMENT 'session_user()',
  account VARCHAR(384) NOT NULL COMMENT 'current_user()',
  connection BIGINT UNSIGNED NOT NULL COMMENT 'connection_id()',
  emr_schema VARCHAR(64) NOT NULL,
  schema_digest CHAR(64) NOT NULL COMMENT 'SHA-256 of the shape of the tables audited',
  generator VARCHAR(64) NOT NULL,
  tables_audited INT UNSIGNED NOT NULL,
  PRIMARY KEY (id)
) ${TABLE_OPTIONS}
  COMMENT = 'When auditing was started and stopped, and by whom. Append-only.'`;
}

/** Even the administrator's plain UPDATE and DELETE of audit rows are refused. */
function appendOnly(table: string, names: AuditNames, dialect: Dialect): Statement[] {
  return (['update', 'delete'] as const).flatMap((event) =>
    dialect
      .replaceTrigger({
        schema: names.auditSchema,
        table,
        name: `${TRIGGER_PREFIX}no_${event}_${table}`,
        definer: names.definer,
        rest:
          `BEFORE ${event.toUpperCase()} ON ${qualified(names.auditSchema, table)} FOR EACH ROW\n` +
          `SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'The audit trail is append-only.'`,
      })
      .map((sql) => ({ label: `${table} refuses ${event}`, sql })),
  );
}

/** Schema, accounts and tables of the audit, made where missing. */
export function storeSections(names: AuditNames, dialect: Dialect): Section[] {
  const definer = accountSql(names.definer);
  const emr = dialect.grantSchema(names.emrSchema);
  const audit = dialect.grantSchema(names.auditSchema);
  return [
    {
      comment: ['The audit has a schema of its own, in which the EMR has no privilege at all.'],
      statements: [
        {
          label: 'audit schema',
          sql: `CREATE DATABASE IF NOT EXISTS ${ident(names.auditSchema)} DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
        },
        { label: 'audit rows', sql: rowTable(names, dialect) },
        { label: 'audit instatement log', sql: instatementTable(names) },
      ],
    },
    {
      comment: [
        'The triggers run as this account. Nobody can log in as it: it is locked and has no password.',
        'SELECT and TRIGGER are what a server demands of a definer whose triggers look at OLD and NEW.',
      ],
      statements: [
        ...lockedAccount(names.definer, dialect),
        { label: 'definer grants', sql: `GRANT SELECT, TRIGGER ON ${emr}.* TO ${definer}` },
        { label: 'definer grants', sql: `GRANT TRIGGER ON ${audit}.* TO ${definer}` },
        {
          label: 'definer grants',
          sql: `GRANT INSERT ON ${qualified(names.auditSchema, AUDIT_ROW_TABLE)} TO ${definer}`,
        },
      ],
    },
    {
      comment: ['Append-only.'],
      statements: [AUDIT_ROW_TABLE, INSTATEMENT_TABLE].flatMap((table) => appendOnly(table, names, dialect)),
    },
  ];
}

/** The statement that records a start or a stop. */
export function instatement(
  action: 'start' | 'stop',
  names: AuditNames,
  record: { readonly digest: string; readonly generator: string; readonly tables: number },
): Statement {
  return {
    label: `record the ${action}`,
    sql: [
      `INSERT INTO ${qualified(names.auditSchema, INSTATEMENT_TABLE)}`,
      '  (at, action, login, account, connection, emr_schema, schema_digest, generator, tables_audited)',
      'VALUES (',
      `  UTC_TIMESTAMP(6), '${action}', SESSION_USER(), CURRENT_USER(), CONNECTION_ID(),`,
      `  ${literal(names.emrSchema)}, '${record.digest}', ${literal(record.generator)}, ${record.tables}`,
      ')',
    ].join('\n'),
  };
}
