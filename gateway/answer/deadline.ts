import type { Clock } from '../../contracts/clock.ts';

/**
 * The instant at which a hidden answer is released: `periodMs` after arrival, or the next whole multiple
 * when the gateway is later than that. Counted from arrival and fixed before the EMR is asked, so it tells
 * nothing of what the EMR did. All arguments and the result are monotonic milliseconds.
 */
export function nextDeadline(arrivedAt: number, periodMs: number, now: number): number {
  const periods = Math.max(1, Math.ceil((now - arrivedAt) / periodMs));
  return arrivedAt + periods * periodMs;
}

/** Waits until a monotonic instant. Timers may fire a little early; this never returns early. */
export async function sleepUntil(instant: number, clock: Clock): Promise<void> {
  for (let left = instant - clock.monotonic(); left > 0; left = instant - clock.monotonic()) {
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(left)));
  }
}
