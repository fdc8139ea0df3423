import { Readable } from 'node:stream';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Random } from '../../../examples/legacy-emr/seeding/random.ts';
import type { ColumnShape, Shape, TableShape } from './shape.ts';
import { literalOf } from './values.ts';

export function ident(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** One of several that write at the same time: a connection with its own chance and its own settings. */
export interface Session {
  readonly connection: Connection;
  /** For looking at rows: takes no locks, is in no transaction, and keeps its settings. */
  readonly look: Connection;
  readonly engine: 'mariadb' | 'mysql';
  readonly random: Random;
  readonly shape: Shape;
  /** Tables on which the workload uses no IGNORE; see `halfIgnorable` and `unnameable`. */
  readonly neverIgnore: ReadonlySet<string>;
  /** MySQL's own layer does the cascades and fires triggers: not for a DELETE from two tables, so there is none. */
  readonly cascadesAbove: boolean;
  /** Schema of the routines, views and events that the workload makes; never audited. */
  readonly helpers: string;
  /** Where a file can be put that the server reads. */
  readonly files: string;
  readonly tally: Tally;
  readonly samples: Map<string, Sample>;
  /** False when others write at the same time. */
  readonly alone: boolean;
  /** Tells the names of what the sessions make apart. */
  readonly number: number;
  /** As the session has them now. */
  foreignKeyChecks: boolean;
}

/** Rows that were there a moment ago, as literals of the columns that name or join them. */
export interface Sample {
  readonly rows: readonly ReadonlyMap<string, string>[];
  readonly count: number;
  used: number;
}

/** What was sent, by kind and by table. */
export class Tally {
  readonly kinds = new Map<string, { done: number; failed: number }>();
  readonly tables = new Map<string, number>();
  readonly errors = new Map<string, number>();
  statements = 0;
  failed = 0;
  /** Called with every statement, in the order of this process; for finding what broke. */
  readonly log: ((line: string) => void) | undefined;

  constructor(log?: (line: string) => void) {
    this.log = log;
  }

  count(kind: string, tables: readonly string[], error: string | undefined): void {
    const entry = this.kinds.get(kind) ?? { done: 0, failed: 0 };
    this.kinds.set(kind, entry);
    this.statements += 1;
    if (error === undefined) entry.done += 1;
    else {
      entry.failed += 1;
      this.failed += 1;
      this.errors.set(error, (this.errors.get(error) ?? 0) + 1);
    }
    if (error === undefined) for (const t of tables) this.tables.set(t, (this.tables.get(t) ?? 0) + 1);
  }
}

/** A statement to send, and the tables that it names. */
export interface Draft {
  readonly sql: string;
  readonly tables: readonly string[];
  /** The file of a LOAD DATA LOCAL. */
  readonly file?: string;
  readonly parameters?: readonly (string | number | null)[];
}

const FATAL = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'ECONNRESET',
  'EPIPE',
  'ER_PARSE_ERROR',
  'ER_SERVER_SHUTDOWN',
]);

/**
 * Sends a statement and counts it. That it fails is part of the workload; that the connection is lost, or
 * that the workload cannot write SQL, is not.
 */
export async function send(session: Session, kind: string, draft: Draft): Promise<boolean> {
  let code: string | undefined;
  try {
    if (draft.parameters !== undefined) {
      await session.connection.execute(draft.sql, [...draft.parameters]);
    } else if (draft.file !== undefined) {
      const content = draft.file;
      await session.connection.query({
        sql: draft.sql,
        infileStreamFactory: () => Readable.from([Buffer.from(content)]),
      });
    } else await session.connection.query(draft.sql);
  } catch (error) {
    const { code: name, errno } = error as { code?: string; errno?: number };
    // The driver has no names for some of MariaDB's errors.
    code = name ?? (errno === undefined ? 'unknown' : `ER_${errno}`);
    if (FATAL.has(code) || code === 'unknown') {
      throw new Error(`the workload's statement cannot be sent (${code}): ${draft.sql.slice(0, 2000)}`, {
        cause: error,
      });
    }
  }
  session.tally.log?.(`${session.number} ${kind} ${code ?? 'ok'} ${draft.sql}`);
  session.tally.count(kind, draft.tables, code);
  return code === undefined;
}

/** A statement that only sets the scene. @throws whatever the server says */
export async function arrange(session: Session, sql: string): Promise<void> {
  session.tally.log?.(`${session.number} - ok ${sql}`);
  await session.connection.query(sql);
}

export function tableSql(session: Session, table: TableShape): string {
  return `${ident(session.shape.schema)}.${ident(table.name)}`;
}

/** The columns by which rows are named, joined and referred to. */
export function namingColumns(shape: Shape, table: TableShape): readonly ColumnShape[] {
  const wanted = new Set([
    ...table.key,
    ...table.uniques.flat(),
    ...table.parents.flatMap((fk) => fk.columns),
  ]);
  for (const other of shape.tables) {
    for (const fk of other.parents)
      if (fk.parent === table.name) for (const c of fk.parentColumns) wanted.add(c);
  }
  const named = table.columns.filter((c) => wanted.has(c.name));
  if (table.key.length > 0) return named;
  const plain = table.columns.filter((c) => !wanted.has(c.name) && /int$|char$|date$/.test(c.type));
  return [...named, ...plain.slice(0, 3)];
}

const SAMPLE_ROWS = 24;
const SAMPLE_USES = 14;

/** Some rows of the table; read anew after a while, so it may name rows that are gone. */
export async function sample(session: Session, table: TableShape): Promise<Sample> {
  const known = session.samples.get(table.name);
  if (known !== undefined && known.used < SAMPLE_USES) {
    known.used += 1;
    return known;
  }
  const columns = namingColumns(session.shape, table);
  const from = tableSql(session, table);
  const [[counted]] = await session.look.query<RowDataPacket[]>(`SELECT COUNT(*) AS n FROM ${from}`);
  const count = Number(counted?.n);
  const offset = count > SAMPLE_ROWS ? session.random.below(count - SAMPLE_ROWS) : 0;
  const list = columns.map((c, i) => `${literalOf(c, ident(c.name))} AS c${i}`);
  const [rows] =
    columns.length === 0
      ? [[]]
      : await session.look.query<RowDataPacket[]>(
          // In order, so that the same content gives the same statements.
          `SELECT ${list.join(', ')} FROM ${from} ORDER BY ${columns.map((c) => ident(c.name)).join(', ')} LIMIT ${SAMPLE_ROWS} OFFSET ${offset}`,
        );
  const fresh: Sample = {
    rows: rows.map((row) => new Map(columns.map((c, i) => [c.name, String(row[`c${i}`])]))),
    count,
    used: 0,
  };
  session.samples.set(table.name, fresh);
  return fresh;
}

const ORDERED = /int$|decimal|year|char$|date|time$|enum|^set$|timestamp/;

/**
 * An order in which no two different rows are equal, so that LIMIT takes the same ones whatever index the
 * server reads.
 */
export function inOrder(table: TableShape, first: readonly string[] = []): string {
  const last =
    table.key.length > 0 ? table.key : table.columns.filter((c) => ORDERED.test(c.type)).map((c) => c.name);
  return `ORDER BY ${[...first, ...last.map(ident)].join(', ')}`;
}

/** A row's name as a condition, or undefined when the table has no row. */
export async function oneRow(session: Session, table: TableShape, alias = ''): Promise<string | undefined> {
  const { rows } = await sample(session, table);
  if (rows.length === 0) return undefined;
  const row = session.random.pick(rows);
  const names = table.key.length > 0 ? table.key : [...row.keys()].slice(0, 3);
  if (names.length === 0) return undefined;
  const prefix = alias === '' ? '' : `${alias}.`;
  return names.map((name) => `${prefix}${ident(name)} <=> ${row.get(name) ?? 'NULL'}`).join(' AND ');
}
