import type { Connection } from 'mysql2/promise';
import { type Dialect, dialectOf, type ServerDescription } from '../dialect.ts';
import type { SchemaModel } from '../model.ts';
import { AUDIT_ROW_TABLE, type AuditNames, DIRECT_ROW_TABLE, qualified } from '../names.ts';
import { MAXIMUM_BINARY_BYTES } from '../writers/triggers.ts';
import { readLiveRows } from './content.ts';
import type { AuditEntry, Encoded, EncodedRow } from './entry.ts';
import { rowText, sameEncoded } from './entry.ts';
import { type Break, cellsOf, count, emptyFold, emptyTable, type Fold, take, valuesOf } from './fold.ts';
import { FIRST_DIRECT_ID, readTrail, type TRAIL_TABLES } from './read.ts';
import { inSnapshot, textRows } from './rows.ts';

type RowMap = Map<string, { readonly key: EncodedRow; readonly values: EncodedRow }>;

/** What the functions here must know of the schema. */
export interface ReplayOptions {
  readonly names: AuditNames;
  readonly server: ServerDescription;
  readonly model: SchemaModel;
  /** As given to `generate`. */
  readonly maximumBinaryBytes?: number;
}

/** The content of one table, every value encoded as its triggers encode it. */
export interface TableContent {
  /** Rows of a table with a key, by the text of the key. */
  readonly rows: ReadonlyMap<string, { readonly key: EncodedRow; readonly values: EncodedRow }>;
  /** Rows of a table without one, by their own text, and how often each is there. */
  readonly bag: ReadonlyMap<string, { readonly row: EncodedRow; readonly count: number }>;
}

/** The content of a schema at one moment, and up to which audit row that is. */
export interface ContentSnapshot {
  readonly tables: ReadonlyMap<string, TableContent>;
  readonly upTo: Readonly<Record<(typeof TRAIL_TABLES)[number], TrailEnd>>;
}

/** Where a trail table ended: the last number that was visible, and the numbers below it that were not. */
export interface TrailEnd {
  readonly last: bigint;
  readonly open: ReadonlySet<bigint>;
}

/** How far back a transaction may have taken a number that it had not committed when the snapshot was made. */
const IN_FLIGHT = 100_000n;

const FIRST_NUMBER = { [AUDIT_ROW_TABLE]: 1n, [DIRECT_ROW_TABLE]: FIRST_DIRECT_ID } as const;

async function trailEnd(
  connection: Connection,
  names: AuditNames,
  table: (typeof TRAIL_TABLES)[number],
): Promise<TrailEnd> {
  const from = qualified(names.auditSchema, table);
  const [row] = await textRows(connection, `SELECT MAX(id) FROM ${from}`, 'the audit trail');
  const open = new Set<bigint>();
  const first = FIRST_NUMBER[table];
  if (row?.[0] === null || row?.[0] === undefined) return { last: first - 1n, open };
  const last = BigInt(row[0]);
  const begin = last - first > IN_FLIGHT ? last - IN_FLIGHT : first;
  const seen = await textRows(connection, `SELECT id FROM ${from} WHERE id >= ${begin}`, 'the audit trail');
  const ids = new Set(seen.map(([id]) => BigInt(id ?? 0)));
  for (let id = begin; id < last; id += 1n) if (!ids.has(id)) open.add(id);
  return { last, open };
}

/**
 * Reads the content of every table of the model, in one consistent snapshot. Tables whose engine has no
 * transactions must not be written to meanwhile. Everything is held in memory.
 */
export function snapshotSchema(connection: Connection, options: ReplayOptions): Promise<ContentSnapshot> {
  const { names, model, server } = options;
  const dialect: Dialect = dialectOf(server);
  const limit = options.maximumBinaryBytes ?? MAXIMUM_BINARY_BYTES;
  return inSnapshot(connection, async () => {
    const tables = new Map<string, TableContent>();
    for (const table of model.tables) {
      const rows: RowMap = new Map();
      const state = emptyTable();
      for await (const live of readLiveRows(connection, names.emrSchema, table, dialect, limit)) {
        if (live.key === undefined) count(state, live.values, 1);
        else rows.set(rowText(live.key), { key: live.key, values: live.values });
      }
      tables.set(table.name, { rows, bag: state.bag });
    }
    return {
      tables,
      upTo: {
        [AUDIT_ROW_TABLE]: await trailEnd(connection, names, AUDIT_ROW_TABLE),
        [DIRECT_ROW_TABLE]: await trailEnd(connection, names, DIRECT_ROW_TABLE),
      },
    };
  });
}

/** What the snapshot and the audit trail alone say that is in the tables now. */
export interface Rebuilt {
  readonly content: ReadonlyMap<string, TableContent>;
  /** Audit rows taken after the snapshot. */
  readonly entries: number;
  /** Where the trail contradicts itself or the snapshot; empty when every row fitted. */
  readonly breaks: readonly Break[];
  /** Audit rows of tables that the snapshot does not know. */
  readonly unknownTables: readonly string[];
}

function begin(snapshot: ContentSnapshot): Fold {
  const fold = emptyFold();
  for (const [name, content] of snapshot.tables) {
    const state = emptyTable();
    for (const [text, { key, values }] of content.rows) {
      state.records.set(text, {
        key,
        present: true,
        complete: true,
        cells: cellsOf(state, values),
        cascadedBy: undefined,
        at: undefined,
      });
    }
    for (const [text, { row, count: times }] of content.bag) state.bag.set(text, { row, count: times });
    fold.tables.set(name, state);
  }
  return fold;
}

function isNew(snapshot: ContentSnapshot, entry: AuditEntry): boolean {
  const end = snapshot.upTo[entry.id < FIRST_DIRECT_ID ? AUDIT_ROW_TABLE : DIRECT_ROW_TABLE];
  return entry.id > end.last || end.open.has(entry.id);
}

/**
 * Applies the audit trail after the snapshot to the snapshot. Reads nothing of the EMR's tables.
 * @param onEntry called for every audit row taken, for counting
 */
export function rebuild(
  connection: Connection,
  options: ReplayOptions,
  snapshot: ContentSnapshot,
  onEntry: (entry: AuditEntry) => void = () => {},
): Promise<Rebuilt> {
  const fold = begin(snapshot);
  const unknown = new Set<string>();
  const main = snapshot.upTo[AUDIT_ROW_TABLE];
  let after = main.last;
  for (const id of main.open) if (id <= after) after = id - 1n;
  return inSnapshot(connection, async () => {
    for await (const entry of readTrail(connection, options.names, { after })) {
      if (!isNew(snapshot, entry)) continue;
      if (!snapshot.tables.has(entry.table)) unknown.add(entry.table);
      take(fold, entry, true);
      onEntry(entry);
    }
    return {
      content: contentOf(fold),
      entries: fold.entries,
      breaks: fold.breaks,
      unknownTables: [...unknown],
    };
  });
}

function contentOf(fold: Fold): Map<string, TableContent> {
  const content = new Map<string, TableContent>();
  for (const [name, state] of fold.tables) {
    const rows: RowMap = new Map();
    for (const [text, record] of state.records) {
      if (record.present) rows.set(text, { key: record.key, values: valuesOf(state, record) });
    }
    content.set(name, { rows, bag: state.bag });
  }
  return content;
}

/** How one table's rebuilt content compares with another. */
export interface TableDifference {
  readonly table: string;
  /** Rows that are equal in every column, byte for byte. */
  readonly equal: number;
  /** Rows, or copies of a row, that only the trail knows. */
  readonly missing: number;
  /** Rows, or copies of a row, that only the table has. */
  readonly extra: number;
  /** Rows of the same key with other values. */
  readonly different: number;
  /** The first few, for a person: `key: column trail ≠ table`. Holds data; never log it. */
  readonly examples: readonly string[];
}

const EXAMPLES = 5;

function compareRows(expected: EncodedRow, found: EncodedRow): string | undefined {
  for (const [column, value] of found) {
    const wanted: Encoded | undefined = expected.get(column);
    if (!sameEncoded(wanted, value)) return `${column}: ${JSON.stringify(wanted)} ≠ ${JSON.stringify(value)}`;
  }
  return expected.size === found.size ? undefined : 'other columns';
}

/** Compares content in its encoded form: every table of both sides, rows without a key as multisets. Pure. */
export function compareContent(
  rebuilt: ReadonlyMap<string, TableContent>,
  found: ReadonlyMap<string, TableContent>,
): TableDifference[] {
  const nothing: TableContent = { rows: new Map(), bag: new Map() };
  return [...new Set([...rebuilt.keys(), ...found.keys()])].sort().map((table) => {
    const a = rebuilt.get(table) ?? nothing;
    const b = found.get(table) ?? nothing;
    const examples: string[] = [];
    const note = (text: string): void => {
      if (examples.length < EXAMPLES) examples.push(text);
    };
    let [equal, missing, extra, different] = [0, 0, 0, 0];
    for (const [key, row] of a.rows) {
      const other = b.rows.get(key);
      const difference = other === undefined ? 'not in the table' : compareRows(row.values, other.values);
      if (difference === undefined) equal += 1;
      else if (other === undefined) missing += 1;
      else different += 1;
      if (difference !== undefined) note(`${key}: ${difference}`);
    }
    for (const key of b.rows.keys()) {
      if (a.rows.has(key)) continue;
      extra += 1;
      note(`${key}: not in the trail`);
    }
    for (const text of new Set([...a.bag.keys(), ...b.bag.keys()])) {
      const wanted = a.bag.get(text)?.count ?? 0;
      const there = b.bag.get(text)?.count ?? 0;
      equal += Math.max(0, Math.min(wanted, there));
      missing += Math.max(0, wanted - there);
      extra += Math.max(0, there - wanted);
      if (wanted !== there) note(`${text}: ${wanted} times in the trail, ${there} times in the table`);
    }
    return { table, equal, missing, extra, different, examples };
  });
}
