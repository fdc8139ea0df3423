import { nextDeadline, sleepUntil } from '../../answer/deadline.ts';
import type { Exchange, Step } from '../exchange.ts';

/** Stage 12b: the answer goes out: at once, or, when it hides something, at its deadline counted from arrival. */
export async function release(x: Exchange): Promise<Step> {
  const { answer } = x;
  if (answer.deadlineMs > 0) {
    const { clock } = x.services;
    await sleepUntil(nextDeadline(x.arrival.arrivedAt, answer.deadlineMs, clock.monotonic()), clock);
  }
  x.client.send(answer, x);
  return undefined;
}
