import { draft } from './kinds.ts';
import { arrange, ident, type Session, send } from './session.ts';
import { changeSettings } from './settings.ts';
import type { TableShape } from './shape.ts';
import { unicode } from './values.ts';

/** Everything around the statements that the audit must see through. */
export const SCENES = [
  'by itself',
  'transaction, committed',
  'transaction, rolled back',
  'savepoint, rolled back to',
  'autocommit off',
  'two phases (XA)',
  'prepared',
  'prepared, with parameters',
  'procedure',
  'function',
  'view',
  'foreign keys not checked',
  'other settings',
] as const;
export type Scene = (typeof SCENES)[number];

const WEIGHTS: Readonly<Record<Scene, number>> = {
  'by itself': 60,
  'transaction, committed': 4,
  'transaction, rolled back': 3,
  'savepoint, rolled back to': 3,
  'autocommit off': 2,
  'two phases (XA)': 1,
  prepared: 3,
  'prepared, with parameters': 3,
  procedure: 1.5,
  function: 1,
  view: 3,
  'foreign keys not checked': 2,
  'other settings': 4,
};
const TOTAL = SCENES.reduce((sum, scene) => sum + WEIGHTS[scene], 0);

export function chooseScene(session: Session): Scene {
  let rest = session.random.below(TOTAL * 10) / 10;
  for (const scene of SCENES) {
    rest -= WEIGHTS[scene];
    if (rest < 0) return scene;
  }
  return 'by itself';
}

export type NextTable = () => TableShape;

async function one(session: Session, table: TableShape, scene: Scene): Promise<void> {
  const { kind, draft: written } = await draft(session, table, false);
  const file =
    written.file === undefined ? undefined : `load-${session.number}-${session.tally.statements}.txt`;
  await send(session, scene === 'by itself' ? kind : scene, await withFile(session, kind, written, file));
}

/** Puts the file of a LOAD DATA where it belongs. */
async function withFile(
  session: Session,
  kind: string,
  written: Awaited<ReturnType<typeof draft>>['draft'],
  name: string | undefined,
): Promise<typeof written> {
  if (name === undefined || written.file === undefined) return written;
  if (kind !== 'load data') return { ...written, sql: written.sql.replace('#FILE#', name) };
  const { writeFile } = await import('node:fs/promises');
  const path = `${session.files}/${name}`;
  await writeFile(path, written.file);
  const { file: _, ...rest } = written;
  return { ...rest, sql: written.sql.replace('#FILE#', path) };
}

async function some(session: Session, next: NextTable, scene: Scene): Promise<void> {
  const count = 1 + session.random.below(4);
  for (let i = 0; i < count; i += 1) await one(session, next(), scene);
}

/** After a deadlock the server has rolled back by itself; then there is nothing left to end. */
async function end(session: Session, sql: string): Promise<void> {
  try {
    await arrange(session, sql);
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    if (!/SP_DOES_NOT_EXIST|XAER|XA_RB/.test(code)) throw error;
    await session.connection
      .query(sql.startsWith('XA') ? sql.replace('COMMIT', 'ROLLBACK') : 'ROLLBACK')
      .catch(() => {});
  }
}

async function transaction(session: Session, next: NextTable, scene: Scene, ending: string): Promise<void> {
  await arrange(session, 'START TRANSACTION');
  await some(session, next, scene);
  await end(session, ending);
}

async function savepoint(session: Session, next: NextTable, scene: Scene): Promise<void> {
  await arrange(session, 'START TRANSACTION');
  await one(session, next(), scene);
  try {
    await arrange(session, 'SAVEPOINT here');
  } catch (error) {
    // Aria takes part in transactions and knows no savepoints; then neither does the rest of this one.
    if ((error as { errno?: number }).errno !== 1178) throw error;
    await arrange(session, 'COMMIT');
    return;
  }
  await some(session, next, scene);
  await end(session, 'ROLLBACK TO SAVEPOINT here');
  await one(session, next(), scene);
  await end(session, session.random.chance(80) ? 'COMMIT' : 'ROLLBACK');
}

async function twoPhases(session: Session, next: NextTable, scene: Scene): Promise<void> {
  const name = `'x${session.number}-${session.tally.statements}'`;
  await arrange(session, `XA START ${name}`);
  await some(session, next, scene);
  try {
    await arrange(session, `XA END ${name}`);
    await arrange(session, `XA PREPARE ${name}`);
    await arrange(session, `XA ${session.random.chance(70) ? 'COMMIT' : 'ROLLBACK'} ${name}`);
  } catch {
    // A deadlock within: only ROLLBACK is left.
    await session.connection.query(`XA END ${name}`).catch(() => {});
    await arrange(session, `XA ROLLBACK ${name}`);
  }
}

async function prepared(session: Session, table: TableShape, scene: Scene): Promise<void> {
  const { draft: written } = await draft(session, table, true);
  if (session.random.chance(50)) {
    await send(session, scene, { ...written, parameters: [] });
    return;
  }
  await arrange(session, `SET @statement = ${unicode(written.sql)}`);
  // What is wrong with a statement may show when it is prepared already.
  if (!(await send(session, scene, { tables: [], sql: 'PREPARE s FROM @statement' }))) return;
  await send(session, scene, { ...written, sql: 'EXECUTE s' });
  await arrange(session, 'DEALLOCATE PREPARE s');
}

/** Literals of the statement become parameters of the binary protocol. */
async function withParameters(session: Session, table: TableShape, scene: Scene): Promise<void> {
  const { draft: written } = await draft(session, table, true);
  const parameters: (string | number)[] = [];
  const sql = written.sql.replace(/ = (-?\d{1,9})(?=[, ]|$)| = '([a-z0-9 ]*)'/gi, (_, digits, text) => {
    parameters.push(digits === undefined ? String(text) : Number(digits));
    return ' = ?';
  });
  await send(session, scene, { ...written, sql, parameters });
}

async function routine(session: Session, table: TableShape, scene: 'procedure' | 'function'): Promise<void> {
  const name = `${ident(session.helpers)}.r${session.number}`;
  const { draft: written } = await draft(session, table, true);
  const { draft: second } = await draft(session, table, true);
  // Oracle's spelling is another language.
  const create =
    scene === 'procedure'
      ? `CREATE PROCEDURE ${name}() BEGIN ${written.sql}; ${second.sql}; END`
      : `CREATE FUNCTION ${name}() RETURNS INT DETERMINISTIC BEGIN ${written.sql}; RETURN ROW_COUNT(); END`;
  await arrange(session, `DROP ${scene.toUpperCase()} IF EXISTS ${name}`);
  await arrange(session, create);
  await send(session, scene, {
    sql: scene === 'procedure' ? `CALL ${name}()` : `DO ${name}()`,
    tables: scene === 'procedure' ? [...written.tables, ...second.tables] : written.tables,
  });
  await arrange(session, `DROP ${scene.toUpperCase()} ${name}`);
}

/** The same statement, written to a view of the table. */
async function view(session: Session, table: TableShape, scene: Scene): Promise<void> {
  const name = `${ident(session.helpers)}.v${session.number}`;
  const base = `${ident(session.shape.schema)}.${ident(table.name)}`;
  // Named one by one: `*` leaves invisible columns out.
  const columns = table.columns.map((c) => ident(c.name)).join(', ');
  await arrange(session, `CREATE OR REPLACE VIEW ${name} AS SELECT ${columns} FROM ${base}`);
  const { draft: written } = await draft(session, table, true);
  await send(session, scene, { ...written, sql: written.sql.replaceAll(base, name) });
}

async function unchecked(session: Session, next: NextTable, scene: Scene): Promise<void> {
  await arrange(session, 'SET SESSION foreign_key_checks = 0');
  session.foreignKeyChecks = false;
  await some(session, next, scene);
  session.foreignKeyChecks = true;
  await arrange(session, 'SET SESSION foreign_key_checks = 1');
}

async function autocommitOff(session: Session, next: NextTable, scene: Scene): Promise<void> {
  await arrange(session, 'SET SESSION autocommit = 0');
  await some(session, next, scene);
  await arrange(session, session.random.chance(70) ? 'COMMIT' : 'ROLLBACK');
  await arrange(session, 'SET SESSION autocommit = 1');
}

type Play = (session: Session, next: NextTable) => Promise<void>;

export const PLAY: Readonly<Record<Scene, Play>> = {
  'by itself': (s, next) => one(s, next(), 'by itself'),
  'transaction, committed': (s, next) => transaction(s, next, 'transaction, committed', 'COMMIT'),
  'transaction, rolled back': (s, next) => transaction(s, next, 'transaction, rolled back', 'ROLLBACK'),
  'savepoint, rolled back to': (s, next) => savepoint(s, next, 'savepoint, rolled back to'),
  'autocommit off': (s, next) => autocommitOff(s, next, 'autocommit off'),
  'two phases (XA)': (s, next) => twoPhases(s, next, 'two phases (XA)'),
  prepared: (s, next) => prepared(s, next(), 'prepared'),
  'prepared, with parameters': (s, next) => withParameters(s, next(), 'prepared, with parameters'),
  procedure: (s, next) => routine(s, next(), 'procedure'),
  function: (s, next) => routine(s, next(), 'function'),
  view: (s, next) => view(s, next(), 'view'),
  'foreign keys not checked': (s, next) => unchecked(s, next, 'foreign keys not checked'),
  'other settings': async (s, next) => {
    await changeSettings(s);
    await one(s, next(), 'other settings');
  },
};

/** Some statements that the server's own scheduler runs; waits until all have run. */
export async function playEvents(session: Session, next: NextTable, count: number): Promise<void> {
  const { connection } = session;
  await connection.query("SET GLOBAL event_scheduler = ON, SESSION sql_mode = '', time_zone = 'SYSTEM'");
  for (let i = 0; i < count; i += 1) {
    const { draft: written } = await draft(session, next(), true);
    await send(session, 'event', {
      sql: `CREATE EVENT ${ident(session.helpers)}.e${i} ON SCHEDULE AT CURRENT_TIMESTAMP DO ${written.sql}`,
      tables: written.tables,
    });
  }
  const deadline = performance.now() + 20_000;
  for (;;) {
    const [rows] = await connection.query('SELECT 1 FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ?', [
      session.helpers,
    ]);
    if ((rows as unknown[]).length === 0) break;
    if (performance.now() > deadline) throw new Error('the events did not run within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // Dropped when it began; it may still be at work.
  await connection.query('SET GLOBAL event_scheduler = OFF');
  for (;;) {
    const [rows] = await connection.query(
      "SELECT 1 FROM information_schema.PROCESSLIST WHERE COMMAND IN ('Connect', 'Daemon') AND DB = ?",
      [session.helpers],
    );
    if ((rows as unknown[]).length === 0 || performance.now() > deadline) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
