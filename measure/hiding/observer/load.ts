import { setTimeout as sleep } from 'node:timers/promises';
import { open } from './choice.ts';
import type { LoadJob, LoadResult } from './messages.ts';

/** Permitted reads, as fast as they are answered or at a rate. */
export async function runLoad(job: LoadJob): Promise<LoadResult> {
  const begun = performance.now();
  const until = begun + job.seconds * 1000;
  let requests = 0;
  let failures = 0;
  const spacing = job.rate === undefined ? 0 : (1000 * job.connections) / job.rate;
  await Promise.all(
    Array.from({ length: job.connections }, async (_, i) => {
      const client = await open(job.site, 'h1');
      let due = begun + (spacing * i) / job.connections;
      while (performance.now() < until) {
        const wait = due - performance.now();
        if (wait > 1) await sleep(wait);
        // Behind by much: those are not made up for, or it would be a burst.
        due = Math.max(due, performance.now() - 50) + spacing;
        const answer = await client.ask({ verb: 'GET', path: job.path, headers: {}, body: undefined });
        requests += 1;
        if (answer.status !== 200) failures += 1;
      }
      client.close();
    }),
  );
  return { requests, seconds: (performance.now() - begun) / 1000, failures };
}
