import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { type Stack, startStack } from '../../examples/demo/stack.ts';
import { startPrivateRedis } from '../../examples/support/private-redis.ts';
import type { Part } from '../integrity/parts.ts';
import { onStop } from '../processes.ts';
import type { MeasureOptions } from '../report.ts';
import { CASES, CONTRAST, LIMIT, type LimitCase, OVERLOAD, WINDOW_S } from './limit-cases.ts';
import { type OverloadResult, overload } from './overload.ts';

/** The bound. */
const WITHIN_PERCENT = 2;
const CONNECTIONS = 16;
/** Milliseconds before the last window's end at which sending ends, so that nothing is decided in one more. */
const END_MS = 400;
const WORKERS = 2;
const ROUTE = 'fhir-patient-read';
const PATH = '/fhir/Patient/1';
/** With `--short`, these alone. */
const SHORT: ReadonlySet<string> = new Set(['principal']);

interface Row extends OverloadResult {
  readonly limit: string;
  readonly store: 'workers' | 'redis';
  readonly windows: number;
  /** What should have passed; undefined: everything. */
  readonly expected: number | undefined;
  readonly deviationPercent: number;
}

/**
 * Limits under ten times as much as they let pass, on a gateway with two workers, with and without Redis: how far what
 * passed is from what is written. And without a limit, everything passes.
 */
export async function runLimits(options: MeasureOptions): Promise<Part> {
  const directory = join(import.meta.dirname, '..', '..', '.work', 'measure-limits');
  const stack = await startStack({
    directory,
    workers: WORKERS,
    limits: CONTRAST.limits,
    guard: { mode: 'off' },
    onStep: () => {},
  });
  onStop(() => stack.stop());
  const redis = await startPrivateRedis({ directory: join(directory, 'redis') });
  onStop(() => redis.stop());
  const windows = options.short ? 1 : 5;
  const rows: Row[] = [];
  const stores = [undefined, { host: '127.0.0.1', port: redis.port, gateways: 1 }];
  for (const store of stores) {
    for (const each of CASES) {
      if (options.short && !SHORT.has(each.name)) continue;
      options.progress(`${each.name}, counted by ${store === undefined ? 'the workers together' : 'Redis'}`);
      await configure(stack, each, store);
      rows.push(await measureCase(stack, each, store === undefined ? 'workers' : 'redis', windows));
    }
  }
  options.progress('no limit');
  await configure(stack, CONTRAST, undefined);
  rows.push(await measureCase(stack, CONTRAST, 'workers', options.short ? 1 : 2));
  await stack.stop();
  await redis.stop();
  return partOf(rows);
}

async function measureCase(
  stack: Stack,
  limit: LimitCase,
  store: Row['store'],
  windows: number,
): Promise<Row> {
  const token = await stack.token({ tenant: 'north', scopes: ['system/Patient.r'] });
  const { origin } = stack.tenants.north;
  const perSecond = (LIMIT / WINDOW_S) * OVERLOAD;
  const result = await overload(
    {
      port: Number(new URL(origin).port),
      authority: new URL(origin).host,
      path: PATH,
      token,
      ca: stack.authority,
    },
    perSecond,
    // Ends before another window could begin: a window begins with the first request after the one before.
    windows * WINDOW_S * 1000 - END_MS,
    CONNECTIONS,
    WINDOW_S * 1000 + 200,
  );
  const expected = limit.name === 'none' ? undefined : windows * LIMIT;
  const of = expected ?? result.sent;
  return {
    ...result,
    limit: limit.name,
    store,
    windows,
    expected,
    deviationPercent: (Math.abs(result.passed - of) / of) * 100,
  };
}

/** Rewrites settings and policy, and has the gateway take them over. */
async function configure(stack: Stack, limit: LimitCase, redis: object | undefined): Promise<void> {
  const settings = join(stack.layout.gateway, 'gateway.yaml');
  const policy = join(stack.layout.gateway, 'policy.yaml');
  const gateway = parse(readFileSync(settings, 'utf8')) as Record<string, unknown>;
  gateway.limits = { ...limit.limits, ...(redis === undefined ? {} : { redis }) };
  const document = parse(readFileSync(policy, 'utf8')) as { routes: Record<string, unknown>[] };
  document.routes = document.routes.map((route) => {
    if (route.id !== ROUTE) return route;
    const { limits: _limits, ...rest } = route;
    return { ...rest, ...limit.route };
  });
  // The reader of the product refuses aliases.
  writeFileSync(settings, stringify(gateway, { aliasDuplicateObjects: false }));
  writeFileSync(policy, stringify(document, { aliasDuplicateObjects: false }));
  const log = join(stack.layout.logs, 'gateway.log');
  const count = () => readFileSync(log, 'utf8').split('"reloaded"').length;
  const before = count();
  stack.gateway.signal('SIGHUP');
  const until = performance.now() + 20_000;
  while (count() === before) {
    if (performance.now() > until) throw new Error(`no reload:\n${readFileSync(log, 'utf8').slice(-2000)}`);
    await sleep(50);
  }
  // Redis is connected to, and the windows of former cases are over.
  await sleep(600);
}

function partOf(rows: readonly Row[]): Part {
  const limitedRows = rows.filter(({ expected }) => expected !== undefined);
  const worst = (store: Row['store']) =>
    Math.max(...limitedRows.filter((row) => row.store === store).map((row) => row.deviationPercent));
  const contrast = rows.find(({ expected }) => expected === undefined);
  const problems = rows
    .filter(({ other }) => other > 0)
    .map(({ limit, store, other }) => `${limit} (${store}): ${other} answers that are neither 200 nor 429`);
  for (const row of limitedRows) {
    const offered = row.sent / (row.expected ?? 1) / (1 - END_MS / (row.windows * WINDOW_S * 1000));
    if (offered < OVERLOAD * 0.9)
      problems.push(
        `${row.limit} (${row.store}): only ${offered.toFixed(1)} times the limit was sent; the machine is too busy to tell`,
      );
  }
  return {
    tables: [
      {
        title: `Limits of ${LIMIT} requests in ${WINDOW_S} s, under ${OVERLOAD} times as many, ${WORKERS} workers`,
        columns: [
          { title: 'limit per', align: 'left' },
          { title: 'counted by', align: 'left' },
          { title: 'windows', align: 'right' },
          { title: 'sent', align: 'right' },
          { title: 'should pass', align: 'right' },
          { title: 'passed', align: 'right' },
          { title: 'off by', align: 'right' },
        ],
        rows: rows.map((row) => [
          row.limit,
          row.limit === 'none' ? '' : row.store === 'redis' ? 'Redis' : 'workers together',
          String(row.windows),
          String(row.sent),
          String(row.expected ?? row.sent),
          String(row.passed),
          `${row.deviationPercent.toFixed(2)} %`,
        ]),
        footnotes: [],
      },
    ],
    floors: [
      {
        name: 'limits under 10 times the load, counted by two workers together, off by',
        bound: 'at-most',
        limit: WITHIN_PERCENT,
        unit: ' %',
        measured: worst('workers'),
        optional: false,
      },
      {
        name: 'limits under 10 times the load, counted in Redis, off by',
        bound: 'at-most',
        limit: WITHIN_PERCENT,
        unit: ' %',
        measured: worst('redis'),
        optional: false,
      },
      {
        name: 'without a limit, requests that pass',
        bound: 'at-least',
        limit: 100,
        unit: ' %',
        measured: contrast === undefined ? undefined : (contrast.passed / contrast.sent) * 100,
        optional: false,
      },
    ],
    problems,
    notes: [
      'Requests come evenly over 16 connections and more where answers are slow; the kernel spreads them over the workers.',
    ],
    figures: { limits: rows.map((row) => ({ ...row })) },
  };
}
