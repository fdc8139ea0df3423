import type { Dialect } from '../dialect.ts';
import type { TableModel } from '../model.ts';
import {
  AUDIT_ROW_TABLE,
  type AuditNames,
  accountSql,
  DIRECT_ROW_TABLE,
  INSTATEMENT_TABLE,
  literal,
  qualified,
  TRAIL_VIEW,
} from '../names.ts';
import { provenanceDefault } from './provenance.ts';
import type { Section, Statement } from './script.ts';

/** What a row of the trail can be about. `cascade-*`: done by a foreign key, which fires no trigger. */
export const AUDIT_OPERATIONS = ['insert', 'update', 'delete', 'cascade-update', 'cascade-delete'] as const;
export type AuditOperation = (typeof AUDIT_OPERATIONS)[number];

const CHARACTERS = 'DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin';

/** Text and not a JSON type: what is written stays as written, key by key, and is not parsed on every change. */
const JSON_TEXT = 'LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL';
const SCHEMA_MODEL = `schema_model LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'canonical JSON of the tables'`;
/** Columns of a table of audit rows, in their order. */
const COLUMNS = {
  id: 'BIGINT UNSIGNED NOT NULL AUTO_INCREMENT',
  at: "DATETIME(6) NOT NULL COMMENT 'UTC, from the server'",
  login: "VARCHAR(384) NOT NULL COMMENT 'session_user(): who was connected, and from where'",
  ran_as: "VARCHAR(384) NOT NULL COMMENT 'current_user(): the account the trigger ran as'",
  connection: "BIGINT UNSIGNED NOT NULL COMMENT 'connection_id()'",
  os_user: "VARCHAR(255) NULL COMMENT 'the person, as the client says in @serverOSUser'",
  emr_table: 'VARCHAR(64) NOT NULL',
  operation: `ENUM(${AUDIT_OPERATIONS.map((name) => `'${name}'`).join(', ')}) NOT NULL`,
  cascade_id: "BIGINT UNSIGNED NULL COMMENT 'joins what a foreign key changed to the change that caused it'",
  row_key: `${JSON_TEXT} COMMENT 'the row''s key before the change; NULL for a table without one'`,
  old_values: `${JSON_TEXT} COMMENT 'the whole row as it was'`,
  new_values: `${JSON_TEXT} COMMENT 'the whole row as it became'`,
  changes: `${JSON_TEXT} COMMENT 'of an update: {"column": [old, new]} of what changed'`,
} as const;
type Column = keyof typeof COLUMNS;

/** The comment stays last, as the server shows it. */
function defined(column: Column, dialect: Dialect): string {
  const value = provenanceDefault(column, dialect);
  const [type, ...comment] = COLUMNS[column].split(/ (?=COMMENT ')/);
  return [column, type, ...(value === undefined ? [] : [`DEFAULT (${value})`]), ...comment].join(' ');
}

/** In a table's life its key is looked up; the start of its text tells most rows apart. */
const ROW_INDEXES = ['record (emr_table, row_key(64))', 'cascade_token (cascade_id)'];

/** Engines that undo what a rolled back transaction did. */
const TRANSACTIONAL: ReadonlySet<string> = new Set(['innodb', 'ndb', 'ndbcluster', 'rocksdb', 'tokudb']);

/**
 * The audit table for the rows of a table. What MyISAM and its like wrote stays when the transaction or
 * the statement is undone, so its audit rows must stay too: they go to a table that is not undone either.
 */
export function rowTableOf(table: TableModel): typeof AUDIT_ROW_TABLE | typeof DIRECT_ROW_TABLE {
  return TRANSACTIONAL.has(table.engine.toLowerCase()) ? AUDIT_ROW_TABLE : DIRECT_ROW_TABLE;
}

/** Numbers of the two tables do not meet, and JavaScript can hold both. */
const FIRST_DIRECT_ID = 2 ** 52;

function rowTable(
  name: string,
  names: AuditNames,
  dialect: Dialect,
  options: string,
  comment: string,
): string {
  return `CREATE TABLE IF NOT EXISTS ${qualified(names.auditSchema, name)} (
${(Object.keys(COLUMNS) as Column[]).map((column) => `  ${defined(column, dialect)},`).join('\n')}
  PRIMARY KEY (id),
${ROW_INDEXES.map((index) => `  KEY ${index}`).join(',\n')}
) ${options}
  COMMENT = ${literal(comment)}`;
}

/** The two tables of audit rows, made where missing. */
export function rowTables(names: AuditNames, dialect: Dialect): Statement[] {
  // Not Aria's crash-safe kind: with it in a transaction, the EMR's SAVEPOINT is refused.
  const undoless = dialect.engine === 'mariadb' ? 'Aria TRANSACTIONAL = 0 PAGE_CHECKSUM = 1' : 'MyISAM';
  return [
    {
      label: 'audit rows',
      sql: rowTable(
        AUDIT_ROW_TABLE,
        names,
        dialect,
        `ENGINE = InnoDB ${CHARACTERS}`,
        "Every change of the EMR's rows. Append-only.",
      ),
    },
    {
      label: 'audit rows of tables without transactions',
      sql: rowTable(
        DIRECT_ROW_TABLE,
        names,
        dialect,
        `ENGINE = ${undoless} AUTO_INCREMENT = ${FIRST_DIRECT_ID} ${CHARACTERS}`,
        'The same, of tables whose engine undoes nothing. Append-only.',
      ),
    },
  ];
}

/** The log of starts and stops, made where missing. */
export function instatementTable(names: AuditNames): string {
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
  ${SCHEMA_MODEL},
  PRIMARY KEY (id)
) ENGINE = InnoDB ${CHARACTERS}
  COMMENT = 'When auditing was started and stopped, and by whom. Append-only.'`;
}

/** Statements that run `alter` unless the table has the column. No engine has a condition on all of this. */
function unlessColumn(
  table: string,
  column: string,
  alter: readonly string[],
  names: AuditNames,
): Statement[] {
  const statement = `ALTER TABLE ${qualified(names.auditSchema, table)}\n  ${alter.join(',\n  ')}`;
  const label = `${table} of generator 1`;
  return [
    {
      label,
      sql: `SET @chartgate_statement = IF(
  (SELECT COUNT(*) FROM information_schema.COLUMNS
    WHERE TABLE_SCHEMA = ${literal(names.auditSchema)} AND TABLE_NAME = '${table}' AND COLUMN_NAME = '${column}') > 0,
  'DO 0',
  ${literal(statement)})`,
    },
    { label, sql: 'PREPARE chartgate_statement FROM @chartgate_statement' },
    { label, sql: 'EXECUTE chartgate_statement' },
    { label, sql: 'DEALLOCATE PREPARE chartgate_statement' },
  ];
}

/** Brings tables that generator 1 made to the present shape; does nothing to any other. Keeps every row. */
export function upgradeSection(names: AuditNames, dialect: Dialect): Section {
  const json = ['row_key', 'old_values', 'new_values', 'changes'] as const;
  return {
    comment: ['What an earlier version of this generator made is brought up to date; its rows stay.'],
    statements: [
      ...unlessColumn(
        AUDIT_ROW_TABLE,
        'cascade_id',
        [
          `ADD COLUMN ${defined('os_user', dialect)} AFTER connection`,
          `MODIFY COLUMN ${defined('operation', dialect)}`,
          `ADD COLUMN ${defined('cascade_id', dialect)} AFTER operation`,
          ...json.map((column) => `MODIFY COLUMN ${defined(column, dialect)}`),
          'DROP KEY audited_table',
          ...ROW_INDEXES.map((index) => `ADD KEY ${index}`),
        ],
        names,
      ),
      ...unlessColumn(INSTATEMENT_TABLE, 'schema_model', [`ADD COLUMN ${SCHEMA_MODEL}`], names),
    ],
  };
}

/** Who and when, as defaults of tables that were made without them, or with others. A change of definition only. */
export function provenanceStatements(names: AuditNames, dialect: Dialect): Statement[] {
  const set = (Object.keys(COLUMNS) as Column[]).flatMap((column) => {
    const value = provenanceDefault(column, dialect);
    return value === undefined ? [] : [`ALTER COLUMN ${column} SET DEFAULT (${value})`];
  });
  if (set.length === 0) return [];
  return [AUDIT_ROW_TABLE, DIRECT_ROW_TABLE].map((table) => ({
    label: `who and when in ${table}`,
    sql: `ALTER TABLE ${qualified(names.auditSchema, table)}\n  ${set.join(',\n  ')}`,
  }));
}

/**
 * The rows that count, for auditors. What a foreign key is about to do to other rows is recorded before the
 * change that causes it; with UPDATE IGNORE and DELETE IGNORE that change may then not happen, and its own
 * row is missing. It runs with the rights of whoever reads it and so gives nobody any.
 */
export function trailView(names: AuditNames): Statement {
  const rows = qualified(names.auditSchema, AUDIT_ROW_TABLE);
  const columns = (alias: string): string =>
    Object.keys(COLUMNS)
      .map((column) => `${alias}.${column}`)
      .join(', ');
  return {
    label: 'audit trail view',
    sql: `CREATE OR REPLACE DEFINER = ${accountSql(names.definer)} SQL SECURITY INVOKER
VIEW ${qualified(names.auditSchema, TRAIL_VIEW)} AS
SELECT ${columns('r')}
  FROM ${rows} AS r
 WHERE r.operation IN ('insert', 'update', 'delete')
    OR EXISTS (SELECT 1 FROM ${rows} AS cause
                WHERE cause.cascade_id = r.cascade_id AND cause.connection = r.connection
                  AND cause.id > r.id AND cause.operation IN ('update', 'delete'))
UNION ALL
SELECT ${columns('d')}
  FROM ${qualified(names.auditSchema, DIRECT_ROW_TABLE)} AS d`,
  };
}
