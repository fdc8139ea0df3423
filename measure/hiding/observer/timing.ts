import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { open, type Protocol, protocolsOf, requestOf, shuffled } from './choice.ts';
import type { TimingJob, TimingResult } from './messages.ts';

/** Answers of each connection that are not counted: the first are slower for everybody. */
const WARM = 5;

/**
 * Sequential requests on each of several connections. Each connection asks about every cell once, in random order, and
 * then again: so all of them meet the machine in the same mood.
 */
export async function runTiming(job: TimingJob): Promise<TimingResult> {
  const protocols = protocolsOf(job.streams);
  const rounds = Math.ceil(job.samples / protocols.length);
  const times = job.cells.map(() => new Float64Array(rounds * protocols.length));
  const counts = job.cells.map(() => 0);
  const statuses = job.cells.map(() => ({}) as Record<string, number>);
  const begun = performance.now();
  await Promise.all(protocols.map((protocol) => stream(job, protocol, rounds, times, counts, statuses)));
  return {
    times: times.map((each, i) => each.slice(0, counts[i])),
    statuses,
    seconds: (performance.now() - begun) / 1000,
  };
}

async function stream(
  job: TimingJob,
  protocol: Protocol,
  rounds: number,
  times: readonly Float64Array[],
  counts: number[],
  statuses: readonly Record<string, number>[],
): Promise<void> {
  // Not all of them at once: they would go on together.
  await sleep(randomInt(200));
  let client = await open(job.site, protocol);
  for (let warm = 0; warm < WARM; warm += 1) {
    const cell = job.cells[warm % job.cells.length];
    if (cell !== undefined) await client.ask(requestOf(cell));
  }
  const until = performance.now() + job.seconds * 1000;
  for (let round = 0; round < rounds && performance.now() < until; round += 1) {
    for (const at of shuffled(job.cells.length)) {
      const cell = job.cells[at];
      if (cell === undefined) continue;
      const answer = await client.ask(requestOf(cell));
      const took = times[at];
      const place = counts[at] ?? 0;
      if (took !== undefined) took[place] = answer.lastAt - answer.sentAt;
      counts[at] = place + 1;
      const status = statuses[at];
      if (status !== undefined) status[answer.status] = (status[answer.status] ?? 0) + 1;
      if (answer.closed) {
        client.close();
        client = await open(job.site, protocol);
      }
    }
  }
  client.close();
}
