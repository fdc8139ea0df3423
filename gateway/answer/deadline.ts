/** Parts of a deadline by which a request that took its time to arrive shifts it. */
const SHIFTS = 4;

/**
 * The instant at which a hidden answer is released: `periodMs` after arrival, or the next whole multiple when the
 * gateway is later than that. Counted from arrival and fixed before the EMR is asked, so it tells
 * nothing of what the EMR did. All arguments and the result are monotonic milliseconds.
 */
export function nextDeadline(arrivedAt: number, periodMs: number, now: number): number {
  const periods = Math.max(1, Math.ceil((now - arrivedAt) / periodMs));
  return arrivedAt + periods * periodMs;
}

/**
 * From when on the deadline runs: the request's arrival. A body that came late moves it by whole quarters of the
 * deadline, so that whoever sends the last byte of one just before an instant of release does not learn from the next
 * instant who needed longer than the rest of it.
 *
 * @param completeAt when the last byte of the request was there
 */
export function armedAt(arrivedAt: number, completeAt: number, periodMs: number): number {
  const shift = periodMs / SHIFTS;
  const late = Math.ceil((completeAt - arrivedAt) / shift);
  return late <= 1 ? arrivedAt : arrivedAt + late * shift;
}
