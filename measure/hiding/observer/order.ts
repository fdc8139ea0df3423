import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './answer.ts';
import { requestOf } from './choice.ts';
import { Http2Client } from './http2.ts';
import type { OrderJob, OrderResult } from './messages.ts';

/** Pairs of requests that leave together on one HTTP/2 connection, in random order: who is answered first? */
export async function runOrder(job: OrderJob): Promise<OrderResult> {
  const total = { first: 0, pairs: 0, sentFirst: 0, kept: { first: 0, pairs: 0 } };
  await Promise.all(
    Array.from({ length: job.connections }, async (_, i) => {
      const share = Math.floor((job.pairs + i) / job.connections);
      await sleep(randomInt(50));
      const client = await Http2Client.open(job.site, false);
      for (let pair = -3; pair < share; pair += 1) {
        const swapped = randomInt(2) === 1;
        const [one, two] = job.pair.map((cell) => requestOf(cell)) as [
          ReturnType<typeof requestOf>,
          ReturnType<typeof requestOf>,
        ];
        let firstAnswered = -1;
        let latest = 0;
        const note = (which: number) => (answer: Answer) => {
          if (firstAnswered < 0) firstAnswered = which;
          latest = Math.max(latest, answer.lastAt - answer.sentAt);
        };
        const asked = swapped
          ? [client.ask(two).then(note(1)), client.ask(one).then(note(0))]
          : [client.ask(one).then(note(0)), client.ask(two).then(note(1))];
        await Promise.all(asked);
        if (pair < 0) continue;
        total.pairs += 1;
        if (firstAnswered === 0) total.first += 1;
        if (latest <= job.withinMs) {
          total.kept.pairs += 1;
          if (firstAnswered === 0) total.kept.first += 1;
        }
        if (firstAnswered === (swapped ? 1 : 0)) total.sentFirst += 1;
      }
      client.close();
    }),
  );
  return total;
}
