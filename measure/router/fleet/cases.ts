import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { asker, FleetLoad, type Sample } from './load.ts';
import { type Fleet, GATEWAYS } from './stack.ts';

/** What several gateways promise, each brought about once on gateways that are running. */

/** Every gateway, counted from 1. */
export const ALL: readonly number[] = Array.from({ length: GATEWAYS }, (_, index) => index + 1);
const BOUND_MS = 20_000;
/** Connections over which a limit is tried, so that each gateway has some. */
const CONNECTIONS = 12;
/** Milliseconds between an answer and the client's next request. */
const PAUSE_MS = 30;
/** What a client's machine may take to notice that a connection is gone. Milliseconds. */
const NOTICED_MS = 500;

export interface LoadResult {
  readonly requests: number;
  readonly served: number;
  /** Without an answer, or with another than 200. */
  readonly failed: readonly Sample[];
}

export function resultOf(samples: readonly Sample[]): LoadResult {
  const failed = samples.filter(({ status }) => status !== 200);
  return { requests: samples.length, served: samples.length - failed.length, failed };
}

/** When requests of the limited tenant were last sent. */
let triedAt = Number.NEGATIVE_INFINITY;

export interface LimitResult {
  readonly passed: number;
  readonly refused: number;
  readonly other: number;
}

/**
 * Sends `count` requests to the tenant `south`, over all gateways at once, within one window of its limit.
 * @param windowMs the window's length; a busy machine that takes longer learned nothing, and tries again
 */
export async function tryLimit(
  { stack }: Fleet,
  token: string,
  count: number,
  windowMs: number,
): Promise<LimitResult> {
  for (let tries = 0; ; tries += 1) {
    // The window before is over.
    await sleep(Math.max(0, triedAt + windowMs + 200 - performance.now()));
    const askers = Array.from({ length: CONNECTIONS }, () => asker(stack, 'south', token));
    const begun = performance.now();
    let left = count;
    const statuses: number[] = [];
    await Promise.all(
      askers.map(async ({ ask }) => {
        while (left > 0) {
          left -= 1;
          statuses.push((await ask()).status);
        }
      }),
    );
    for (const { close } of askers) close();
    triedAt = performance.now();
    if (performance.now() - begun > windowMs && tries < 5) continue;
    const passed = statuses.filter((status) => status === 200).length;
    const refused = statuses.filter((status) => status === 429).length;
    return { passed, refused, other: statuses.length - passed - refused };
  }
}

/** Resolves once every worker says that limits are, or are not, shared. */
export async function limitsShared(fleet: Fleet, shared: boolean): Promise<void> {
  await Promise.all(
    ALL.map((n) =>
      until(`gateway ${n}: limits shared ${shared}`, async () => {
        const text = await metrics(fleet, n);
        const found = text.match(/^chartgate_limits_shared\{[^}]*\} ([01])$/gm) ?? [];
        return found.length > 0 && found.every((line) => line.endsWith(shared ? ' 1' : ' 0'));
      }),
    ),
  );
}

async function metrics(fleet: Fleet, n: number): Promise<string> {
  const { port } = fleet.gateway(n).operations;
  try {
    return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  } catch {
    return '';
  }
}

/** A change of the configuration that every gateway takes over, while clients ask. */
export async function reloadAll(fleet: Fleet): Promise<void> {
  fleet.configure((configuration) => {
    const hiding = configuration.hiding as { deadline: string };
    hiding.deadline = hiding.deadline === '200ms' ? '210ms' : '200ms';
  });
  for (const n of ALL) {
    const { service, log } = fleet.gateway(n);
    const count = () => readFileSync(log, 'utf8').split('"reloaded"').length;
    const before = count();
    service.signal('SIGHUP');
    await until(`gateway ${n} reloaded`, () => count() > before);
  }
}

/** One after the other: told to end, taken out by HAProxy, gone, started again, taken in again. */
export async function restart(fleet: Fleet, which: readonly number[] = ALL): Promise<void> {
  for (const n of which) {
    const { service } = fleet.gateway(n);
    const stopped = service.stop();
    await fleet.haproxy.serving(...ALL.filter((each) => each !== n));
    // It was taken out before it was gone.
    if (!service.running) throw new Error(`gateway ${n} ended before HAProxy had taken it out`);
    await stopped;
    await service.start();
    await fleet.haproxy.serving(...ALL);
  }
}

export interface Loss extends LoadResult {
  /** Of the failed ones, those that were sent when HAProxy could have known better. */
  readonly beyond: readonly Sample[];
  readonly clients: number;
}

/**
 * `kill -9` of a gateway while clients ask. What is in its hands is lost, and what is sent on connections that were to
 * it, until their clients have been told; nothing else. The gateway stays away.
 */
export async function loseOne(fleet: Fleet, token: string, n: number, clients: number): Promise<Loss> {
  const load = new FleetLoad(fleet.stack, { token, clients, pauseMs: PAUSE_MS });
  await sleep(600);
  const at = performance.now();
  await fleet.lose(n);
  await sleep(1000);
  const samples = await load.stop();
  const result = resultOf(samples);
  const beyond = result.failed.filter(
    ({ startedAt, endedAt }) => endedAt < at || startedAt > at + NOTICED_MS,
  );
  return { ...result, beyond, clients };
}

/** Runs something while clients ask. */
export async function underLoad(
  fleet: Fleet,
  token: string,
  clients: number,
  what: () => Promise<void>,
): Promise<LoadResult> {
  const load = new FleetLoad(fleet.stack, { token, clients, pauseMs: PAUSE_MS });
  try {
    await sleep(300);
    await what();
    await sleep(300);
  } finally {
    await load.stop();
  }
  return resultOf(load.samples);
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const bound = performance.now() + BOUND_MS;
  while (!(await condition())) {
    if (performance.now() > bound) throw new Error(`${what}: not within ${BOUND_MS} ms`);
    await sleep(50);
  }
}
