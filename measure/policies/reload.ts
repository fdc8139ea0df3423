import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { type Stack, startStack } from '../../examples/demo/stack.ts';
import { atLeast, atMost, type Part, part, quantile, table } from '../integrity/parts.ts';
import { onStop } from '../processes.ts';
import type { MeasureOptions } from '../report.ts';
import { type Answered, ReloadLoad } from './reload-load.ts';

const WORKERS = 2;
const CONNECTIONS = 12;
/** Milliseconds between two reloads, in which every answer must be the new policy's. */
const BETWEEN_MS = 400;
const RELOAD_PATIENCE_MS = 30_000;

/** What the token holds, and a scope that it lacks. */
const HELD = 'emr/metadata';
const LACKED = 'emr/pages';
/** Each policy permits one of the two and not the other, so that an answer tells which policy gave it. */
const ROUTES = { odd: '/fhir/metadata', even: '/second/metadata' } as const;
type Side = keyof typeof ROUTES;

interface Reload {
  /** The side that the new policy permits. */
  readonly side: Side;
  readonly sentAt: number;
  /** When the gateway said that it serves the new one. */
  readonly doneAt: number;
}

/** How an answer is wrong. */
export const FAULTS = ['failed', 'neither policy', 'the other policy'] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * Reloads of a changed policy under load: no request is lost, and each is answered by the old policy or by the new one,
 * by the new one alone from the moment at which the gateway says so until the next change.
 */
export async function runReload(options: MeasureOptions): Promise<Part> {
  const directory = join(import.meta.dirname, '..', '..', '.work', 'measure-reload');
  const plenty = { requests: 1_000_000, window: '10s' };
  const stack = await startStack({
    directory,
    workers: WORKERS,
    limits: { perPeer: plenty, perPrincipal: { ...plenty } },
    guard: { mode: 'off' },
  });
  onStop(() => stack.stop());
  const token = await stack.token({ tenant: 'north', client: 'front-desk', scopes: [HELD] });
  const reloads: Reload[] = [await change(stack, 'odd')];
  const load = new ReloadLoad({
    origin: stack.tenants.north.origin,
    authority: stack.authority,
    token,
    paths: Object.values(ROUTES),
    connections: CONNECTIONS,
  });
  load.start();
  await sleep(BETWEEN_MS);
  const wanted = options.short ? 6 : 20;
  for (let n = 0; n < wanted; n += 1) {
    options.progress(`reload ${n + 1} of ${wanted}`);
    reloads.push(await change(stack, n % 2 === 0 ? 'even' : 'odd'));
    await sleep(BETWEEN_MS);
  }
  const answers = await load.stop();
  await stack.stop();
  return partOf(answers, reloads);
}

/** Writes the policy that permits one side, and has the gateway take it over. */
async function change(stack: Stack, side: Side): Promise<Reload> {
  const file = join(stack.layout.gateway, 'policy.yaml');
  const document = parse(readFileSync(file, 'utf8')) as { routes: Record<string, unknown>[] };
  const others = document.routes.filter(({ path }) => !Object.values<unknown>(ROUTES).includes(path));
  const own = (Object.keys(ROUTES) as Side[]).map((each) => ({
    id: `side-${each}`,
    methods: ['GET'],
    path: ROUTES[each],
    scopes: [each === side ? HELD : LACKED],
  }));
  writeFileSync(file, stringify({ routes: [...others, ...own] }, { aliasDuplicateObjects: false }));
  const log = join(stack.layout.logs, 'gateway.log');
  const count = () => readFileSync(log, 'utf8').split('"reloaded"').length;
  const before = count();
  const sentAt = performance.now();
  stack.gateway.signal('SIGHUP');
  while (count() === before) {
    if (performance.now() - sentAt > RELOAD_PATIENCE_MS)
      throw new Error(`no reload:\n${readFileSync(log, 'utf8').slice(-2000)}`);
    await sleep(5);
  }
  return { side, sentAt, doneAt: performance.now() };
}

/** What is wrong with an answer; undefined: nothing. Of a permitted request the EMR says 200 or that there is no such page. */
export function faultOf(
  { path, status, sentAt, endedAt }: Answered,
  reloads: readonly Reload[],
): Fault | undefined {
  if (status === 0 || status >= 500) return 'failed';
  const by = status === 403 ? 'denied' : status === 200 || status === 400 ? 'permitted' : undefined;
  if (by === undefined) return 'neither policy';
  const side = path === ROUTES.odd ? 'odd' : 'even';
  const permittedBy = by === 'permitted' ? side : side === 'odd' ? 'even' : 'odd';
  // Every policy that was in force at some moment between the request and its answer; a reload under way counts as both.
  const first = reloads.findLastIndex(({ doneAt }) => doneAt <= sentAt);
  const last = reloads.findLastIndex((reload) => reload.sentAt <= endedAt);
  const inForce = reloads.slice(Math.max(0, first), last + 1);
  return inForce.some((reload) => reload.side === permittedBy) ? undefined : 'the other policy';
}

function partOf(answers: readonly Answered[], reloads: readonly Reload[]): Part {
  const faults = answers.map((answer) => faultOf(answer, reloads));
  const counts = Object.fromEntries(
    FAULTS.map((fault) => [fault, faults.filter((each) => each === fault).length]),
  ) as Record<Fault, number>;
  const during = answers.filter(({ sentAt, endedAt }) =>
    reloads.some((reload) => sentAt <= reload.doneAt && endedAt >= reload.sentAt),
  ).length;
  const took = reloads.slice(1).map(({ sentAt, doneAt }) => doneAt - sentAt);
  const spanMs =
    Math.max(...answers.map(({ endedAt }) => endedAt)) - Math.min(...answers.map(({ sentAt }) => sentAt));
  const perSecond = answers.length / (spanMs / 1000);
  return part({
    tables: [
      table(
        `Reloads of a changed policy under load, ${WORKERS} workers`,
        ['', ''],
        [
          ['reloads', String(took.length)],
          ['longest until every worker serves the new one', `${Math.max(...took).toFixed(0)} ms`],
          ['half of them within', `${quantile(took, 0.5).toFixed(0)} ms`],
          ['requests', `${answers.length} (${perSecond.toFixed(0)} a second)`],
          ['of these under way during a reload', String(during)],
          ['without an answer, or 5xx', String(counts.failed)],
          ['answered by neither policy', String(counts['neither policy'])],
          ['answered by a policy that was not in force', String(counts['the other policy'])],
        ],
      ),
    ],
    floors: [
      atMost('requests lost by reloads', counts.failed),
      atMost('answers that are of neither policy', counts['neither policy']),
      atMost('answers of a policy that was not in force', counts['the other policy']),
      atLeast('requests under way during reloads', during, took.length * 5),
    ],
    figures: {
      reload: {
        reloads: took.length,
        longestMs: Math.max(...took),
        medianMs: quantile(took, 0.5),
        requests: answers.length,
        during,
        ...counts,
      },
    },
  });
}
