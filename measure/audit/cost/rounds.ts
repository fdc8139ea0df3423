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
  readonly rounds: number;
  /** Statements of one round. */
  readonly inserts: number;
  readonly updates: number;
}

/** One round of one task, for one statement; of a bulk insert, for all of it. */
export interface Sample {
  readonly variant: Variant;
  readonly task: Task;
  readonly milliseconds: number;
  /** The server's processor time. */
  readonly cpuMilliseconds: number;
}

async function prepare(connection: Connection, variant: Variant): Promise<void> {
  await connection.query(`CREATE DATABASE ${variant}`);
  for (const table of ['patients', 'bulk', 'source']) {
    await connection.query(createTable(`${variant}.${table}`));
    if (variant === 'versioned' && table !== 'source') {
      await connection.query(`ALTER TABLE ${variant}.${table} ADD SYSTEM VERSIONING`);
    }
  }
  for (let first = 0; first < BULK_ROWS; first += BULK_STATEMENT_ROWS) {
    await connection.query(insertRows(`${variant}.source`, first, BULK_STATEMENT_ROWS));
  }
  await connection.query(insertRows(`${variant}.patients`, 0, STANDING_ROWS));
  if (variant === 'audited') {
    const names = auditNames({ emrSchema: variant });
    const model = await readModel(connection, variant);
    await apply(connection, startScriptFor(model, names, await describeServer(connection)));
  }
}

async function play(
  connection: Connection,
  variant: Variant,
  task: Task,
  plan: CostPlan,
  round: number,
): Promise<number> {
  const table = `${variant}.patients`;
  switch (task) {
    case 'insert': {
      for (let i = 0; i < plan.inserts; i += 1)
        await connection.query(insertRows(table, round * plan.inserts + i, 1));
      return plan.inserts;
    }
    case 'update': {
      for (let i = 0; i < plan.updates; i += 1) {
        const id = 1 + ((i * 37) % STANDING_ROWS);
        await connection.query(
          `UPDATE ${table} SET ${CHANGED_COLUMN} = 'changed ${round} ${i}' WHERE id = ${id}`,
        );
      }
      return plan.updates;
    }
    case 'bulk': {
      await connection.query('START TRANSACTION');
      for (let first = 0; first < BULK_ROWS; first += BULK_STATEMENT_ROWS) {
        await connection.query(insertRows(`${variant}.bulk`, first, BULK_STATEMENT_ROWS));
      }
      await connection.query('COMMIT');
      return 1;
    }
    case 'bulk select': {
      await connection.query(
        `INSERT INTO ${variant}.bulk (${COLUMN_LIST}) SELECT ${COLUMN_LIST} FROM ${variant}.source`,
      );
      return 1;
    }
  }
}

/** What a bulk insert left is removed outside of the measured time. */
async function clear(connection: Connection, variant: Variant): Promise<void> {
  if (variant === 'versioned') await connection.query('DROP TABLE versioned.bulk');
  if (variant === 'versioned') {
    await connection.query(createTable('versioned.bulk'));
    await connection.query('ALTER TABLE versioned.bulk ADD SYSTEM VERSIONING');
  } else await connection.query(`TRUNCATE TABLE ${variant}.bulk`);
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
    for (const variant of variants) await prepare(connection, variant);
    // The first round warms up and does not count.
    for (let round = 0; round <= plan.rounds; round += 1) {
      for (const task of TASKS) {
        for (const variant of rotated(variants, round)) {
          const cpu = processorSeconds([server.pid]);
          const began = performance.now();
          const count = await play(connection, variant, task, plan, round);
          const milliseconds = (performance.now() - began) / count;
          const cpuMilliseconds = ((processorSeconds([server.pid]) - cpu) * 1000) / count;
          if (round > 0) samples.push({ variant, task, milliseconds, cpuMilliseconds });
          if (task.startsWith('bulk')) await clear(connection, variant);
        }
      }
    }
    return samples;
  } finally {
    await connection.end();
  }
}
