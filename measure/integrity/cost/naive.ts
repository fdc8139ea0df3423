import mysql from 'mysql2/promise';
import { readState, type State } from '../../../audit-sql/fingerprint/read.ts';
import type { Bench } from '../bench.ts';
import { quantile } from '../parts.ts';

/** What a check of everything for each request by itself would cost. */
export interface Naive {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** As many checks at a time as the machine has cores to give; more would only wait longer. */
const AT_A_TIME = 4;

/** Reads everything through the guard, with the checker's own account, once for every request. */
export async function naiveChecks(bench: Bench, seconds: number): Promise<Naive> {
  const { tenant, stack } = bench;
  const names = { emrSchema: tenant.schema, auditSchema: tenant.auditSchema };
  const times: number[] = [];
  let began = Number.POSITIVE_INFINITY;
  await Promise.all(
    Array.from({ length: AT_A_TIME }, async () => {
      const connection = await mysql.createConnection({
        host: '127.0.0.1',
        port: stack.mariadb.port,
        ...tenant.checkerUser,
        supportBigNumbers: true,
        bigNumberStrings: true,
        dateStrings: true,
      });
      try {
        // The texts of triggers are read once, as the checker does while nothing has changed.
        let known: State['texts'] | undefined = (await readState(connection, names)).texts;
        began = Math.min(began, performance.now());
        while (performance.now() < began + seconds * 1_000) {
          const since = performance.now();
          known = (await readState(connection, names, known)).texts;
          times.push(performance.now() - since);
        }
      } finally {
        await connection.end();
      }
    }),
  );
  const passed = (performance.now() - began) / 1_000;
  return { perSecond: times.length / passed, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}
