import type { Json } from '../../../contracts/content.ts';
import { endingOfBackendStatus } from '../../answer/statuses.ts';
import { writeJson } from '../../content/json-write.ts';
import type { Ending } from '../ending.ts';
import type { Exchange, Step } from '../exchange.ts';
import { wholeAnswer } from '../judged-answer.ts';

/**
 * Stage 10b: where the policy has to see the back end's answer, it is read whole, given its one meaning and judged
 * before anything of it is released. What cannot be judged is hidden: too large, in pieces, compressed, no JSON.
 * Errors of the back end need no judge: `shape` lets none of them pass.
 */
export function judgeAnswer(x: Exchange): Step | Promise<Step> {
  return x.answerJudges.length === 0 ? undefined : judge(x);
}

async function judge(x: Exchange): Promise<Step> {
  const { backend } = x;
  if (backend === undefined || x.tunnel !== undefined) return { kind: 'unavailable', reason: 'internal' };
  if (backend.failed || endingOfBackendStatus(backend.status, x.route) !== undefined) return undefined;
  const whole = await wholeAnswer(x, backend);
  // What broke off, `shape` answers.
  if (whole === undefined) return undefined;
  if (typeof whole === 'string') return unjudged(x, whole);
  let { content } = whole.answer;
  let replaced = false;
  for (const each of x.answerJudges) {
    const judgement = each({ ...whole.answer, content });
    for (const reason of judgement.reasons) x.reasons.push(reason);
    if (judgement.release === 'hidden') {
      const decisive = judgement.reasons.findLast((reason) => !reason.held);
      return { kind: 'hidden', reason: decisive?.code ?? 'answer-unjudged' };
    }
    if (judgement.release !== 'replaced') continue;
    content = judgement.content;
    replaced = true;
  }
  // What was found and taken out takes longer than what was not found, as far as nothing is left that tells anyway.
  if (x.route.hide !== 'none' && isEmptySearch(content)) x.late = true;
  if (replaced && content !== undefined) {
    x.replacedBody = writeJson(content, whole.source);
    backend.discard();
  }
  return undefined;
}

/** A set of search results (FHIR R4 §3.1.1.4.2) in which nothing was found. */
function isEmptySearch(content: Json | undefined): boolean {
  if (!isObject(content) || content.resourceType !== 'Bundle' || content.type !== 'searchset') return false;
  const { entry } = content;
  // A mere number tells by itself whether something was found.
  if (!Array.isArray(entry)) return content.total === undefined || content.total === 0;
  return entry.every((each) => isObject(each) && isObject(each.search) && each.search.mode === 'outcome');
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unjudged(x: Exchange, rule: string): Ending {
  x.failed('answer-unjudged', rule);
  return { kind: 'hidden', reason: 'answer-unjudged' };
}
