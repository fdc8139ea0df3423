import type { RowDataPacket } from 'mysql2/promise';
import { family, processorSeconds } from '../../machine.ts';
import type { Bench, Kind } from '../bench.ts';
import { load } from './load.ts';

/** One round of one kind of request at a fixed rate. */
export interface Round {
  readonly kind: Kind;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly failures: number;
  /** Statements that clients sent to the database server. */
  readonly queriesPerSecond: number;
  /** Shares of one core. */
  readonly checker: number;
  readonly database: number;
  readonly gateway: number;
}

/** Of each round, not counted: connections, compiled code, caches. Whole seconds. */
const WARM_SECONDS = 1;

export async function costRound(
  bench: Bench,
  kind: Kind,
  perSecond: number,
  seconds: number,
): Promise<Round> {
  const administrator = await bench.stack.mariadb.connect();
  try {
    await load(bench, kind, perSecond, WARM_SECONDS);
    const before = await usage(bench, administrator);
    const seen = await load(bench, kind, perSecond, seconds);
    const after = await usage(bench, administrator);
    const passed = (after.at - before.at) / 1_000;
    return {
      kind,
      ...seen,
      queriesPerSecond: (after.questions - before.questions) / passed,
      checker: (after.checker - before.checker) / passed,
      database: (after.database - before.database) / passed,
      gateway: (after.gateway - before.gateway) / passed,
    };
  } finally {
    await administrator.end();
  }
}

async function usage(bench: Bench, administrator: Awaited<ReturnType<Bench['stack']['mariadb']['connect']>>) {
  const [[row]] = await administrator.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Questions'");
  const { stack } = bench;
  return {
    at: performance.now(),
    questions: Number(row?.Value),
    checker: processorSeconds(family(stack.checker.pid)),
    database: processorSeconds([stack.mariadb.pid]),
    gateway: processorSeconds(family(stack.gateway.pid)),
  };
}
