import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';
import { HASHING_MEMORY } from '../../cli/confine/index.ts';
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
async function round(
  others: Pool,
  signIns: Pool | undefined,
  seconds: number,
  arrivals: 'even' | 'random' = 'even',
): Promise<Round> {
  const times = { others: [] as number[], signIns: [] as number[] };
  let failed = 0;
  const ask = async (pool: Pool, path: string, into: number[], due: number): Promise<void> => {
    const { statusCode, body } = await pool.request({ path, method: 'GET' });
    await body.dump();
    if (statusCode !== 204) failed += 1;
    into.push(performance.now() - due);
  };
  const under: Promise<void>[] = [];
  const begun = performance.now();
  /** Sends each when it is due, on the dot or as soon as this process can. */
  const send = async (dues: readonly number[], pool: Pool, path: string, into: number[]): Promise<void> => {
    for (const due of dues) {
      const early = begun + due - performance.now();
      if (early > 0) await wait(early);
      under.push(ask(pool, path, into, performance.now()));
    }
  };
  const steady = (rate: number): number[] =>
    Array.from({ length: rate * seconds }, (_, at) => (at * 1000) / rate);
  const random = (rate: number): number[] =>
    Array.from({ length: rate * seconds }, () => Math.random() * seconds * 1000).sort((a, b) => a - b);
  await Promise.all([
    send(steady(OTHERS_PER_SECOND), others, '/other', times.others),
    signIns === undefined
      ? undefined
      : send(
          (arrivals === 'even' ? steady : random)(SIGN_INS_PER_SECOND),
          signIns,
          '/sign-in',
          times.signIns,
        ),
  ]);
  await Promise.all(under);
  return { ...times, failed };
}

async function startServer(): Promise<{ readonly pool: Pool; stop(): Promise<void> }> {
  const child = fork(SERVER, [], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // As the issuer's own command starts it, and as a service manager starts that: in a session of its own.
    detached: true,
    env: { ...HASHING_MEMORY, ...process.env },
  });
  const [address] = (await once(child, 'message')) as [AddressInfo];
  const pool = new Pool(`http://127.0.0.1:${address.port}`, { connections: 32 });
  return {
    pool,
    async stop() {
      await pool.destroy();
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

const p99 = (of: readonly Round[]): number => median(of.map(({ others }) => quantile(others, 0.99)));
const middle = (of: readonly Round[]): number => median(of.flatMap(({ others }) => others));

/**
 * Whether people who sign in make everybody else wait: those who ask the process that signs people in (the
 * embedded issuer), and those who ask another one (the gateway).
 */
export async function runBusy({
  progress,
  short,
}: Pick<MeasureOptions, 'progress' | 'short'>): Promise<Part> {
  const seconds = short ? 4 : 12;
  const rounds = short ? 1 : 3;
  progress(`other requests beside ${SIGN_INS_PER_SECOND} sign-ins a second`);
  const [issuer, gateway] = await Promise.all([startServer(), startServer()]);
  try {
    await round(issuer.pool, issuer.pool, 1);
    await round(gateway.pool, undefined, 1);
    const quiet: Round[] = [];
    const same: Round[] = [];
    const other: Round[] = [];
    const sameAtRandom: Round[] = [];
    const otherAtRandom: Round[] = [];
    for (let each = 0; each < rounds; each += 1) {
      quiet.push(await round(gateway.pool, undefined, seconds));
      same.push(await round(issuer.pool, issuer.pool, seconds));
      other.push(await round(gateway.pool, issuer.pool, seconds));
      sameAtRandom.push(await round(issuer.pool, issuer.pool, seconds, 'random'));
      otherAtRandom.push(await round(gateway.pool, issuer.pool, seconds, 'random'));
    }
    const beside = [...same, ...other, ...sameAtRandom, ...otherAtRandom];
    const signIns = beside.flatMap((one) => one.signIns);
    const failed = [...quiet, ...beside].reduce((sum, one) => sum + one.failed, 0);
    const row = (name: string, of: readonly Round[]) => [name, middle(of).toFixed(2), p99(of).toFixed(2)];
    return part({
      tables: [
        table(
          'Other requests beside sign-ins, ms',
          ['', 'median', '99th percentile'],
          [
            row('nobody signs in', quiet),
            row(`${SIGN_INS_PER_SECOND} sign-ins a second, at the process that is asked`, same),
            row(`${SIGN_INS_PER_SECOND} sign-ins a second, at another process`, other),
            row('the same at random times, at the process that is asked', sameAtRandom),
            row('the same at random times, at another process', otherAtRandom),
            ['the sign-ins themselves', median(signIns).toFixed(1), quantile(signIns, 0.99).toFixed(1)],
          ],
        ),
      ],
      floors: [
        atMost(
          '99th percentile beside sign-ins at the same process',
          p99(same) / p99(quiet),
          BUSY_FLOOR,
          ' times',
        ),
        atMost(
          '99th percentile beside sign-ins at another process',
          p99(other) / p99(quiet),
          BUSY_FLOOR,
          ' times',
        ),
        atMost(
          '99th percentile beside sign-ins at random times at the same process',
          p99(sameAtRandom) / p99(quiet),
          BUSY_FLOOR,
          ' times',
        ),
        atMost(
          '99th percentile beside sign-ins at random times at another process',
          p99(otherAtRandom) / p99(quiet),
          BUSY_FLOOR,
          ' times',
        ),
      ],
      problems: failed > 0 ? [`${failed} requests were not answered as they should be`] : [],
      notes: [
        'Each sign-in is about 30 ms of one core: on a machine that others use, these floors say nothing.',
      ],
      figures: {
        busy: {
          quietMs: rounded(p99(quiet), 2),
          sameMs: rounded(p99(same), 2),
          otherMs: rounded(p99(other), 2),
          sameAtRandomMs: rounded(p99(sameAtRandom), 2),
          otherAtRandomMs: rounded(p99(otherAtRandom), 2),
          signInMs: rounded(median(signIns), 1),
          signIns: signIns.length,
        },
      },
    });
  } finally {
    await Promise.all([issuer.stop(), gateway.stop()]);
  }
}
