import { type Draft, ident, inOrder, oneRow, type Session, sample, tableSql } from './session.ts';
import type { TableShape } from './shape.ts';
import { joined, range } from './updates.ts';

export async function deleteKey(session: Session, table: TableShape): Promise<Draft> {
  const verb = session.random.chance(20) ? 'DELETE IGNORE' : 'DELETE';
  const where = (await oneRow(session, table)) ?? '1 = 0';
  return { sql: `${verb} FROM ${tableSql(session, table)} WHERE ${where}`, tables: [table.name] };
}

/** A few rows by range; LIMIT so that a table is not emptied over and over. */
export async function deleteRange(session: Session, table: TableShape): Promise<Draft> {
  const { count } = await sample(session, table);
  const where = await range(session, table);
  const limit = count > 60 ? 30 : 3;
  return {
    sql: `DELETE FROM ${tableSql(session, table)} WHERE ${where} ${inOrder(table)} LIMIT ${limit}`,
    tables: [table.name],
  };
}

export async function deleteLimit(session: Session, table: TableShape): Promise<Draft> {
  const { random } = session;
  const order = random.pick(table.columns);
  return {
    sql: `DELETE FROM ${tableSql(session, table)} ${inOrder(table, [ident(order.name)])} LIMIT ${1 + random.below(3)}`,
    tables: [table.name],
  };
}

/** DELETE IGNORE of several rows: those that a foreign key holds stay. */
export async function deleteIgnore(session: Session, table: TableShape): Promise<Draft> {
  return {
    sql: `DELETE IGNORE FROM ${tableSql(session, table)} WHERE ${await range(session, table)} ${inOrder(table)} LIMIT 4`,
    tables: [table.name],
  };
}

/** From two tables at once, or from one by a join. */
export async function deleteJoin(session: Session, table: TableShape): Promise<Draft> {
  const { random } = session;
  const pair = await joined(session, table);
  const one = await oneRow(session, table, 'a');
  if (pair === undefined || one === undefined) return deleteKey(session, table);
  const from = `${tableSql(session, table)} AS a JOIN ${tableSql(session, pair.other)} AS b ON ${pair.on}`;
  const both = random.chance(40) && pair.other.name !== table.name && !session.cascadesAbove;
  return {
    sql: `DELETE ${both ? 'a, b' : 'a'} FROM ${from} WHERE ${one}`,
    tables: both ? [table.name, pair.other.name] : [table.name],
  };
}

/** A whole table, for which no condition is written. */
export async function deleteAll(session: Session, table: TableShape): Promise<Draft> {
  return { sql: `DELETE FROM ${tableSql(session, table)}`, tables: [table.name] };
}
