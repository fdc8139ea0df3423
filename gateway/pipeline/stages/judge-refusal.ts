import type { Ending, EndingKind } from '../ending.ts';
import type { Exchange, Step } from '../exchange.ts';
import { isGiven } from './judge-existing.ts';

const CHANGES: ReadonlySet<string> = new Set(['PUT', 'PATCH', 'DELETE']);

/**
 * What a back end says of a change and not of whether the record is there, as far as the caller knows that it is
 * (RFC 9110 §15.5.10, §15.5.13, §15.5.21; RFC 6585 §3; RFC 4918 §11.3).
 */
const ABOUT_THE_CHANGE: Readonly<Partial<Record<number, EndingKind>>> = Object.freeze({
  409: 'conflict',
  412: 'precondition-failed',
  422: 'change-refused',
  423: 'conflict',
  428: 'precondition-required',
});

/**
 * Stage 10a: a change that the EMR refuses is hidden like anything else; but a client that is given the record when it
 * asks for it must learn that its version is an old one, or it will think that the record is gone. So it is looked
 * whether it is. For everybody else the refusal stays hidden.
 */
export function judgeRefusal(x: Exchange): Step | Promise<Step> {
  const { backend } = x;
  if (backend === undefined || backend.failed || x.match?.route.hide !== 'record') return undefined;
  const kind = ABOUT_THE_CHANGE[backend.status];
  return kind === undefined || !CHANGES.has(x.facts.method) ? undefined : judge(x, kind);
}

async function judge(x: Exchange, kind: EndingKind): Promise<Step> {
  if (!(await isGiven(x))) return undefined;
  x.failed('backend-refused');
  return { kind, reason: 'backend-refused' } satisfies Ending;
}
