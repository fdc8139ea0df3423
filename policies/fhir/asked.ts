import type { RequestFacts } from '../../contracts/facts.ts';
import type { Decision, FhirVersion, Obligations, RouteMatch } from '../../contracts/policy.ts';
import type { Reason, ReasonCode } from '../../contracts/reasons.ts';
import { isLimited, mayTouch, type Reach, refusedBy } from './reach.ts';
import { ID } from './references.ts';
import type { FhirRule } from './rule.ts';
import type { Grant } from './scopes.ts';
import { encodeQuery, planPlain } from './search.ts';

export interface Asked {
  readonly rule: FhirRule;
  readonly facts: RequestFacts;
  readonly match: RouteMatch;
  readonly reach: Reach;
  readonly type: string;
  /** What permits it; one at least. */
  readonly grants: readonly Grant[];
  /** One of them reaches every resource of the type. */
  readonly open: boolean;
}

/** What an interaction asks of the gateway, or why it is refused. */
export type Plan =
  | {
      readonly ok: true;
      readonly obligations: Obligations;
      readonly reasons: readonly Reason[];
      readonly consent: boolean;
    }
  | {
      readonly ok: false;
      readonly denial: Extract<Decision, { effect: 'deny' }>['denial'];
      readonly reason: Reason;
      /** Whether a `user/` scope would do. */
      readonly byScope: boolean;
    };

export type Refused = Extract<Plan, { ok: false }>;
export type Planner = (asked: Asked) => Plan;

export const AS_IT_IS: Plan = Object.freeze({
  ok: true,
  obligations: Object.freeze({}),
  reasons: [],
  consent: false,
});

/** The media type in which answers are judged. */
const JSON_TYPE: Readonly<Record<FhirVersion, string>> = Object.freeze({
  R4: 'application/fhir+json',
  STU3: 'application/fhir+json',
  DSTU2: 'application/json+fhir',
});

export function refuse(
  denial: Refused['denial'],
  code: ReasonCode,
  detail?: string,
  byScope = false,
): Refused {
  const reason: Reason = detail === undefined ? { code, held: false } : { code, held: false, detail };
  return { ok: false, denial, reason, byScope };
}

export const isLimitedTo = ({ grants, reach }: Asked): boolean =>
  grants.every((grant) => isLimited(grant, reach));

/** A refusal for the want of a scope that is about more than one patient's record. */
export function outOfReach(asked: Asked, code: ReasonCode, detail?: string): Refused {
  return isLimitedTo(asked) && !asked.reach.foreign
    ? refuse('insufficient-scope', code, detail, true)
    : refuse('forbidden', code, detail);
}

export function permit(
  asked: Asked,
  obligations: Obligations,
  more: Partial<Pick<Extract<Plan, { ok: true }>, 'consent'>> & { narrowed?: boolean } = {},
): Plan {
  const reasons: Reason[] = [];
  if (more.narrowed === true) reasons.push({ code: 'search-narrowed', held: true });
  return {
    ok: true,
    obligations,
    reasons,
    // Every resource of a partner's answer is released by consent and nothing else, which its judge sees to.
    consent: more.consent === true || asked.reach.foreign,
  };
}

/** HAPI's way to delete what refers to a resource too, whatever its type. */
const CASCADE = 'x-cascade';

/** Headers without which a change stays with the one resource that it names. */
export function alone(facts: RequestFacts): Readonly<Record<string, undefined>> {
  return facts.headers.has(CASCADE) ? { [CASCADE]: undefined } : {};
}

export function headers(asked: Pick<Asked, 'rule' | 'facts'>): Readonly<Record<string, string | undefined>> {
  const accept = JSON_TYPE[asked.rule.version];
  // An answer that comes later, from another address (R4 §3.1.6), would come to nobody's judge.
  const later = /respond-async/i.test(asked.facts.headers.get('prefer') ?? '');
  return { accept, ...(later ? { prefer: undefined } : {}), ...alone(asked.facts) };
}

/** Whether the compartment can hold such resources, and the consents can be asked where they are needed. */
export function reachable(asked: Asked): Refused | undefined {
  const { reach, type } = asked;
  if (asked.open || !isLimitedTo(asked)) return undefined;
  if (type !== '*' && reach.types.get(type)?.narrow === undefined)
    return outOfReach(asked, 'compartment-none', type);
  if (reach.own !== undefined) return undefined;
  if (!reach.shared) return refuse('insufficient-scope', 'patient-context-missing', 'claim patient');
  return reach.context?.consents === undefined ? refuse('record-hidden', 'consent-unavailable') : undefined;
}

/** Whether the patient whose record the path names may be touched at all. */
export function touchable(
  asked: Asked,
  patient: string,
  action: 'read' | 'write',
): { consent: boolean } | Refused {
  if (!isLimitedTo(asked)) return { consent: false };
  const answer = mayTouch(asked.reach, patient, asked.type, action, undefined);
  if (answer === 'own') return { consent: false };
  if (answer === 'in-force') return { consent: true };
  return refuse('record-hidden', refusedBy(asked.reach, answer));
}

/** The id that the path names; undefined when it is none. */
export function idIn(captures: readonly string[], index: number | undefined): string | undefined {
  const id = index === undefined ? undefined : captures[index];
  return id !== undefined && ID.test(id) ? id : undefined;
}

export const READ_PARAMETERS: ReadonlySet<string> = new Set([]);
export const HISTORY_PARAMETERS: ReadonlySet<string> = new Set([
  '_since',
  '_at',
  '_count',
  '_page',
  'page',
  '_offset',
  '_getpages',
  '_getpagesoffset',
  '_pageId',
  '_bundletype',
]);
export const EVERYTHING_PARAMETERS: ReadonlySet<string> = new Set([
  ...HISTORY_PARAMETERS,
  'start',
  'end',
  '_type',
]);

/** What every plan about one resource begins with. */
export function one(
  asked: Asked,
  action: 'read' | 'write',
  known: ReadonlySet<string>,
): Refused | { readonly id: string; readonly query: string; readonly consent: boolean } {
  const { rule, match, facts, type } = asked;
  const refused = reachable(asked);
  if (refused !== undefined) return refused;
  const id = idIn(match.captures, rule.id);
  if (id === undefined || (rule.vid !== undefined && idIn(match.captures, rule.vid) === undefined)) {
    return refuse('record-hidden', 'resource-mismatch', 'id');
  }
  const parameters = planPlain(facts.parameters, known);
  if ('ok' in parameters)
    return { ok: false, denial: 'forbidden', reason: parameters.reason, byScope: false };
  const touched = type === 'Patient' ? touchable(asked, id, action) : { consent: false };
  if ('ok' in touched) return touched;
  return { id, query: encodeQuery(parameters), consent: touched.consent };
}
