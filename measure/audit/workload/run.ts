import type { Connection, ConnectionOptions } from 'mysql2/promise';
import { seededRandom } from '../../../examples/legacy-emr/seeding/random.ts';
import { WRITE } from './kinds.ts';
import { chooseScene, type NextTable, PLAY, playEvents } from './scenes.ts';
import { ident, type Session, send, Tally } from './session.ts';
import { firstSettings } from './settings.ts';
import { halfIgnorable, readShape, type Shape, type TableShape, unnameable } from './shape.ts';

export interface WorkloadOptions {
  readonly engine: 'mariadb' | 'mysql';
  readonly connect: (options?: ConnectionOptions) => Promise<Connection>;
  readonly schema: string;
  readonly seed: string | number;
  /** At least so many statements. */
  readonly statements: number;
  /** How many write at the same time; with one, the same seed gives the same statements. */
  readonly sessions: number;
  /** True where MySQL's own layer does the cascades and fires triggers. */
  readonly cascadesAbove?: boolean;
  /** A folder that the server can read. */
  readonly files: string;
  /** Statements that the server's scheduler runs, at the end; takes about two seconds. 0 for none. */
  readonly events: number;
  /** Which tables are written to; all when undefined. */
  readonly tables?: (table: TableShape) => boolean;
  /** Seconds since the epoch that every session takes for now, so that two runs write the same times. */
  readonly clock?: number;
  readonly log?: (line: string) => void;
}

export interface WorkloadResult {
  readonly tally: Tally;
  readonly shape: Shape;
  readonly seconds: number;
}

/** Tables in an order of chance, each once before any a second time. */
function roundRobin(session: Session): NextTable {
  let left: Shape['tables'][number][] = [];
  return () => {
    if (left.length === 0) left = [...session.shape.tables];
    const index = session.random.below(left.length);
    const [table] = left.splice(index, 1);
    if (table === undefined) throw new Error('the schema has no tables');
    return table;
  };
}

/**
 * Writes to every table of a schema, in every way this file's neighbours know. Everything it makes beside
 * rows is in a schema of its own, `<schema>_workload`.
 */
export async function runWorkload(options: WorkloadOptions): Promise<WorkloadResult> {
  const began = performance.now();
  const tally = new Tally(options.log);
  const helpers = `${options.schema}_workload`;
  const sessions: Session[] = [];
  try {
    for (let number = 0; number < options.sessions; number += 1) {
      const connection = await options.connect({ charset: 'utf8mb4', supportBigNumbers: true });
      if (number === 0) await connection.query(`CREATE DATABASE IF NOT EXISTS ${ident(helpers)}`);
      await connection.query(`USE ${ident(helpers)}`);
      const shape = sessions[0]?.shape ?? chosen(await readShape(connection, options.schema), options.tables);
      const session: Session = {
        connection,
        look: await observer(options),
        engine: options.engine,
        random: seededRandom(`${options.seed}/${number}`),
        shape,
        neverIgnore: options.engine === 'mysql' ? halfIgnorable(shape) : unnameable(shape),
        cascadesAbove: options.cascadesAbove === true,
        helpers,
        files: options.files,
        tally,
        samples: new Map(),
        alone: options.sessions === 1,
        number,
        foreignKeyChecks: true,
      };
      await firstSettings(session);
      if (options.clock !== undefined) await connection.query(`SET timestamp = ${options.clock}`);
      sessions.push(session);
    }
    const [first] = sessions;
    if (first === undefined) throw new Error('no session');
    for (const table of first.shape.tables) {
      for (const kind of ['insert many', 'insert one'] as const) {
        first.samples.clear();
        await send(first, kind, await WRITE[kind](first, table));
      }
    }
    await Promise.all(sessions.map((session) => play(session, options.statements - options.events)));
    if (options.events > 0) await playEvents(first, roundRobin(first), options.events);
    return { tally, shape: first.shape, seconds: (performance.now() - began) / 1000 };
  } finally {
    for (const { connection, look } of sessions) {
      await connection.end().catch(() => {});
      await look.end().catch(() => {});
    }
  }
}

async function observer(options: WorkloadOptions): Promise<Connection> {
  const look = await options.connect({ charset: 'utf8mb4' });
  await look.query("SET SESSION sql_mode = ''");
  await look.query('SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED');
  return look;
}

function chosen(shape: Shape, wanted: WorkloadOptions['tables']): Shape {
  return wanted === undefined ? shape : { ...shape, tables: shape.tables.filter(wanted) };
}

async function play(session: Session, statements: number): Promise<void> {
  const next = roundRobin(session);
  while (session.tally.statements < statements) await PLAY[chooseScene(session)](session, next);
}
