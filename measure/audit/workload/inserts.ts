import { newRow, type Row, sameKey, settable } from './rows.ts';
import { type Draft, ident, inOrder, type Session, tableSql } from './session.ts';
import type { TableShape } from './shape.ts';
import { change, value } from './values.ts';

function columnList(row: Row): string {
  return `(${[...row.keys()].map(ident).join(', ')})`;
}

function tuple(row: Row): string {
  return `(${[...row.values()].join(', ')})`;
}

async function manyRows(session: Session, table: TableShape, count: number): Promise<Row[]> {
  const first = await newRow(session, table);
  const rows: Row[] = [first];
  while (rows.length < count) {
    const next = await newRow(session, table, [...first.keys()]);
    // Foreign keys are chosen anew; a column that fell away would shift the others.
    rows.push(new Map([...first].map(([name, sql]) => [name, next.get(name) ?? sql])));
  }
  return rows;
}

export async function insertOne(session: Session, table: TableShape): Promise<Draft> {
  const row = await newRow(session, table);
  return {
    sql: `INSERT INTO ${tableSql(session, table)} ${columnList(row)} VALUES ${tuple(row)}`,
    tables: [table.name],
  };
}

export async function insertMany(session: Session, table: TableShape): Promise<Draft> {
  const rows = await manyRows(session, table, 2 + session.random.below(5));
  const verb = session.random.chance(25) ? 'INSERT IGNORE' : 'INSERT';
  return {
    sql: `${verb} INTO ${tableSql(session, table)} ${columnList(rows[0] ?? new Map())} VALUES ${rows.map(tuple).join(', ')}`,
    tables: [table.name],
  };
}

export async function insertSet(session: Session, table: TableShape): Promise<Draft> {
  const row = await newRow(session, table);
  const list = [...row].map(([name, sql]) => `${ident(name)} = ${sql}`);
  return { sql: `INSERT INTO ${tableSql(session, table)} SET ${list.join(', ')}`, tables: [table.name] };
}

/** From other rows of the same table, or from a list of values. */
export async function insertSelect(session: Session, table: TableShape): Promise<Draft> {
  const { random } = session;
  const into = tableSql(session, table);
  const verb = random.pick(['INSERT', 'INSERT', 'INSERT IGNORE', 'REPLACE']);
  if (random.chance(40)) {
    const rows = await manyRows(session, table, 1 + random.below(4));
    const selects = rows.map((row) => `SELECT ${[...row.values()].join(', ')}`);
    return {
      sql: `${verb} INTO ${into} ${columnList(rows[0] ?? new Map())} ${selects.join(' UNION ALL ')}`,
      tables: [table.name],
    };
  }
  const foreign = new Set(table.parents.flatMap((fk) => fk.columns));
  const columns = settable(table).filter((c) => !c.autoIncrement);
  if (columns.length === 0) return insertOne(session, table);
  const given = columns.map((c) => {
    if (!c.unique || foreign.has(c.name))
      return random.chance(10) && !foreign.has(c.name) ? value(random, c) : `s.${ident(c.name)}`;
    return /int$/.test(c.type) ? `s.${ident(c.name)} + ${1 + random.below(500)}` : value(random, c);
  });
  const limit = 1 + random.below(4);
  return {
    sql: `${verb} INTO ${into} (${columns.map((c) => ident(c.name)).join(', ')}) SELECT ${given.join(', ')} FROM ${into} AS s ${inOrder(table)} LIMIT ${limit}`,
    tables: [table.name],
  };
}

export async function insertIgnore(session: Session, table: TableShape): Promise<Draft> {
  const row = await sameKey(session, table, await newRow(session, table));
  return {
    sql: `INSERT IGNORE INTO ${tableSql(session, table)} ${columnList(row)} VALUES ${tuple(row)}`,
    tables: [table.name],
  };
}

export async function replace(session: Session, table: TableShape): Promise<Draft> {
  const rows = [await newRow(session, table)];
  const one = await sameKey(session, table, rows[0] ?? new Map());
  const both = session.random.chance(30) ? [one, rows[0] ?? one].filter((r) => r.size === one.size) : [one];
  return {
    sql: `REPLACE INTO ${tableSql(session, table)} ${columnList(one)} VALUES ${both.map(tuple).join(', ')}`,
    tables: [table.name],
  };
}

export async function onDuplicate(session: Session, table: TableShape): Promise<Draft> {
  const { random } = session;
  const row = await sameKey(session, table, await newRow(session, table));
  const foreign = new Set(table.parents.flatMap((fk) => fk.columns));
  const free = settable(table).filter((c) => !c.unique && !foreign.has(c.name));
  const chosen = free.filter(() => random.chance(30)).slice(0, 4);
  const [some] = free.length > 0 ? [random.pick(free)] : [];
  const list = (chosen.length > 0 ? chosen : some === undefined ? [] : [some]).map((c) =>
    row.has(c.name) && random.chance(40)
      ? `${ident(c.name)} = VALUES(${ident(c.name)})`
      : `${ident(c.name)} = ${change(random, c, `${tableSql(session, table)}.${ident(c.name)}`)}`,
  );
  if (list.length === 0) return insertIgnore(session, table);
  return {
    sql: `INSERT INTO ${tableSql(session, table)} ${columnList(row)} VALUES ${tuple(row)} ON DUPLICATE KEY UPDATE ${list.join(', ')}`,
    tables: [table.name],
  };
}

/**
 * Breaks off in the middle: good rows, one whose key is taken, good rows. A transactional table keeps
 * none of them, another keeps the first ones.
 */
export async function insertHalf(session: Session, table: TableShape): Promise<Draft> {
  const rows = await manyRows(session, table, 4);
  const there = await sameKey(session, table, rows[2] ?? new Map());
  const [first] = rows;
  const complete = new Map(first);
  for (const name of there.keys()) if (!complete.has(name)) complete.set(name, there.get(name) ?? 'DEFAULT');
  const filled = rows.map(
    (row, index) =>
      new Map([...complete].map(([name]) => [name, (index === 2 ? there : row).get(name) ?? 'DEFAULT'])),
  );
  return {
    sql: `INSERT INTO ${tableSql(session, table)} ${columnList(complete)} VALUES ${filled.map(tuple).join(', ')}`,
    tables: [table.name],
  };
}

/** MariaDB alone: the row comes back as a result as well. */
export async function insertReturning(session: Session, table: TableShape): Promise<Draft> {
  const draft = await (session.random.chance(50) ? insertOne : replace)(session, table);
  return session.engine === 'mariadb' ? { ...draft, sql: `${draft.sql} RETURNING 1` } : draft;
}

/** Columns that a text file can carry without knowing more of them. */
const PLAIN = /^(tinyint|smallint|mediumint|int|bigint|char|varchar|text|date|datetime)$/;

/** LOAD DATA; `REPLACE` and `IGNORE` too, with columns computed from variables. */
export async function loadData(session: Session, table: TableShape, local: boolean): Promise<Draft> {
  const { random } = session;
  const template = await newRow(session, table);
  const columns = settable(table).filter((c) => template.has(c.name));
  const plain = columns.filter(
    (c) => PLAIN.test(c.type) && !table.parents.some((fk) => fk.columns.includes(c.name)),
  );
  const lines = Array.from({ length: 1 + random.below(6) }, (_, line) =>
    plain
      .map((c) => {
        if (c.nullable && random.chance(15)) return '^N';
        if (/int$/.test(c.type)) return String(c.unique ? random.below(120) + 1 : random.below(100));
        if (/^date/.test(c.type)) return `20${10 + random.below(80)}-01-${10 + random.below(18)}`;
        const text = `${random.pick(['plain', 'Grüße', '', 'a^|b', 'x^^y', 'Ж'])}${line}`;
        return [...text]
          .slice(0, c.length ?? 0)
          .join('')
          .replace(/\^$/, '');
      })
      .join('|'),
  );
  const rest = columns
    .filter((c) => !plain.includes(c))
    .map((c) => `${ident(c.name)} = ${template.get(c.name)}`);
  const names = plain.map((c) => ident(c.name));
  const how = random.pick(['', ' REPLACE', ' IGNORE']);
  const target = plain.length > 0 ? ` (${names.join(', ')})` : ' (@unused)';
  const set = rest.length > 0 ? ` SET ${rest.join(', ')}` : '';
  return {
    // No backslash, which a session may have made an ordinary character.
    sql: `LOAD DATA${local ? ' LOCAL' : ''} INFILE '#FILE#'${how} INTO TABLE ${tableSql(session, table)} CHARACTER SET utf8mb4 FIELDS TERMINATED BY '|' ESCAPED BY '^' LINES TERMINATED BY ';${'\n'}'${target}${set}`,
    tables: [table.name],
    file: lines.map((line) => `${line};\n`).join(''),
  };
}
