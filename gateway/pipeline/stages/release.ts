import { armedAt, nextDeadline } from '../../answer/deadline.ts';
import { ReleaseQueue, tickOf } from '../../answer/release-queue.ts';
import { countHidden, learnFrom } from '../../answer/route-deadline.ts';
import type { Exchange, Step } from '../exchange.ts';

/** One for each clock; a process has one. */
const queues = new WeakMap<object, ReleaseQueue>();

/**
 * Stage 12b: the answer goes out: at once, or, when it hides something, at its deadline counted from arrival. Everything
 * that takes another time for one cause than for another was done before the wait; after it, all do the same.
 */
export function release(x: Exchange): Step | Promise<Step> {
  const { answer } = x;
  if (answer.deadlineMs > 0) return atDeadline(x);
  if (x.forwardedAt !== undefined && x.match !== undefined && x.match.route.hide !== 'none')
    learnFrom(x, x.arrival.arrivedAt, x.services.clock.monotonic());
  x.client.send(answer, x);
  return undefined;
}

async function atDeadline(x: Exchange): Promise<Step> {
  const { answer, arrival } = x;
  const { clock } = x.services;
  const { deadlineMs } = answer;
  const armed = armedAt(arrival.arrivedAt, x.completeAt ?? arrival.arrivedAt, deadlineMs);
  const now = clock.monotonic();
  const at = nextDeadline(armed, deadlineMs, now);
  learnFrom(x, armed, now);
  countHidden(x, Math.round((at - armed) / deadlineMs));
  let queue = queues.get(clock);
  if (queue === undefined) {
    queue = new ReleaseQueue(clock);
    queues.set(clock, queue);
  }
  await queue.until(tickOf(at), arrival.arrivedAt, arrival.id);
  x.client.send(answer, x);
  return undefined;
}
