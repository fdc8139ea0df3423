import { deadlineOf } from '../../answer/route-deadline.ts';
import { originalOf } from '../../incidents/capture.ts';
import type { Exchange, Step } from '../exchange.ts';

/**
 * Milliseconds that the rest of a refused answer's body gets to come. Where nothing is hidden, it is how much later than
 * it could the client hears of an error whose body dawdles.
 */
const REST_MS = 50;

/**
 * Stage 10d: an answer of the EMR that the client does not get is taken aside before it is thrown away, to be kept for
 * those who have to find out what happened (`gateway/incidents`). Only memory is touched here.
 */
export function keepOriginal(x: Exchange): Step | Promise<Step> {
  const { backend } = x;
  if (x.runtime.incidents === undefined || backend === undefined || x.tunnel !== undefined) return undefined;
  if (x.ending === undefined && backend.status >= 200 && backend.status < 400) return undefined;
  if (backend.whole === undefined && !backend.failed) {
    return backend.settled(restOf(x)).then(() => {
      x.original = originalOf(backend);
      return undefined;
    });
  }
  x.original = originalOf(backend);
  return undefined;
}

/** Half of what is left until the answer is due: nobody's original is worth missing a deadline for. */
function restOf(x: Exchange): number {
  const period = deadlineOf(x);
  if (period <= 0) return REST_MS;
  const left = period - ((x.services.clock.monotonic() - x.arrival.arrivedAt) % period);
  return Math.min(REST_MS, left / 2);
}
