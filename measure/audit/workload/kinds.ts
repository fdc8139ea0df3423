import { deleteAll, deleteIgnore, deleteJoin, deleteKey, deleteLimit, deleteRange } from './deletes.ts';
import {
  insertHalf,
  insertIgnore,
  insertMany,
  insertOne,
  insertReturning,
  insertSelect,
  insertSet,
  loadData,
  onDuplicate,
  replace,
} from './inserts.ts';
import { type Draft, type Session, sample } from './session.ts';
import type { TableShape } from './shape.ts';
import {
  updateAll,
  updateIgnore,
  updateJoin,
  updateKey,
  updateKeyChange,
  updateLimit,
  updateRange,
} from './updates.ts';

/** Every way a row can be written by one statement. */
export const STATEMENT_KINDS = [
  'insert one',
  'insert many',
  'insert set',
  'insert select',
  'insert ignore',
  'insert returning',
  'insert, breaks off half way',
  'replace',
  'on duplicate key update',
  'load data local',
  'load data',
  'update by key',
  'update by range',
  'update all rows',
  'update order by limit',
  'update ignore',
  'update joined tables',
  'update of the key',
  'delete by key',
  'delete by range',
  'delete order by limit',
  'delete ignore',
  'delete joined tables',
  'delete all rows',
] as const;
export type StatementKind = (typeof STATEMENT_KINDS)[number];

type Write = (session: Session, table: TableShape) => Promise<Draft>;

export const WRITE: Readonly<Record<StatementKind, Write>> = {
  'insert one': insertOne,
  'insert many': insertMany,
  'insert set': insertSet,
  'insert select': insertSelect,
  'insert ignore': insertIgnore,
  'insert returning': insertReturning,
  'insert, breaks off half way': insertHalf,
  replace,
  'on duplicate key update': onDuplicate,
  'load data local': (session, table) => loadData(session, table, true),
  'load data': (session, table) => loadData(session, table, false),
  'update by key': updateKey,
  'update by range': updateRange,
  'update all rows': updateAll,
  'update order by limit': updateLimit,
  'update ignore': updateIgnore,
  'update joined tables': updateJoin,
  'update of the key': updateKeyChange,
  'delete by key': deleteKey,
  'delete by range': deleteRange,
  'delete order by limit': deleteLimit,
  'delete ignore': deleteIgnore,
  'delete joined tables': deleteJoin,
  'delete all rows': deleteAll,
};

/** How often each comes, of the sum. */
const WEIGHTS: Readonly<Record<StatementKind, number>> = {
  'insert one': 14,
  'insert many': 12,
  'insert set': 6,
  'insert select': 6,
  'insert ignore': 4,
  'insert returning': 4,
  'insert, breaks off half way': 3,
  replace: 8,
  'on duplicate key update': 8,
  'load data local': 3,
  'load data': 2,
  'update by key': 16,
  'update by range': 5,
  'update all rows': 3,
  'update order by limit': 4,
  'update ignore': 3,
  'update joined tables': 6,
  'update of the key': 6,
  'delete by key': 7,
  'delete by range': 3,
  'delete order by limit': 2,
  'delete ignore': 2,
  'delete joined tables': 3,
  'delete all rows': 0.2,
};

const GROWING: ReadonlySet<StatementKind> = new Set(
  STATEMENT_KINDS.filter((k) => /^(insert|replace|load)/.test(k)),
);
/** Rows beyond which a table is made smaller again, so that a statement over all rows stays cheap. */
const MANY_ROWS = 120;

const TOTAL = STATEMENT_KINDS.reduce((sum, kind) => sum + WEIGHTS[kind], 0);

function anyKind(session: Session): StatementKind {
  let rest = session.random.below(TOTAL * 10) / 10;
  for (const kind of STATEMENT_KINDS) {
    rest -= WEIGHTS[kind];
    if (rest < 0) return kind;
  }
  return 'insert one';
}

/** A kind that suits how full the table is. */
export async function chooseKind(session: Session, table: TableShape): Promise<StatementKind> {
  const { count } = await sample(session, table);
  const kind = anyKind(session);
  if (count === 0 && !GROWING.has(kind)) return 'insert many';
  if (count > MANY_ROWS && GROWING.has(kind) && session.random.chance(70)) return 'delete by range';
  return kind;
}

/** A random statement over the table. `plain`: one that can stand in a routine or be prepared. */
export async function draft(
  session: Session,
  table: TableShape,
  plain: boolean,
): Promise<{ readonly kind: StatementKind; readonly draft: Draft }> {
  let kind = await chooseKind(session, table);
  while (plain && (kind.startsWith('load') || kind === 'insert returning'))
    kind = await chooseKind(session, table);
  const written = await WRITE[kind](session, table);
  if (!session.neverIgnore.has(table.name)) return { kind, draft: written };
  return { kind, draft: { ...written, sql: written.sql.replace(/^(DELETE|UPDATE) IGNORE/, '$1') } };
}
