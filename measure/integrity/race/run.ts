import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { triggerName } from '../../../audit-sql/writers/triggers.ts';
import { type Answer, Pace, served, waitFor } from '../client.ts';
import type { Clinic } from '../clinic.ts';
import { type Ledger, settle } from './ledger.ts';

/** How a trigger is taken away. */
export const MANNERS = ['for a moment', 'put back at once', 'behind a lock'] as const;
/**
 * `for a moment`: some writes come while it is away. `put back at once`: between two verdicts nothing seems to have
 * happened. `behind a lock`: the statement begins, waits for somebody's transaction, and takes effect later.
 */
export type Manner = (typeof MANNERS)[number];

export interface RaceOptions {
  readonly writesPerSecond: number;
  readonly drops: number;
}

export interface RaceFound extends Ledger {
  readonly drops: Readonly<Record<Manner, number>>;
  readonly sent: number;
  readonly seconds: number;
  /** From putting the trigger back until writes were served again, ms; a drop after which they were not is missing. */
  readonly recoveries: readonly number[];
}

/** Writes in a row that must be served before the next drop. */
const CALM = 20;
const PATIENCE_MS = 10_000;

/** Takes the insert trigger of `observations` away at random instants while writes come in at a steady rate. */
export async function runRace(
  clinic: Clinic,
  options: RaceOptions,
  progress: (line: string) => void,
): Promise<RaceFound> {
  const answers: Answer[] = [];
  const waiting = new Set<Promise<void>>();
  let streak = 0;
  const administrator = await clinic.stack.mariadb.connect({ database: clinic.tenant.schema });
  const holder = await clinic.stack.mariadb.connect({ database: clinic.tenant.schema });
  const drops: Record<Manner, number> = { 'for a moment': 0, 'put back at once': 0, 'behind a lock': 0 };
  const recoveries: number[] = [];
  // Connections are made before the load is there.
  for (let n = 0; n < 10; n += 1) await clinic.write('warm');
  const began = performance.now();
  let seconds = 0;
  const pace = new Pace(options.writesPerSecond, (number, dueAt) => {
    const sent = clinic.write(`race ${number}`, dueAt).then((answer) => {
      answers.push(answer);
      streak = served(answer) ? streak + 1 : 0;
      waiting.delete(sent);
    });
    waiting.add(sent);
  });
  try {
    const restore = await remember(administrator);
    for (let drop = 0; drop < options.drops; drop += 1) {
      streak = 0;
      if ((await waitFor(() => streak >= CALM, PATIENCE_MS)) === undefined) {
        progress(`no service before drop ${drop + 1}`);
        break;
      }
      await sleep(randomInt(10, 150));
      const manner = MANNERS[drop % MANNERS.length] ?? 'for a moment';
      await dropTrigger(administrator, holder, manner);
      await restore();
      drops[manner] += 1;
      streak = 0;
      const recovered = await waitFor(() => streak > 0, PATIENCE_MS);
      if (recovered !== undefined) recoveries.push(recovered);
      if ((drop + 1) % 50 === 0) progress(`${drop + 1} drops, ${answers.length} writes`);
    }
  } finally {
    await pace.stop();
    seconds = (performance.now() - began) / 1000;
    await Promise.all(waiting);
    await holder.end();
    await administrator.end();
  }
  return {
    drops,
    sent: pace.count,
    seconds,
    recoveries,
    ...(await settle(clinic, answers)),
  };
}

const TRIGGER = triggerName('observations', 'insert');

async function dropTrigger(administrator: Connection, holder: Connection, manner: Manner): Promise<void> {
  const drop = (): Promise<unknown> => administrator.query(`DROP TRIGGER ${TRIGGER}`);
  switch (manner) {
    case 'for a moment':
      await drop();
      await sleep(randomInt(1, 40));
      return;
    case 'put back at once':
      await drop();
      return;
    case 'behind a lock': {
      await holder.query('START TRANSACTION');
      await holder.query('SELECT id FROM observations LIMIT 1');
      const dropped = drop();
      // Long enough for comparisons that still see the trigger.
      await sleep(randomInt(5, 250));
      await holder.query('ROLLBACK');
      await dropped;
      await sleep(randomInt(1, 20));
    }
  }
}

/** What makes the trigger again exactly as it is now. */
async function remember(administrator: Connection): Promise<() => Promise<void>> {
  const [[shown]] = await administrator.query<RowDataPacket[]>(`SHOW CREATE TRIGGER ${TRIGGER}`);
  const row: Readonly<Record<string, unknown>> = shown ?? {};
  await administrator.query('SET sql_mode = ?, character_set_client = ?, collation_connection = ?', [
    row.sql_mode,
    row.character_set_client,
    row.collation_connection,
  ]);
  return async () => {
    await administrator.query(String(row['SQL Original Statement']));
  };
}
