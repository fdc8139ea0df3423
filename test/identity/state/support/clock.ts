import type { Clock } from '../../../../contracts/clock.ts';

/** The real clock, and a way to let hours pass. */
export interface MovableClock extends Clock {
  advance(milliseconds: number): void;
}

export function movableClock(): MovableClock {
  let ahead = 0;
  return {
    wall: () => Date.now() + ahead,
    monotonic: () => performance.now() + ahead,
    advance(milliseconds) {
      ahead += milliseconds;
    },
  };
}
