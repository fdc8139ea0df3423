import { setTimeout as sleep } from 'node:timers/promises';
import type { RowDataPacket } from 'mysql2/promise';
import { family, processorSeconds } from '../../machine.ts';
import type { Bench, Kind } from '../bench.ts';
import { type Answer, Pace, served } from '../client.ts';
import { quantile } from '../parts.ts';

/** One round of one kind of request at a fixed rate. */
export interface Round {
  readonly kind: Kind;
  readonly perSecond: number;
  /** Milliseconds from when a request was due. */
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

/** Of each round, not counted: connections, compiled code, caches. */
const WARM_MS = 700;

export async function costRound(
  bench: Bench,
  kind: Kind,
  perSecond: number,
  seconds: number,
): Promise<Round> {
  const administrator = await bench.stack.mariadb.connect();
  const answers: Answer[] = [];
  let counting = false;
  const waiting = new Set<Promise<void>>();
  const pace = new Pace(perSecond, (number, dueAt) => {
    const counted = counting;
    const sent = bench.ask(kind, `${kind}-${number}`, dueAt).then((answer) => {
      if (counted) answers.push(answer);
      waiting.delete(sent);
    });
    waiting.add(sent);
  });
  try {
    await sleep(WARM_MS);
    counting = true;
    const before = await usage(bench, administrator);
    await sleep(seconds * 1_000);
    const after = await usage(bench, administrator);
    counting = false;
    const passed = (after.at - before.at) / 1_000;
    await pace.stop();
    await Promise.all(waiting);
    const times = answers.map((answer) => answer.endedAt - answer.startedAt);
    return {
      kind,
      perSecond: answers.length / passed,
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      failures: answers.filter((answer) => !served(answer)).length,
      queriesPerSecond: (after.questions - before.questions) / passed,
      checker: (after.checker - before.checker) / passed,
      database: (after.database - before.database) / passed,
      gateway: (after.gateway - before.gateway) / passed,
    };
  } finally {
    await pace.stop();
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
