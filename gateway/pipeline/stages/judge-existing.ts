import type { RequestFacts } from '../../../contracts/facts.ts';
import type { AnswerJudge } from '../../../contracts/policy.ts';
import { recogniseAnswer } from '../../recognise/recognise.ts';
import { sessionOf } from '../../replicas/who.ts';
import { outgoingHeaders } from '../../transport/outgoing-headers.ts';
import { outgoingTarget } from '../../transport/outgoing-target.ts';
import { send } from '../../transport/send.ts';
import type { Exchange, Step } from '../exchange.ts';
import { wholeAnswer } from '../judged-answer.ts';
import type { Outgoing } from '../outgoing.ts';

/** Milliseconds that the body of what is there may stand still. */
const BODY_TIMEOUT_MS = 30_000;

/** What is asked for has no body, and nothing of the client's conditions. */
const PLAIN: Outgoing = Object.freeze({
  query: '',
  body: Buffer.alloc(0),
  headers: Object.freeze({
    'content-type': undefined,
    'content-encoding': undefined,
    'content-language': undefined,
    'content-location': undefined,
    'if-match': undefined,
    'if-none-match': undefined,
    'if-modified-since': undefined,
    'if-unmodified-since': undefined,
    'if-none-exist': undefined,
    'if-range': undefined,
    range: undefined,
    prefer: undefined,
    'accept-encoding': 'identity',
  }),
});

/** One entity tag (RFC 9110 §8.8.3), and no list of them. */
const TAG = /^(?:W\/)?"[\x21\x23-\x7e]*"$/;

const CHANGES: ReadonlySet<string> = new Set(['PUT', 'PATCH', 'DELETE']);

/**
 * Stage 8b: what a change would change is looked at first, where the policy wants to see it, or the route wants it to be
 * there. The change then goes out with the entity tag of what was judged, so that nothing else is changed. Hidden, absent
 * and failed are one.
 */
export function judgeExisting(x: Exchange): Step | Promise<Step> {
  const judge = x.obligations?.existing;
  if (judge !== undefined) return look(x, judge);
  // A body may say that a POST is one of them (`methodOverride`).
  const changes =
    CHANGES.has(x.facts.method) || (x.facts.method === 'POST' && x.route.methodOverride !== undefined);
  return x.route.lookFirst === true && changes ? look(x, undefined) : undefined;
}

/**
 * Whether this caller is given what the request's path names, when it is asked for by GET: the policy permits that and
 * the back end does. Never rejects.
 */
export async function isGiven(x: Exchange): Promise<boolean> {
  const facts: RequestFacts = { ...x.facts, method: 'GET', body: { kind: 'none' }, mediaType: undefined };
  const now = Math.floor(facts.receivedAt / 1000);
  const read = x.policy.decide(facts, x.policy.match(facts), x.principal, now, x.runtime.decisionContext);
  if (read.effect !== 'permit') return false;
  const judge = read.obligations?.answer;
  // What was looked at before the change is looked at once more only where the policy has to see it.
  return (x.existingSeen && judge === undefined) || (await look(x, judge)) === undefined;
}

/** @param judge undefined: that it is there is enough */
async function look(x: Exchange, judge: AnswerJudge | undefined): Promise<Step> {
  if (!x.intentRecorded) return { kind: 'unavailable', reason: 'internal' };
  // A session lives at one back end, and another one would know of none.
  const key = x.tenant.balancing.method === 'sticky' ? sessionOf(x) : '';
  const backend = x.tenant.pick('primary', key);
  if (backend === undefined) {
    x.failed('backend-unavailable');
    return { kind: 'unavailable', reason: 'backend-unavailable' };
  }
  const accept = x.obligations?.headers?.accept ?? acceptedOn(x);
  const headers = outgoingHeaders(x, { ...PLAIN, headers: { ...PLAIN.headers, accept } });
  // From here on its time tells what the EMR did: whatever fails is answered when a refusal would be.
  x.forwardedAt ??= x.services.clock.monotonic();
  const { result, answer } = await send(x, backend, {
    path: outgoingTarget(x, namedBy(x)),
    method: 'GET',
    headers,
    whole: undefined,
    body: undefined,
    reset: false,
    stillMs: BODY_TIMEOUT_MS,
    limitMs: x.route.backendTimeoutMs,
    hold: x.runtime.contentLimits.answerBytes,
    role: 'primary',
    key,
    repeatable: true,
  });
  if (result !== 'head') return hidden(x, 'existing-unavailable');
  if (judge === undefined) {
    const recognised = answer.status === 200 ? await recogniseAnswer(x, answer) : undefined;
    // Of what broke off nothing was recognised either.
    const given = answer.status === 200 && recognised === undefined && !answer.failed;
    answer.discard();
    if (!given) return hidden(x, 'existing-absent');
    x.existingSeen = true;
    return undefined;
  }
  const whole = answer.status === 200 ? await wholeAnswer(x, answer) : 'existing-absent';
  if (whole === undefined || typeof whole === 'string') {
    answer.discard();
    return hidden(x, whole ?? 'existing-unavailable');
  }
  const judgement = judge(whole.answer);
  answer.discard();
  for (const reason of judgement.reasons) x.reasons.push(reason);
  if (judgement.release === 'hidden') {
    const decisive = judgement.reasons.findLast((reason) => !reason.held);
    return { kind: 'hidden', reason: decisive?.code ?? 'answer-unjudged' };
  }
  x.existingSeen = true;
  onlyThis(x, whole.answer.headers.etag);
  return undefined;
}

/**
 * The query by which a record is named: `/patient.php?id=9`. FHIR names it by the path, and its servers may refuse to read
 * with a parameter for changes; but where rows of others lie beside, a conditional change must not pass for one of all.
 */
function namedBy(x: Exchange): string {
  const { route, tenant, outgoing, facts } = x;
  const byPath =
    route.fhir !== undefined && (tenant.settings.ownRows === undefined || route.rows === 'unchecked');
  return byPath ? '' : (outgoing.query ?? facts.query);
}

/** Of a change, a client's `Accept` is about what it gets back; that of FHIR is always understood. */
function acceptedOn(x: Exchange): string {
  return x.route.fhir === undefined ? (x.facts.headers.get('accept') ?? '*/*') : 'application/fhir+json';
}

/** A tag of the client's own stays: if it is another, the EMR refuses; `*` and lists would let anything through. */
function onlyThis(x: Exchange, tag: string | undefined): void {
  if (tag === undefined || !TAG.test(tag)) return;
  const own = x.facts.headers.get('if-match');
  if (own !== undefined && TAG.test(own)) return;
  x.outgoing = { ...x.outgoing, headers: { ...x.outgoing.headers, 'if-match': tag } };
}

function hidden(x: Exchange, rule: string): Step {
  x.failed('answer-unjudged', rule);
  return { kind: 'hidden', reason: 'answer-unjudged' };
}
