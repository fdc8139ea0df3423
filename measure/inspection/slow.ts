import { spawn } from 'node:child_process';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { guard } from '../../examples/support/guardian.ts';
import { findProgram } from '../../examples/support/private-mariadb.ts';
import { processorSeconds, residentBytes, workFolder } from '../machine.ts';
import { onStop, stopEverything } from '../processes.ts';
import type { MeasureOptions, MeasureResult } from '../report.ts';

const CONNECTIONS = 1000;
/** Connections that are begun in a second. */
const RATE = 200;
/** Seconds until they are all there. */
const SETTLE = CONNECTIONS / RATE + 3;
/** Seconds of each attack. */
const FULL = 30;
const SHORT = 6;
/** Milliseconds between good probes. */
const PROBE_EVERY_MS = 40;
const PROBE_LIMIT_MS = 10_000;
const FACTOR = 2;
/** Where good probes come from: another client than the attacker's 127.0.0.1. */
const GOOD_CLIENT = '127.0.0.2';

interface Target {
  readonly port: number;
  readonly host: string;
  readonly authority: string;
  /** Changes patients; the attacker's. */
  readonly token: string;
  /** Reads patient 7; somebody else's. */
  readonly good: string;
}

interface Row {
  readonly what: string;
  readonly probes: number;
  readonly failed: number;
  /** What failed probes ended with, and how many. */
  readonly why: Readonly<Record<string, number>>;
  readonly median: number;
  readonly p99: number;
  readonly megabytes: number;
  /** Of one core, while the probes went on. */
  readonly processor: number;
}

type Attack = readonly [what: string, begin: (target: Target, seconds: number) => () => Promise<void>];

/** The program's own three, from one address; and bodies that trickle with a token that is good. */
const ATTACKS: readonly Attack[] = [
  ['slow headers', program('-H', '-i', '5', '-x', '20')],
  ['slow body', program('-B', '-i', '5', '-s', '8192', '-x', '10', '-t', 'POST')],
  ['slow read', program('-X', '-w', '1', '-y', '16', '-n', '5', '-z', '32', '-k', '3')],
  ['slow body, authorised', trickle],
];

/**
 * A thousand connections that send or read as slowly as they can. Somebody else's requests, each over a connection of
 * its own, go on: none fails, and the slowest hundredth takes at most twice what it does when nothing else happens.
 */
export async function measureSlow(options: MeasureOptions): Promise<MeasureResult> {
  const directory = workFolder('inspection-slow');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o777);
  const seconds = options.short ? SHORT : FULL;
  const problems: string[] = [];
  try {
    if (findProgram('slowhttptest') === undefined) {
      return present([], ['slowhttptest is not installed (Debian: apt-get install slowhttptest)']);
    }
    const { startStack } = await import('../../examples/demo/stack.ts');
    const plenty = () => ({ requests: 10_000_000, window: '60s' });
    const stack = await startStack({
      directory: join(directory, 'stack'),
      workers: 1,
      limits: { perPeer: plenty(), perPrincipal: plenty() },
      onStep: options.progress,
      // The program resolves the name that it is given.
      northHosts: ['localhost'],
    });
    onStop(() => stack.stop());
    const url = new URL(stack.tenants.north.origin);
    const target: Target = {
      port: Number(url.port),
      host: url.host,
      authority: stack.authority,
      token: await stack.token({ tenant: 'north', scopes: ['system/Patient.cruds'] }),
      good: await stack.token({ tenant: 'north', client: 'patient-app', scopes: ['patient/Patient.r'] }),
    };
    const memory: Process = {
      bytes: () => residentBytes(stack.gatewayPids()),
      seconds: () => processorSeconds(stack.gatewayPids()),
    };
    // Not counted: what is compiled and connected for the first time.
    await probes(target, 2, memory);
    const rows: Row[] = [];
    options.progress('nothing else happens');
    rows.push({ what: 'idle', ...(await probes(target, Math.min(20, seconds), memory)) });
    for (const [what, begin] of ATTACKS) {
      options.progress(what);
      const end = begin(target, seconds + SETTLE + 5);
      await sleep(SETTLE * 1000);
      rows.push({ what, ...(await probes(target, seconds, memory)) });
      await end();
      await sleep(1000);
    }
    return present(rows, problems);
  } finally {
    await stopEverything();
  }
}

/** Starts an attacker on the load's core, and ends it. */
function attacker(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
) {
  const child = spawn(command, [...args], { stdio: 'ignore', env: { ...process.env, ...environment } });
  guard(child);
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), 3000);
    await ended;
    clearTimeout(patience);
  };
  onStop(stop);
  return stop;
}

function program(...how: readonly string[]): Attack[1] {
  return (target, seconds) =>
    attacker('slowhttptest', [
      ...how,
      ...['-c', String(CONNECTIONS), '-r', String(RATE), '-l', String(seconds), '-p', '5'],
      ...['-u', `https://localhost:${target.port}/static/emr.js`],
    ]);
}

/** Uploads that may be made, a byte a second each. */
function trickle(target: Target): () => Promise<void> {
  return attacker(process.execPath, [join(import.meta.dirname, 'slow', 'trickle.ts')], {
    TRICKLE_PORT: String(target.port),
    TRICKLE_HOST: target.host,
    TRICKLE_TOKEN: target.token,
    TRICKLE_CONNECTIONS: String(CONNECTIONS - 1),
    TRICKLE_RATE: String(RATE),
  });
}

interface Process {
  readonly bytes: () => number;
  readonly seconds: () => number;
}

async function probes(target: Target, seconds: number, gateway: Process): Promise<Omit<Row, 'what'>> {
  const times: number[] = [];
  const why: Record<string, number> = {};
  let most = 0;
  const under: Promise<void>[] = [];
  const used = gateway.seconds();
  const began = performance.now();
  const end = began + seconds * 1000;
  while (performance.now() < end) {
    under.push(
      probe(target).then((result) => {
        if (typeof result === 'number') times.push(result);
        else why[result] = (why[result] ?? 0) + 1;
      }),
    );
    if (under.length % 10 === 0) most = Math.max(most, gateway.bytes());
    await sleep(PROBE_EVERY_MS);
  }
  const processor = (gateway.seconds() - used) / ((performance.now() - began) / 1000);
  await Promise.all(under);
  times.sort((a, b) => a - b);
  const at = (part: number) =>
    times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN;
  const failed = under.length - times.length;
  return {
    probes: under.length,
    failed,
    why,
    median: at(0.5),
    p99: at(0.99),
    megabytes: most / 1e6,
    processor,
  };
}

/** One read of a record over a new connection. @returns milliseconds, or what it ended with instead */
function probe(target: Target): Promise<number | string> {
  const { promise, resolve } = Promise.withResolvers<number | string>();
  const began = performance.now();
  const outgoing = request(
    {
      host: '127.0.0.1',
      port: target.port,
      localAddress: GOOD_CLIENT,
      servername: target.host.split(':')[0] ?? '',
      ca: target.authority,
      agent: false,
      path: '/fhir/Patient/7',
      headers: { host: target.host, authorization: `Bearer ${target.good}` },
      timeout: PROBE_LIMIT_MS,
    },
    (response) => {
      response.resume();
      response.once('end', () =>
        resolve(response.statusCode === 200 ? performance.now() - began : `status ${response.statusCode}`),
      );
      response.once('error', () => resolve('cut short'));
    },
  );
  outgoing.once('timeout', () => outgoing.destroy(new Error('silent')));
  outgoing.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  outgoing.end();
  return promise;
}

function present(rows: readonly Row[], problems: readonly string[]): MeasureResult {
  const idle = rows.find((row) => row.what === 'idle');
  const attacked = rows.filter((row) => row !== idle);
  const worst = Math.max(...attacked.map((row) => row.p99 / (idle?.p99 ?? Number.NaN)));
  const figure = (value: number) => value.toFixed(1);
  return {
    tables: [
      {
        title: `Good requests while ${CONNECTIONS} connections are as slow as they can be`,
        columns: [
          { title: 'attack', align: 'left' },
          { title: 'good probes', align: 'right' },
          { title: 'failed', align: 'right' },
          { title: 'median ms', align: 'right' },
          { title: '99 % ms', align: 'right' },
          { title: 'gateway MB', align: 'right' },
          { title: 'gateway processor', align: 'right' },
        ],
        rows: rows.map((row) => [
          row.what,
          String(row.probes),
          String(row.failed),
          figure(row.median),
          figure(row.p99),
          figure(row.megabytes),
          `${(row.processor * 100).toFixed(0)} %`,
        ]),
        footnotes: [
          'Each probe is a read of a record over a new connection, handshake included, from another address.',
        ],
      },
    ],
    floors: [
      {
        name: 'good probes that failed',
        bound: 'at-most',
        limit: 0,
        unit: '',
        measured: attacked.length === 0 ? undefined : attacked.reduce((sum, row) => sum + row.failed, 0),
        optional: false,
      },
      {
        name: 'the slowest hundredth, over that of an idle gateway',
        bound: 'at-most',
        limit: FACTOR,
        unit: '',
        measured: attacked.length === 0 || !Number.isFinite(worst) ? undefined : worst,
        optional: false,
      },
    ],
    problems,
    notes: rows.flatMap((row) =>
      Object.entries(row.why).map(([why, count]) => `${row.what}: ${count} good probes ended with ${why}`),
    ),
    figures: { slow: rows.map((row) => ({ ...row })) },
  };
}
