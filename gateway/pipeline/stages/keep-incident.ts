import { incidentOf } from '../../incidents/capture.ts';
import type { Exchange, Step } from '../exchange.ts';

/** Stage 12c: after the answer has left. What was taken aside waits in memory; it is sealed and written at another time. */
export function keepIncident(x: Exchange): Step {
  if (x.original !== undefined) x.runtime.incidents?.keep(incidentOf(x, x.original));
  return undefined;
}
