import { foreignColumns, reference, settable } from './rows.ts';
import { type Draft, ident, inOrder, oneRow, type Session, sample, tableSql } from './session.ts';
import type { ColumnShape, ForeignKeyShape, TableShape } from './shape.ts';
import { change, value } from './values.ts';

/** Assignments to one to four columns that neither name the row nor join it; sometimes a foreign key's. */
async function assignments(session: Session, table: TableShape, alias = ''): Promise<string[]> {
  const { random } = session;
  const prefix = alias === '' ? '' : `${alias}.`;
  const foreign = foreignColumns(table);
  const free = settable(table).filter((c) => !c.unique && !foreign.has(c.name) && !c.autoIncrement);
  const wanted = 1 + random.below(4);
  const chosen = new Set<ColumnShape>();
  for (let i = 0; i < wanted && free.length > 0; i += 1) chosen.add(random.pick(free));
  const list = [...chosen].map(
    (c) => `${prefix}${ident(c.name)} = ${change(random, c, `${prefix}${ident(c.name)}`)}`,
  );
  if (table.parents.length > 0 && (random.chance(25) || list.length === 0)) {
    const fk = random.pick(table.parents);
    const generated = table.columns.some((c) => c.generated && fk.columns.includes(c.name));
    if (!generated && !fk.columns.some((name) => table.key.includes(name))) {
      for (const [name, sql] of await reference(session, table, fk))
        list.push(`${prefix}${ident(name)} = ${sql}`);
    }
  }
  if (list.length > 0) return list;
  const column = settable(table).find((c) => !c.autoIncrement) ?? settable(table)[0];
  return column === undefined ? [] : [`${prefix}${ident(column.name)} = ${value(random, column)}`];
}

/** `UPDATE`, with IGNORE now and then. */
async function head(session: Session, table: TableShape, ignore = 10): Promise<string> {
  const list = await assignments(session, table);
  const verb = session.random.chance(ignore) ? 'UPDATE IGNORE' : 'UPDATE';
  return `${verb} ${tableSql(session, table)} SET ${list.join(', ')}`;
}

export async function updateKey(session: Session, table: TableShape): Promise<Draft> {
  const where = (await oneRow(session, table)) ?? '1 = 0';
  return { sql: `${await head(session, table)} WHERE ${where}`, tables: [table.name] };
}

/** A condition that several rows meet. */
export async function range(session: Session, table: TableShape): Promise<string> {
  const { random } = session;
  const { rows } = await sample(session, table);
  const column = table.columns.find((c) => c.name === table.key.at(-1)) ?? random.pick(table.columns);
  const bound = rows.length === 0 ? undefined : random.pick(rows).get(column.name);
  if (bound === undefined || bound === 'NULL') return `${ident(column.name)} IS NOT NULL`;
  return `${ident(column.name)} ${random.pick(['>=', '<=', '<>'])} ${bound}`;
}

export async function updateRange(session: Session, table: TableShape): Promise<Draft> {
  return { sql: `${await head(session, table)} WHERE ${await range(session, table)}`, tables: [table.name] };
}

export async function updateAll(session: Session, table: TableShape): Promise<Draft> {
  return { sql: await head(session, table), tables: [table.name] };
}

export async function updateLimit(session: Session, table: TableShape): Promise<Draft> {
  const { random } = session;
  const order = random.pick(table.columns);
  return {
    sql: `${await head(session, table)} ${inOrder(table, [`${ident(order.name)} ${random.pick(['ASC', 'DESC'])}`])} LIMIT ${1 + random.below(5)}`,
    tables: [table.name],
  };
}

export async function updateIgnore(session: Session, table: TableShape): Promise<Draft> {
  const { random } = session;
  const unique = settable(table).filter((c) => c.unique);
  if (unique.length === 0) return { sql: await head(session, table, 100), tables: [table.name] };
  // Several rows to one key: all but the first are passed over.
  const column = random.pick(unique);
  return {
    sql: `UPDATE IGNORE ${tableSql(session, table)} SET ${ident(column.name)} = ${value(random, column)} WHERE ${await range(session, table)}`,
    tables: [table.name],
  };
}

/** Changes what names the row; children follow where the foreign key says so. */
export async function updateKeyChange(session: Session, table: TableShape): Promise<Draft> {
  const { random } = session;
  const names = new Set(table.key.length > 0 ? table.key : table.uniques.flat());
  const columns = settable(table).filter((c) => names.has(c.name));
  if (columns.length === 0) return updateKey(session, table);
  const column = random.pick(columns);
  const from = tableSql(session, table);
  const name = ident(column.name);
  if (/int$/.test(column.type) && random.chance(25)) {
    const [step, order] = random.pick([
      ['+ 1', 'DESC'],
      ['- 1', 'ASC'],
    ] as const);
    return {
      sql: `UPDATE ${from} SET ${name} = ${name} ${step} ${inOrder(table, [`${name} ${order}`])} LIMIT 5`,
      tables: [table.name],
    };
  }
  const where = (await oneRow(session, table)) ?? '1 = 0';
  const more = random.chance(40) ? `, ${(await assignments(session, table)).join(', ')}` : '';
  return {
    sql: `UPDATE ${from} SET ${name} = ${value(random, { ...column, nullable: false })}${more} WHERE ${where}`,
    tables: [table.name],
  };
}

/** What joins two tables, and the other one: a foreign key where there is one. */
export async function joined(
  session: Session,
  table: TableShape,
): Promise<{ readonly other: TableShape; readonly on: string } | undefined> {
  const { random, shape } = session;
  const find = (name: string): TableShape | undefined => shape.tables.find((t) => t.name === name);
  const join = (fk: ForeignKeyShape, child: string, parent: string): string =>
    fk.columns
      .map((c, i) => `${child}.${ident(c)} = ${parent}.${ident(fk.parentColumns[i] ?? '')}`)
      .join(' AND ');
  const children = shape.tables.flatMap((t) => t.parents.filter((fk) => fk.parent === table.name));
  const keys = [...table.parents, ...children];
  if (keys.length > 0 && random.chance(75)) {
    const fk = random.pick(keys);
    const up = fk.table === table.name;
    const other = find(up ? fk.parent : fk.table);
    if (other !== undefined) return { other, on: up ? join(fk, 'a', 'b') : join(fk, 'b', 'a') };
  }
  const other = random.pick(shape.tables);
  const left = await oneRow(session, table, 'a');
  const right = await oneRow(session, other, 'b');
  return left === undefined || right === undefined ? undefined : { other, on: `${left} AND ${right}` };
}

export async function updateJoin(session: Session, table: TableShape): Promise<Draft> {
  const pair = await joined(session, table);
  if (pair === undefined) return updateKey(session, table);
  const lists = [...(await assignments(session, table, 'a'))];
  if (session.random.chance(60)) lists.push(...(await assignments(session, pair.other, 'b')));
  return {
    sql: `UPDATE ${tableSql(session, table)} AS a JOIN ${tableSql(session, pair.other)} AS b ON ${pair.on} SET ${lists.join(', ')}`,
    tables: [table.name, pair.other.name],
  };
}
