import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';
import { atMost, type Part, part, quantile, table } from '../integrity/parts.ts';
import type { MeasureOptions } from '../report.ts';
import { median, rounded } from '../statistics.ts';

const SERVER = join(import.meta.dirname, 'busy-server.ts');
/** Of the issue. */
const SIGN_INS_PER_SECOND = 20;
export const BUSY_FLOOR = 2;
const OTHERS_PER_SECOND = 200;

interface Round {
  readonly others: readonly number[];
  readonly signIns: readonly number[];
  readonly failed: number;
}

/** Requests at a fixed rate, whatever the answers take, so that a slow answer does not hide the next. */
async function round(pool: Pool, seconds: number, signIns: boolean): Promise<Round> {
  const times = { others: [] as number[], signIns: [] as number[] };
  let failed = 0;
  const ask = async (path: string, into: number[], due: number): Promise<void> => {
    const { statusCode, body } = await pool.request({ path, method: 'GET' });
    await body.dump();
    if (statusCode !== 204) failed += 1;
    into.push(performance.now() - due);
  };
  const under: Promise<void>[] = [];
  const begun = performance.now();
  const every = OTHERS_PER_SECOND / SIGN_INS_PER_SECOND;
  for (let at = 0; at < OTHERS_PER_SECOND * seconds; at += 1) {
    const due = begun + (at * 1000) / OTHERS_PER_SECOND;
    const early = due - performance.now();
    if (early > 0) await wait(early);
    const now = performance.now();
    under.push(ask('/other', times.others, now));
    if (signIns && at % every === 0) under.push(ask('/sign-in', times.signIns, now));
  }
  await Promise.all(under);
  return { ...times, failed };
}

/** Whether people who sign in make everybody else wait. */
export async function runBusy({
  progress,
  short,
}: Pick<MeasureOptions, 'progress' | 'short'>): Promise<Part> {
  const seconds = short ? 3 : 15;
  const rounds = short ? 1 : 3;
  progress(`other requests beside ${SIGN_INS_PER_SECOND} sign-ins a second`);
  const child = fork(SERVER, [], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [address] = (await once(child, 'message')) as [AddressInfo];
  const pool = new Pool(`http://127.0.0.1:${address.port}`, { connections: 32 });
  try {
    await round(pool, 1, true);
    const quiet: Round[] = [];
    const busy: Round[] = [];
    for (let each = 0; each < rounds; each += 1) {
      quiet.push(await round(pool, seconds, false));
      busy.push(await round(pool, seconds, true));
    }
    const p99 = (of: readonly Round[]) => median(of.map(({ others }) => quantile(others, 0.99)));
    const [before, during] = [p99(quiet), p99(busy)];
    const signIns = busy.flatMap((one) => one.signIns);
    const failed = [...quiet, ...busy].reduce((sum, one) => sum + one.failed, 0);
    return part({
      tables: [
        table(
          'Other requests of the process that signs people in, ms',
          ['', 'median', '99th percentile'],
          [
            ['nobody signs in', median(quiet.flatMap(({ others }) => others)).toFixed(2), before.toFixed(2)],
            [
              `${SIGN_INS_PER_SECOND} sign-ins a second`,
              median(busy.flatMap(({ others }) => others)).toFixed(2),
              during.toFixed(2),
            ],
            ['the sign-ins themselves', median(signIns).toFixed(1), quantile(signIns, 0.99).toFixed(1)],
          ],
        ),
      ],
      floors: [
        atMost('99th percentile beside sign-ins, against without', during / before, BUSY_FLOOR, ' times'),
      ],
      problems: failed > 0 ? [`${failed} requests were not answered as they should be`] : [],
      figures: {
        busy: {
          quietMs: rounded(before, 2),
          busyMs: rounded(during, 2),
          signInMs: rounded(median(signIns), 1),
          signIns: signIns.length,
        },
      },
    });
  } finally {
    await pool.destroy();
    child.disconnect();
    await once(child, 'exit');
  }
}
