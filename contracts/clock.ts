/**
 * Time as every part sees it. Ages and deadlines use `monotonic`, which never jumps;
 * only what must be compared with the outside world (token expiry, log times) uses `wall`.
 */
export interface Clock {
  /** Milliseconds since the epoch, UTC. May jump. */
  wall(): number;
  /** Milliseconds since an arbitrary instant of this process, with fractions. Never goes back. */
  monotonic(): number;
}

export const systemClock: Clock = Object.freeze({
  wall: () => Date.now(),
  monotonic: () => performance.now(),
});
