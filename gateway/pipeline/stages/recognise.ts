import { type Recognised, recogniseAnswer } from '../../recognise/recognise.ts';
import type { Exchange, Step } from '../exchange.ts';

/**
 * Stage 10b: an answer whose status is good is looked through for what it means all the same: an error of the EMR, or
 * that there is nothing for this caller. The one becomes a failure, the other what an absent record is; on a route that
 * hides, both are one.
 */
export function recognise(x: Exchange): Step | Promise<Step> {
  const { backend } = x;
  if (backend === undefined || x.tunnel !== undefined) return undefined;
  const found = recogniseAnswer(x, backend);
  if (found === undefined) return undefined;
  return found instanceof Promise ? found.then((recognised) => ended(x, recognised)) : ended(x, found);
}

function ended(x: Exchange, recognised: Recognised | undefined): Step {
  if (recognised === undefined) return undefined;
  const { kind, reason, detail } = recognised;
  x.failed(reason, detail);
  return { kind, reason };
}
