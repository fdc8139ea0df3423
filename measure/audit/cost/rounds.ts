import type { Connection } from 'mysql2/promise';
import { apply, auditNames, describeServer, readModel } from '../../../audit-sql/index.ts';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { processorSeconds } from '../../machine.ts';
import { rotated } from '../../statistics.ts';
import { administrator } from '../servers.ts';
import { startScriptFor } from '../start.ts';
import { CHANGED_COLUMN, COLUMN_LIST, createTable, insertRows } from './table.ts';

/** What the same table is written with: nothing, the audit's triggers, MariaDB's own history. */
export const VARIANTS = ['plain', 'audited', 'versioned'] as const;
export type Variant = (typeof VARIANTS)[number];

export const TASKS = ['insert', 'update', 'bulk', 'bulk select'] as const;
export type Task = (typeof TASKS)[number];

export const BULK_ROWS = 10_000;
const BULK_STATEMENT_ROWS = 500;
/** Rows that updates pick from. */
const STANDING_ROWS = 1_000;

export interface CostPlan {
  readonly tasks: readonly Task[];
  readonly rounds: number;
  /** Statements of one round. */
  readonly inserts: number;
  readonly updates: number;
  /** Whether MariaDB's own history is measured beside it. */
  readonly versioned: boolean;
}

/** One round of one task, for one statement; of a bulk insert, for all of it. */
export interface Sample {
  readonly round: number;
  readonly variant: Variant;
  readonly task: Task;
  readonly milliseconds: number;
  /** The server's processor time. */
  readonly cpuMilliseconds: number;
}

async function prepare(connection: Connection, variant: Variant): Promise<void> {
  await connection.query(`CREATE DATABASE ${variant}`);
  for (const table of ['patients', 'bulk']) {
    await connection.query(createTable(`${variant}.${table}`));
    if (variant === 'versioned') {
      await connection.query(`ALTER TABLE ${variant}.${table} ADD SYSTEM VERSIONING`);
    }
  }
  await connection.query(insertRows(`${variant}.patients`, 0, STANDING_ROWS));
  if (variant === 'audited') {
    const names = auditNames({ emrSchema: variant });
    const model = await readModel(connection, variant);
    await apply(connection, startScriptFor(model, names, await describeServer(connection)));
  }
}

/** What the rows of an INSERT … SELECT come from, whatever they are written to. */
async function prepareSource(connection: Connection): Promise<void> {
  await connection.query('CREATE DATABASE source');
  await connection.query(createTable('source.patients'));
  for (let first = 0; first < BULK_ROWS; first += BULK_STATEMENT_ROWS) {
    await connection.query(insertRows('source.patients', first, BULK_STATEMENT_ROWS));
  }
}

/** What one round sends, and into how many parts its time is divided. */
interface Work {
  readonly statements: readonly string[];
  readonly parts: number;
}

const count = (length: number): number[] => Array.from({ length }, (_, index) => index);

/** Written before the time is taken: making the text is the client's work. */
function workFor(variant: Variant, task: Task, plan: CostPlan, round: number, bulk: readonly string[]): Work {
  const table = `${variant}.patients`;
  switch (task) {
    case 'insert':
      return {
        statements: count(plan.inserts).map((i) => insertRows(table, round * plan.inserts + i, 1)),
        parts: plan.inserts,
      };
    case 'update':
      return {
        statements: count(plan.updates).map((i) => {
          const id = 1 + ((i * 37) % STANDING_ROWS);
          return `UPDATE ${table} SET ${CHANGED_COLUMN} = 'changed ${round} ${i}' WHERE id = ${id}`;
        }),
        parts: plan.updates,
      };
    case 'bulk':
      return { statements: ['START TRANSACTION', ...bulk, 'COMMIT'], parts: 1 };
    case 'bulk select':
      return {
        statements: [
          `INSERT INTO ${variant}.bulk (${COLUMN_LIST}) SELECT ${COLUMN_LIST} FROM source.patients`,
        ],
        parts: 1,
      };
  }
}

/**
 * What a bulk insert left is removed outside of the measured time. The numbers of its rows go on, as an EMR's
 * do: with those of the round before, every audit row would go into the middle of an index.
 */
async function clear(connection: Connection, variant: Variant, next: number): Promise<void> {
  if (variant === 'versioned') {
    await connection.query('DROP TABLE versioned.bulk');
    await connection.query(createTable('versioned.bulk'));
    await connection.query('ALTER TABLE versioned.bulk ADD SYSTEM VERSIONING');
  } else await connection.query(`TRUNCATE TABLE ${variant}.bulk`);
  await connection.query(`ALTER TABLE ${variant}.bulk AUTO_INCREMENT = ${next}`);
}

/** Every task with every variant, round by round, each round beginning with another variant. */
export async function costRounds(
  server: PrivateDatabase,
  variants: readonly Variant[],
  plan: CostPlan,
): Promise<readonly Sample[]> {
  const connection = await administrator(server);
  const samples: Sample[] = [];
  try {
    if (plan.tasks.includes('bulk select')) await prepareSource(connection);
    for (const variant of variants) await prepare(connection, variant);
    const bulk = new Map(
      variants.map((variant) => [
        variant,
        count(BULK_ROWS / BULK_STATEMENT_ROWS).map((i) =>
          insertRows(`${variant}.bulk`, i * BULK_STATEMENT_ROWS, BULK_STATEMENT_ROWS),
        ),
      ]),
    );
    let bulkRows = 0;
    // The first round warms up and does not count.
    for (let round = 0; round <= plan.rounds; round += 1) {
      for (const task of plan.tasks) {
        for (const variant of rotated(variants, round)) {
          const work = workFor(variant, task, plan, round, bulk.get(variant) ?? []);
          // As an EMR is connected.
          await connection.query(`USE ${variant}`);
          const cpu = processorSeconds([server.pid]);
          const began = performance.now();
          for (const statement of work.statements) await connection.query(statement);
          const milliseconds = (performance.now() - began) / work.parts;
          const cpuMilliseconds = ((processorSeconds([server.pid]) - cpu) * 1000) / work.parts;
          if (round > 0) samples.push({ round, variant, task, milliseconds, cpuMilliseconds });
          if (task.startsWith('bulk')) {
            bulkRows += BULK_ROWS;
            await clear(connection, variant, bulkRows + 1);
          }
        }
      }
    }
    return samples;
  } finally {
    await connection.end();
  }
}
