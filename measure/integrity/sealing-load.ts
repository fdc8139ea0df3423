import { parentPort, workerData } from 'node:worker_threads';
import mysql from 'mysql2/promise';
import { CHANGED_COLUMN, insertRows } from '../audit/cost/table.ts';

/** What the worker is to do. */
export interface SealingLoad {
  readonly socket: string;
  readonly user: string;
  readonly password: string;
  readonly table: string;
  readonly perSecond: number;
  readonly connections: number;
  readonly seconds: number;
  /** Rows that are there already. */
  readonly standing: number;
}

/** What came of it. */
export interface SealingLoadDone {
  readonly done: number;
  readonly seconds: number;
}

const TICK_MS = 10;

/** Sends statements at an even rate, half of them inserts and half updates, each its own transaction. */
async function send(load: SealingLoad): Promise<SealingLoadDone> {
  const { socket, user, password, table, standing } = load;
  const connections = await Promise.all(
    Array.from({ length: load.connections }, () =>
      mysql.createConnection({ socketPath: socket, user, password }),
    ),
  );
  let sent = 0;
  let done = 0;
  const begun = performance.now();
  const work = connections.map(async (connection) => {
    for (;;) {
      const elapsed = performance.now() - begun;
      if (elapsed >= load.seconds * 1000) break;
      if (sent >= (elapsed / 1000) * load.perSecond) {
        await new Promise((resolve) => setTimeout(resolve, TICK_MS));
        continue;
      }
      const n = sent;
      sent += 1;
      const sql =
        n % 2 === 0
          ? insertRows(table, standing + n, 1)
          : `UPDATE ${table} SET ${CHANGED_COLUMN} = 'changed ${n}' WHERE id = ${1 + ((n * 37) % standing)}`;
      await connection.query(sql);
      done += 1;
    }
  });
  await Promise.all(work);
  const seconds = (performance.now() - begun) / 1000;
  await Promise.all(connections.map((connection) => connection.end()));
  return { done, seconds };
}

parentPort?.postMessage(await send(workerData as SealingLoad));
