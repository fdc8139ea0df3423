import { incidentOf } from '../../incidents/capture.ts';
import type { Exchange, Step } from '../exchange.ts';

/** Stage 12c: after the answer has left. What was taken aside waits in memory; it is sealed and written at another time. */
export function keepIncident(x: Exchange): Step {
  const { original } = x;
  // What is written over HTTP/2 leaves with the end of this turn: nothing that only some causes have comes before.
  if (original !== undefined) setImmediate(() => x.runtime.incidents?.keep(incidentOf(x, original)));
  return undefined;
}
