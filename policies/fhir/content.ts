import type { Content, Json } from '../../contracts/content.ts';
import type { AnswerJudge, ContentJudge, ContentJudgement, Denial } from '../../contracts/policy.ts';
import type { Reason, ReasonCode } from '../../contracts/reasons.ts';
import { isObject, text } from './elements.ts';
import { judgePatch } from './patch.ts';
import { grantsFor, isLimited, judgeResource, type Reach } from './reach.ts';
import { encodeQuery, type SearchPlan } from './search.ts';
import { judgePatchedReferences, judgeReferences } from './written-references.ts';

/** What comes with a permit by consent; without it `policies/sharing.ts` denies. */
export const CONSENT: Reason = Object.freeze({ code: 'consent-in-force', held: true });

export function denyContent(denial: Denial, code: ReasonCode, detail?: string): ContentJudgement {
  const reason: Reason = detail === undefined ? { code, held: false } : { code, held: false, detail };
  return { effect: 'deny', denial, reasons: [reason] };
}

function permitContent(consent: boolean): Extract<ContentJudgement, { effect: 'permit' }> {
  return {
    effect: 'permit',
    reasons: [{ code: 'patient-matches', held: true }, ...(consent ? [CONSENT] : [])],
  };
}

export interface Written {
  readonly type: string;
  /** The id in the path; undefined for a create. */
  readonly id: string | undefined;
  readonly mask: number;
}

/** A resource that is created or put in place of another: it has to be, and to stay, within reach, and what it refers to too. */
export function resourceContent(reach: Reach, { type, id, mask }: Written): ContentJudge {
  return (content) => {
    if (content.kind !== 'json') return denyContent('forbidden', 'resource-mismatch', 'media type');
    return judgeWritten(reach, content.value, { type, id, mask });
  };
}

function judgeWritten(reach: Reach, value: Json, { type, id, mask }: Written): ContentJudgement {
  if (!isObject(value) || text(value, 'resourceType') !== type) {
    return denyContent('forbidden', 'resource-mismatch', 'resourceType');
  }
  // R4 §3.1.0.4: the id of the resource is the one of the URL.
  if (id !== undefined && text(value, 'id') !== id)
    return denyContent('forbidden', 'resource-mismatch', 'id');
  const verdict = judgeResource(reach, value, mask, 'write', reach.base);
  if (!verdict.ok) return denyContent('record-hidden', verdict.reason);
  const unfit = judgeReferences(reach, type, verdict.limited, value);
  return unfit === undefined
    ? permitContent(verdict.consent)
    : denyContent(unfit.denial, unfit.code, unfit.detail);
}

/** A patch of a resource that was found to be within reach: it must not touch what keeps it there. */
export function patchContent(reach: Reach, { type, mask }: Written): ContentJudge {
  return (content) => {
    if (content.kind !== 'json') return denyContent('forbidden', 'patch-unsupported', 'media type');
    const why = judgePatch(reach, type, mask, content.mediaType, content.value);
    if (why !== undefined) return denyContent('forbidden', 'patch-unsupported', why);
    // By which of the grants the resource is within reach, a patch does not say.
    const limited = grantsFor(reach, type, mask).some((grant) => isLimited(grant, reach));
    const unfit = judgePatchedReferences(reach, type, limited, content.value);
    return unfit === undefined ? permitContent(false) : denyContent(unfit.denial, unfit.code, unfit.detail);
  };
}

/**
 * The form of a `POST …/_search`, with what the URL says besides: judged as one search, and sent as one form.
 * @param counting judges the answer where only a number is asked for
 */
export function searchForm(
  plan: (parameters: ReadonlyMap<string, readonly string[]>) => SearchPlan,
  query: ReadonlyMap<string, readonly string[]>,
  counting: AnswerJudge,
): ContentJudge {
  return (content: Content) => {
    if (content.kind !== 'form') return denyContent('forbidden', 'resource-mismatch', 'media type');
    const parameters = new Map<string, readonly string[]>(query);
    for (const [name, values] of content.fields) {
      parameters.set(name, [...(parameters.get(name) ?? []), ...values]);
    }
    const planned = plan(parameters);
    if (!planned.ok) {
      return {
        effect: 'deny',
        denial: planned.hidden ? 'record-hidden' : 'forbidden',
        reasons: [planned.reason],
      };
    }
    return {
      ...permitContent(planned.consent),
      form: encodeQuery(planned.parameters),
      ...(planned.counted ? { answer: counting } : {}),
    };
  };
}
