import { writeJson } from '../../content/json-write.ts';
import type { Exchange, Step } from '../exchange.ts';
import { denied, expectAnswer } from './decide.ts';
import { refused, report } from './screen-head.ts';

/** Stage 6d: the policy's word on the body, which may put another in its place. */
export function judgeContent(x: Exchange): Step {
  const judge = x.obligations?.content;
  if (judge === undefined) return undefined;
  // `readContent` has ended whatever has none; this is what would make a mistake there harmless.
  if (x.content === undefined) return { kind: 'unavailable', reason: 'internal' };
  const judgement = judge(x.content.content);
  for (const reason of judgement.reasons) x.reasons.push(reason);
  if (judgement.effect === 'deny') return denied(x, judgement);
  if (judgement.answer !== undefined) {
    // It knows the body, and speaks in place of the one that did not.
    x.answerJudges = x.answerJudges.filter((each) => each !== x.obligations?.answer);
    expectAnswer(x, judgement.answer);
  }
  if (judgement.replacement !== undefined)
    x.outgoing = { ...x.outgoing, body: writeJson(judgement.replacement, x.content.source) };
  else if (judgement.form !== undefined) x.outgoing = { ...x.outgoing, body: Buffer.from(judgement.form) };
  return undefined;
}

/** Stage 6e: validation, then injection, of the body as it came. */
export function screenContent(x: Exchange): Step {
  const { content, match } = x;
  if (content === undefined || match === undefined) return undefined;
  const found = x.runtime.inspection.content(x.facts, match, content.content, (each) => report(x, each));
  return found === undefined ? undefined : refused(x, found);
}
