import { requestOf, shuffled } from './choice.ts';
import { Http2Client } from './http2.ts';
import type { BesideJob, BesideResult } from './messages.ts';

/** On one HTTP/2 connection: something refused, and with it something permitted, whose time is taken. */
export async function runBeside(job: BesideJob): Promise<BesideResult> {
  const times = job.cells.map(() => [] as number[]);
  const rounds = Math.ceil(job.samples / job.connections);
  const until = performance.now() + job.seconds * 1000;
  await Promise.all(
    Array.from({ length: job.connections }, async () => {
      const client = await Http2Client.open(job.site, false);
      for (let round = -1; round < rounds && performance.now() < until; round += 1) {
        for (const at of shuffled(job.cells.length)) {
          const cell = job.cells[at];
          if (cell === undefined) continue;
          const refused = client.ask(requestOf(cell));
          const own = await client.ask({ verb: 'GET', path: job.path, headers: {}, body: undefined });
          await refused;
          if (round >= 0) times[at]?.push(own.lastAt - own.sentAt);
        }
      }
      client.close();
    }),
  );
  return { times: times.map((each) => Float64Array.from(each)) };
}
