import type { Dialect } from '../dialect.ts';
import {
  type Account,
  AUDIT_ROW_TABLE,
  type AuditNames,
  accountSql,
  DIRECT_ROW_TABLE,
  INSTATEMENT_TABLE,
  ident,
  literal,
  qualified,
  TRIGGER_PREFIX,
} from '../names.ts';
import {
  instatementTable,
  provenanceStatements,
  rowTables,
  trailView,
  upgradeSection,
} from './audit-tables.ts';
import type { Section, Statement } from './script.ts';

export { AUDIT_OPERATIONS, type AuditOperation, rowTableOf, upgradeSection } from './audit-tables.ts';

/** Statements after which `account` exists, has no usable password and is locked. */
export function lockedAccount(account: Account, dialect: Dialect): Statement[] {
  const sql = accountSql(account);
  const shape = `${sql} ${dialect.unusableAuthentication} ACCOUNT LOCK`;
  return [
    { label: `account ${sql}`, sql: `CREATE USER IF NOT EXISTS ${shape}` },
    { label: `account ${sql} locked`, sql: `ALTER USER ${shape}` },
  ];
}

/**
 * Even the administrator's plain UPDATE and DELETE of audit rows are refused. Before the change where nothing
 * would take it back. Where a transaction does, an update is refused after it: for a BEFORE UPDATE trigger the
 * server prepares every INSERT too, as if NOT NULL columns could still be filled in.
 */
function appendOnly(table: string, names: AuditNames, dialect: Dialect): Statement[] {
  return (['update', 'delete'] as const).flatMap((event) =>
    dialect
      .replaceTrigger({
        schema: names.auditSchema,
        table,
        name: `${TRIGGER_PREFIX}no_${event}_${table}`,
        definer: names.definer,
        rest:
          `${event === 'update' && table === AUDIT_ROW_TABLE ? 'AFTER' : 'BEFORE'} ${event.toUpperCase()} ` +
          `ON ${qualified(names.auditSchema, table)} FOR EACH ROW\n` +
          `SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'The audit trail is append-only.'`,
      })
      .map((sql) => ({ label: `${table} refuses ${event}`, sql })),
  );
}

/** Schema, accounts and tables of the audit, made where missing. */
export function storeSections(names: AuditNames, dialect: Dialect): Section[] {
  const definer = accountSql(names.definer);
  const provenance = provenanceStatements(names, dialect);
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
        ...rowTables(names, dialect),
        { label: 'audit instatement log', sql: instatementTable(names) },
      ],
    },
    upgradeSection(names, dialect),
    ...(provenance.length > 0
      ? [
          {
            comment: [
              'Who and when: what the server fills in by itself. Said at every start, whatever was there.',
            ],
            statements: provenance,
          },
        ]
      : []),
    {
      comment: [
        'The triggers run as this account. Nobody can log in as it: it is locked and has no password.',
        'SELECT and TRIGGER are what a server demands of a definer whose triggers look at OLD and NEW.',
      ],
      statements: [
        ...lockedAccount(names.definer, dialect),
        { label: 'definer grants', sql: `GRANT SELECT, TRIGGER ON ${emr}.* TO ${definer}` },
        { label: 'definer grants', sql: `GRANT TRIGGER ON ${audit}.* TO ${definer}` },
        ...[AUDIT_ROW_TABLE, DIRECT_ROW_TABLE].map((table) => ({
          label: 'definer grants',
          sql: `GRANT INSERT ON ${qualified(names.auditSchema, table)} TO ${definer}`,
        })),
      ],
    },
    {
      comment: ['For auditors: the rows that count.'],
      statements: [trailView(names)],
    },
    {
      comment: ['Append-only.'],
      statements: [AUDIT_ROW_TABLE, DIRECT_ROW_TABLE, INSTATEMENT_TABLE].flatMap((table) =>
        appendOnly(table, names, dialect),
      ),
    },
  ];
}

/** The statement that records a start or a stop. */
export function instatement(
  action: 'start' | 'stop',
  names: AuditNames,
  record: {
    readonly digest: string;
    readonly generator: string;
    readonly tables: number;
    /** Canonical JSON of the model's tables, from which the next start sees what a migration changed. */
    readonly schemaModel: string;
  },
): Statement {
  return {
    label: `record the ${action}`,
    sql: [
      `INSERT INTO ${qualified(names.auditSchema, INSTATEMENT_TABLE)}`,
      '  (at, action, login, account, connection, emr_schema, schema_digest, generator, tables_audited, schema_model)',
      'VALUES (',
      `  UTC_TIMESTAMP(6), '${action}', SESSION_USER(), CURRENT_USER(), CONNECTION_ID(),`,
      `  ${literal(names.emrSchema)}, '${record.digest}', ${literal(record.generator)}, ${record.tables},`,
      `  ${literal(record.schemaModel)}`,
      ')',
    ].join('\n'),
  };
}
