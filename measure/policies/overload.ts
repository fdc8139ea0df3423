import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

export interface OverloadTarget {
  readonly port: number;
  /** `host:port`. */
  readonly authority: string;
  readonly path: string;
  readonly token: string;
  readonly ca: string;
}

export interface OverloadResult {
  readonly sent: number;
  readonly passed: number;
  readonly limited: number;
  readonly other: number;
  /** Milliseconds from the first answer that passed to the last request that was sent. */
  readonly spanMs: number;
}

const TICK_MS = 5;
/** Requests that wait at a time: what waits is decided late, in another window than it was sent in. */
const MOST_UNDER_WAY = 64;

/**
 * Sends so many requests a second, evenly, whatever becomes of them, over connections that the kernel spreads over the
 * workers, from the first that passes until `forMs` later.
 */
export async function overload(
  target: OverloadTarget,
  perSecond: number,
  forMs: number,
  connections: number,
  settleMs: number,
): Promise<OverloadResult> {
  const agents = Array.from(
    { length: connections },
    () => new Agent({ keepAlive: true, maxSockets: 8, ca: target.ca }),
  );
  const counts = { sent: 0, passed: 0, limited: 0, other: 0 };
  const running = new Set<Promise<void>>();
  const send = (): Promise<number> => {
    const agent = agents[counts.sent % agents.length];
    counts.sent += 1;
    return one(target, agent).then((status) => {
      if (status === 200) counts.passed += 1;
      else if (status === 429) counts.limited += 1;
      else counts.other += 1;
      return status;
    });
  };
  // Connections first, so that the time is spent on requests; the windows that they begin are over before it counts.
  await Promise.all(agents.map((agent) => one({ ...target, path: '/nowhere' }, agent)));
  await sleep(settleMs);
  if ((await send()) !== 200) throw new Error('the first request did not pass');
  const begun = performance.now();
  let last = begun;
  let due = 0;
  while (performance.now() - begun < forMs) {
    last = performance.now();
    due = ((last - begun) / 1000) * perSecond;
    while (counts.sent < due && running.size < MOST_UNDER_WAY) {
      const sending: Promise<void> = send().then(() => void running.delete(sending));
      running.add(sending);
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(running);
  for (const agent of agents) agent.destroy();
  return { ...counts, spanMs: last - begun };
}

/** The status of one request; 0 where there was none. */
function one(target: OverloadTarget, agent: Agent | undefined): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const outgoing = request(
    {
      ...(agent === undefined ? {} : { agent }),
      host: '127.0.0.1',
      port: target.port,
      servername: target.authority.replace(/:\d+$/, ''),
      path: target.path,
      headers: { host: target.authority, authorization: `Bearer ${target.token}` },
    },
    (incoming) => {
      incoming.on('error', () => resolve(0));
      incoming.on('end', () => resolve(incoming.statusCode ?? 0));
      incoming.resume();
    },
  );
  outgoing.on('error', () => resolve(0));
  outgoing.end();
  return promise;
}
