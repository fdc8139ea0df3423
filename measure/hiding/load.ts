import type { LoadResult } from './observer/messages.ts';
import { own, type Run } from './scene-of-run.ts';

export interface RunningLoad {
  /** Permitted reads per second that the gateway can do here. */
  readonly capacity: number;
  /** @returns requests per second that were made */
  stop(): Promise<number>;
}

const CONNECTIONS = 16;
/** Seconds of each piece of load: stopping takes as long. */
const PIECE = 2;

/** Half of what the gateway can do, as permitted reads, until it is stopped. */
export async function startLoad(run: Run): Promise<RunningLoad> {
  const path = own(run, 'fhir').variants[0]?.path ?? '';
  const job = { kind: 'load', site: run.site, path, connections: CONNECTIONS } as const;
  const flat = await run.loader.ask<'load'>({ ...job, seconds: run.short ? 1 : 3, rate: undefined });
  const capacity = flat.requests / flat.seconds;
  let stopped = false;
  const pieces: LoadResult[] = [];
  const running = (async () => {
    while (!stopped)
      pieces.push(
        await run.loader.ask<'load'>({ ...job, seconds: run.short ? 1 : PIECE, rate: capacity / 2 }),
      );
  })();
  running.catch(() => {});
  return {
    capacity,
    async stop() {
      stopped = true;
      await running;
      const sum = (of: (each: LoadResult) => number) => pieces.reduce((total, each) => total + of(each), 0);
      if (sum((each) => each.failures) > 0) throw new Error('the background load was refused');
      return sum((each) => each.requests) / sum((each) => each.seconds);
    },
  };
}
