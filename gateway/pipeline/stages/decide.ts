import type { AnswerJudge, Decision, Denial, Obligations } from '../../../contracts/policy.ts';
import { tellMethods } from '../../answer/methods.ts';
import { maySay } from '../../transport/outgoing-headers.ts';
import type { Ending, EndingKind } from '../ending.ts';
import type { Exchange, Step } from '../exchange.ts';

const KIND: Readonly<Record<Denial, EndingKind>> = Object.freeze({
  unauthenticated: 'unauthenticated',
  'insufficient-scope': 'insufficient-scope',
  'factor-stale': 'factor-stale',
  'certificate-required': 'certificate-required',
  'sender-unconstrained': 'unauthenticated',
  forbidden: 'forbidden',
  'route-unknown': 'route-unknown',
  'record-hidden': 'hidden',
});

/** What a gateway of this version can do for a permit; one that asks for more is refused. */
const UNDERSTOOD: Readonly<Record<keyof Obligations, true>> = Object.freeze({
  query: true,
  headers: true,
  content: true,
  answer: true,
  existing: true,
});

/** Conditions and ranges would have the back end speak of an answer that nobody has judged (RFC 9110 §13, §14). */
const PARTIAL = Object.freeze({ range: undefined, 'if-range': undefined });
const CONDITIONAL = Object.freeze({
  ...PARTIAL,
  'if-match': undefined,
  'if-none-match': undefined,
  'if-modified-since': undefined,
  'if-unmodified-since': undefined,
});

/** Stage 5: the policy decides. Pure; what is not an explicit permit ends here. */
export function decide(x: Exchange): Step {
  const now = Math.floor(x.facts.receivedAt / 1000);
  const decision = x.policy.decide(x.facts, x.match, x.principal, now, x.runtime.decisionContext);
  for (const reason of decision.reasons) x.reasons.push(reason);
  if (x.facts.method === 'OPTIONS' && (decision.effect === 'permit' || decision.denial === 'record-hidden')) {
    const told = tellMethods(x);
    if (told !== undefined) return told;
  }
  if (decision.effect === 'deny') return denied(x, decision);
  if (x.match === undefined) return { kind: 'unavailable', reason: 'internal' };
  const { obligations } = decision;
  return obligations === undefined ? undefined : oblige(x, obligations);
}

function oblige(x: Exchange, obligations: Obligations): Step {
  const unknown = Object.keys(obligations).some((key) => !Object.hasOwn(UNDERSTOOD, key));
  // Dropped without a word, a header that was asked for would be an obligation that was not met.
  const unsayable = Object.entries(obligations.headers ?? {}).some(
    ([name, value]) => value !== undefined && !maySay(name, x.tenant.settings.identityHeader?.toLowerCase()),
  );
  // A tunnel has no body and no answer that could be judged.
  if (unknown || unsayable || x.facts.upgrade !== undefined) {
    x.failed('internal', 'obligations');
    return { kind: 'unavailable', reason: 'internal' };
  }
  x.obligations = obligations;
  const { query, headers, answer } = obligations;
  if (query !== undefined) x.outgoing = { ...x.outgoing, query };
  if (headers !== undefined) x.outgoing = { ...x.outgoing, headers: { ...x.outgoing.headers, ...headers } };
  if (answer !== undefined) expectAnswer(x, answer);
  return undefined;
}

/** From now on the back end is asked in such a way that its answer can be judged. */
export function expectAnswer(x: Exchange, judge: AnswerJudge): void {
  x.answerJudges = [...x.answerJudges, judge];
  const { method } = x.facts;
  const safe = method === 'GET' || method === 'HEAD';
  x.outgoing = {
    ...x.outgoing,
    headers: { ...x.outgoing.headers, ...(safe ? CONDITIONAL : PARTIAL), 'accept-encoding': 'identity' },
    method: method === 'HEAD' ? 'GET' : undefined,
  };
}

/**
 * A denial of the policy, before or after it saw the body. What it hides ends later, in `withhold`: what is refused for
 * the request's own sake, and what nobody gets at the moment, is the same for what is hidden and what is absent.
 */
export function denied(x: Exchange, decision: Extract<Decision, { effect: 'deny' }>): Step {
  const ending = endingOf(x, decision);
  if (ending.kind !== 'hidden' || x.match === undefined) return ending;
  x.withheld = ending;
  return undefined;
}

function endingOf(x: Exchange, decision: Extract<Decision, { effect: 'deny' }>): Ending {
  const decisive = decision.reasons.findLast((reason) => !reason.held);
  if (decision.denial === 'route-unknown' && x.principal.kind === 'anonymous') {
    // To whoever has no token every route looks alike, those that are not there included.
    return { kind: 'unauthenticated', reason: 'route-unknown', credentialPresented: false };
  }
  return {
    kind: KIND[decision.denial],
    reason: decisive?.code ?? 'internal',
    scopeNeeded: decision.scopeNeeded,
    // A token that is good in itself, and not for this route.
    credentialPresented: decision.denial === 'sender-unconstrained',
  };
}
