import mysql from 'mysql2/promise';
import { readSnapshot } from '../../../audit-sql/fingerprint/index.ts';
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
  const until = performance.now() + seconds * 1_000;
  const began = performance.now();
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
        while (performance.now() < until) {
          const since = performance.now();
          await readSnapshot(connection, names);
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
