import type { Connection } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import type {
  ColumnModel,
  GenerationKind,
  OwnTrigger,
  SchemaModel,
  TableModel,
  TriggerEvent,
  TriggerTiming,
  Unaudited,
} from '../model.ts';
import { printable, TRIGGER_PREFIX } from '../names.ts';
import { foreignChildren, foreignKeys } from './foreign-keys.ts';
import { byCodeUnit, group } from './order.ts';
import {
  type ColumnRow,
  type KeyRow,
  type RawCatalogue,
  readRaw,
  readTriggers,
  type TableRow,
  type TriggerRow,
} from './raw.ts';

export { byCodeUnit } from './order.ts';

/** How often a schema that changes while it is read is read anew before giving up. */
const ATTEMPTS = 4;

function generation(row: ColumnRow): GenerationKind {
  // `DEFAULT_GENERATED` is MySQL's word for an expression as default: such a column is stored as given.
  const kind = /\b(VIRTUAL|STORED|PERSISTENT) GENERATED\b|\b(VIRTUAL|PERSISTENT)\b/i.exec(row.extra);
  if (kind === null) return 'none';
  if (/^ROW START$/i.test(row.expression ?? '')) return 'row-start';
  if (/^ROW END$/i.test(row.expression ?? '')) return 'row-end';
  return (kind[1] ?? kind[2] ?? '').toUpperCase() === 'VIRTUAL' ? 'virtual' : 'stored';
}

function column(row: ColumnRow): ColumnModel {
  const kind = generation(row);
  return {
    name: row.name,
    dataType: row.dataType.toLowerCase(),
    columnType: row.columnType,
    characterSet: row.characterSet ?? undefined,
    nullable: row.nullable === 'YES',
    generated: kind !== 'none',
    generation: kind,
    invisible: /\bINVISIBLE\b/i.test(row.extra),
    touched: /\bon update\b/i.test(row.extra),
    versioned: !/\bWITHOUT SYSTEM VERSIONING\b/i.test(row.extra),
  };
}

/** The primary key, else the first unique key (by name) that can name every row, else nothing. */
function rowKey(columns: readonly ColumnModel[], rows: readonly KeyRow[]): readonly string[] {
  const keys = new Map<string, (string | null)[]>();
  for (const row of rows) {
    const list = keys.get(row.keyName);
    if (list === undefined) keys.set(row.keyName, [row.columnName]);
    else list.push(row.columnName);
  }
  const required = new Set(columns.filter((c) => !c.nullable).map((c) => c.name));
  // A functional key part has no column name; such a key cannot be written down.
  const usable = [...keys].filter(([, parts]) => parts.every((part) => part !== null && required.has(part)));
  usable.sort(([a], [b]) => (a === 'PRIMARY' ? -1 : b === 'PRIMARY' ? 1 : byCodeUnit(a, b)));
  const parts = usable[0]?.[1].filter((part): part is string => part !== null) ?? [];
  // MariaDB adds the row's end to the keys of a table whose versioning has columns of its own; among the
  // current rows it is always the same.
  const ends = new Set(columns.filter((c) => c.generation === 'row-end').map((c) => c.name));
  return parts.filter((part) => !ends.has(part));
}

const BASE_TABLES: ReadonlySet<string> = new Set(['BASE TABLE', 'SYSTEM VERSIONED']);
/** Engines whose rows are elsewhere: others can change them without this server. */
const REMOTE: ReadonlySet<string> = new Set(['federated', 'connect', 'spider', 's3', 'sphinx', 'oqgraph']);

/** What the catalogue shows that triggers cannot record, or not wholly. */
function unaudited(row: TableRow): Unaudited[] {
  const say = (reason: Unaudited['reason'], sentence: string): Unaudited[] => [
    { reason, object: row.name, sentence },
  ];
  const name = printable(row.name);
  const engine = (row.engine ?? '').toLowerCase();
  if (row.type === 'VIEW' || row.type === 'SYSTEM VIEW') {
    return say('view', `${name} is a view: changes made through it are recorded in the tables beneath it.`);
  }
  if (row.type === 'SEQUENCE') {
    return say(
      'sequence',
      `${name} is a sequence: no trigger sees its next value. The rows that use it are recorded.`,
    );
  }
  if (REMOTE.has(engine)) {
    return say(
      'remote-rows',
      `The rows of ${name} lie outside this server (${row.engine}): what is changed there is not recorded.`,
    );
  }
  if (engine === 'mrg_myisam') {
    return say(
      'merged-rows',
      `${name} shows the rows of other tables: changes through it are recorded under its own name only.`,
    );
  }
  if (engine === 'blackhole') {
    return say('no-rows', `${name} keeps no rows (BLACKHOLE): only its inserts are recorded.`);
  }
  return [];
}

/** @throws ChartgateError `privilege-missing` when a table shows no columns */
function tableModel(
  row: TableRow,
  columns: readonly ColumnModel[],
  keys: readonly KeyRow[],
): Omit<TableModel, 'foreignKeys'> {
  if (columns.length === 0) {
    throw new ChartgateError(
      'privilege-missing',
      `The columns of the table ${printable(row.name)} cannot be seen by this SQL user.`,
    );
  }
  return {
    name: row.name,
    engine: row.engine ?? '',
    columns,
    key: rowKey(columns, keys),
    uniqueColumns: columns.map((c) => c.name).filter((name) => keys.some((part) => part.columnName === name)),
    systemVersioned: row.type === 'SYSTEM VERSIONED',
    partitioned: /\bpartitioned\b/i.test(row.options ?? ''),
  };
}

function triggers(rows: readonly TriggerRow[]): readonly OwnTrigger[] {
  return rows.map((row) => ({
    name: row.name,
    table: row.tableName,
    timing: row.timing.toLowerCase() as TriggerTiming,
    event: row.event.toLowerCase() as TriggerEvent,
    order: Number(row.place),
  }));
}

function build(schema: string, raw: RawCatalogue, triggerRows: readonly TriggerRow[]): SchemaModel {
  if (raw.tables.length === 0) {
    throw new ChartgateError(
      'privilege-missing',
      `The schema ${printable(schema)} does not exist, has no tables, or this SQL user may not see them.`,
    );
  }
  const columns = group(raw.columns);
  const keys = group(raw.keys);
  const plain = raw.tables
    .filter((row) => BASE_TABLES.has(row.type))
    .map((row) => tableModel(row, (columns.get(row.name) ?? []).map(column), keys.get(row.name) ?? []))
    .sort((a, b) => byCodeUnit(a.name, b.name));
  const references = foreignKeys(schema, plain, raw.references);
  const all = triggers(triggerRows);
  return {
    schema,
    tables: plain.map((table) => ({ ...table, foreignKeys: references.get(table.name) ?? [] })),
    ownTriggers: all
      .filter((trigger) => trigger.name.startsWith(TRIGGER_PREFIX))
      .sort((a, b) => byCodeUnit(a.name, b.name)),
    emrTriggers: all
      .filter((trigger) => !trigger.name.startsWith(TRIGGER_PREFIX))
      .sort(
        (a, b) =>
          byCodeUnit(a.table, b.table) ||
          byCodeUnit(a.event, b.event) ||
          byCodeUnit(a.timing, b.timing) ||
          a.order - b.order,
      ),
    foreignChildren: foreignChildren(plain, raw.referring),
    unaudited: raw.tables.flatMap(unaudited).sort((a, b) => byCodeUnit(a.object, b.object)),
  };
}

/** Every base table shows its columns. */
function complete(raw: RawCatalogue): boolean {
  const shown = new Set(raw.columns.map((row) => row.tableName));
  return (
    raw.tables.length > 0 && raw.tables.every((row) => !BASE_TABLES.has(row.type) || shown.has(row.name))
  );
}

/**
 * Reads a schema. Needs a user who sees every table: the administrator's. The catalogue cannot be read in
 * one piece, so it is read until two readings in a row agree; what changed in between is never mixed.
 * @throws ChartgateError `privilege-missing` when the schema or all its tables are invisible,
 *   `database-busy` when it goes on changing
 */
export async function readModel(connection: Connection, schema: string): Promise<SchemaModel> {
  let before = await readRaw(connection, schema);
  let same = false;
  let triggerRows: readonly TriggerRow[] = [];
  for (let attempt = 1; attempt < ATTEMPTS; attempt += 1) {
    // Between the two readings of the tables, so that they are the triggers of these.
    triggerRows = await readTriggers(connection, schema);
    const after = await readRaw(connection, schema);
    same = after.digest === before.digest;
    // In the middle of a RENAME a table is nowhere: what looks invisible gets another look.
    if (same && complete(after)) return build(schema, after, triggerRows);
    before = after;
  }
  if (same) return build(schema, before, triggerRows);
  throw new ChartgateError(
    'database-busy',
    `The schema ${printable(schema)} was changed while it was read, ${ATTEMPTS} times in a row. ` +
      'Let the migration end, then try again.',
  );
}
