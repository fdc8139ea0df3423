import { createHash } from 'node:crypto';
import type { Dialect } from '../dialect.ts';
import type { ColumnModel, TableModel } from '../model.ts';
import {
  AUDIT_ROW_TABLE,
  type AuditNames,
  ident,
  literal,
  printable,
  qualified,
  TRIGGER_PREFIX,
} from '../names.ts';
import type { Section } from './script.ts';
import { type ValueWriter, valueWriter } from './values.ts';

export const ROW_OPERATIONS = ['insert', 'update', 'delete'] as const;
export type RowOperation = (typeof ROW_OPERATIONS)[number];

/** Binary values up to this many bytes are recorded whole. */
export const MAXIMUM_BINARY_BYTES = 65_536;

/**
 * The trigger's name: readable, at most 63 characters, plain ASCII (a name becomes a file name on MariaDB,
 * where other characters take five bytes), and different for table names that differ only in case.
 */
export function triggerName(table: string, operation: RowOperation): string {
  const readable = table.replace(/[^A-Za-z0-9]/g, '_').slice(0, 36);
  const digest = createHash('sha256').update(table).digest('hex').slice(0, 10);
  return `${TRIGGER_PREFIX}${operation}_${readable}_${digest}`;
}

/**
 * The server's UTC time of this row. A session can set `timestamp` and so falsify NOW() and
 * UTC_TIMESTAMP(), but not SYSDATE(); the difference of the two brings the true time back.
 */
const AT = 'UTC_TIMESTAMP(6) + INTERVAL TIMESTAMPDIFF(MICROSECOND, NOW(6), SYSDATE(6)) MICROSECOND';

/**
 * A session can set `insert_id` and so choose the number of the next row that gets one, exhausting or
 * reordering the audit's numbers. Then the number is out of range, and the change fails with its audit row.
 */
const ID = 'IF(@@insert_id = 0, NULL, -1)';

interface Writing {
  readonly column: ColumnModel;
  readonly value: ValueWriter;
}

function jsonObject(writings: readonly Writing[], row: 'OLD' | 'NEW', indent: string): string {
  const members = writings.map(({ column, value }) => `${literal(column.name)}, ${value.argument(row)}`);
  if (members.length === 1) return `JSON_OBJECT(${members[0]})`;
  return `JSON_OBJECT(\n${indent}  ${members.join(`,\n${indent}  `)}\n${indent})`;
}

/** `{"column": [old, new]}` of the columns that changed, in one pass over the row. */
function changes(writings: readonly Writing[], indent: string): string {
  const members = writings.map(({ column, value }) => {
    const key = literal(`${JSON.stringify(column.name)}:[`);
    const old = `IFNULL(${value.token('OLD')}, 'null')`;
    const now = `IFNULL(${value.token('NEW')}, 'null')`;
    return `IF(${value.unchanged}, NULL, CONCAT(${key}, ${old}, ',', ${now}, ']'))`;
  });
  return `CONCAT('{', CONCAT_WS(',',\n${indent}  ${members.join(`,\n${indent}  `)}\n${indent}), '}')`;
}

function body(
  table: TableModel,
  operation: RowOperation,
  names: AuditNames,
  writings: readonly Writing[],
): string {
  const keyed = table.key.length > 0;
  const inKey = new Set(table.key);
  const key = writings.filter(({ column }) => inKey.has(column.name));
  // Generated columns follow from the others; they are recorded only where they name the row.
  const stored = writings.filter(({ column }) => !column.generated);
  const keyRow = operation === 'insert' ? 'NEW' : 'OLD';
  const values: Record<
    RowOperation,
    { readonly old: string; readonly new: string; readonly changes: string }
  > = {
    insert: { old: 'NULL', new: jsonObject(stored, 'NEW', '  '), changes: 'NULL' },
    delete: { old: jsonObject(stored, 'OLD', '  '), new: 'NULL', changes: 'NULL' },
    update: keyed
      ? { old: 'NULL', new: 'NULL', changes: changes(stored, '  ') }
      : // Without a key only the whole old row says which row it was.
        { old: jsonObject(stored, 'OLD', '  '), new: jsonObject(stored, 'NEW', '  '), changes: 'NULL' },
  };
  const written = values[operation];
  return [
    `INSERT INTO ${qualified(names.auditSchema, AUDIT_ROW_TABLE)}`,
    '  (id, at, login, ran_as, connection, emr_table, operation, row_key, old_values, new_values, changes)',
    'VALUES (',
    `  ${ID},`,
    `  ${AT},`,
    '  SESSION_USER(), CURRENT_USER(), CONNECTION_ID(),',
    `  ${literal(table.name)}, '${operation}',`,
    `  ${keyed ? jsonObject(key, keyRow, '  ') : 'NULL'},`,
    `  ${written.old},`,
    `  ${written.new},`,
    `  ${written.changes}`,
    ')',
  ].join('\n');
}

/** The three triggers of one table. */
export function tableSection(
  table: TableModel,
  schema: string,
  names: AuditNames,
  dialect: Dialect,
  maximumBinaryBytes: number,
): Section {
  const writings = table.columns.map((column) => ({
    column,
    value: valueWriter(column, dialect, maximumBinaryBytes),
  }));
  const generated = table.columns.filter((c) => c.generated).map((c) => printable(c.name));
  const comment = [
    `Table ${printable(table.name)}: ${
      table.key.length > 0
        ? `a row is named by ${table.key.map(printable).join(', ')}.`
        : 'no key names a row, so updates record the whole old and new row.'
    }`,
    ...(generated.length > 0 ? [`Generated, not recorded: ${generated.join(', ')}.`] : []),
  ];
  const statements = ROW_OPERATIONS.flatMap((operation) =>
    dialect
      .replaceTrigger({
        schema,
        table: table.name,
        name: triggerName(table.name, operation),
        definer: names.definer,
        rest: `AFTER ${operation.toUpperCase()} ON ${ident(schema)}.${ident(table.name)} FOR EACH ROW\n${body(table, operation, names, writings)}`,
      })
      .map((sql) => ({ label: `${operation} trigger of ${printable(table.name)}`, sql })),
  );
  return { comment, statements };
}
