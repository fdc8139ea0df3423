import type { Reason } from '../../contracts/reasons.ts';
import type { TypeDefinition } from './definitions/index.ts';
import { MOST_INCLUDES, patientsIn, understand } from './parameters.ts';
import { grantsFor, isLimited, isOpen, LETTER, mayTouch, type Reach, refusedBy } from './reach.ts';
import { resolveReference } from './references.ts';
import { narrowing } from './restriction.ts';
import type { Grant } from './scopes.ts';

/** Results that are counted for `_summary=count`; of more, the number is not told. */
const MOST_COUNTED = '1000';

/** What becomes of a search before it reaches the EMR. */
export type SearchPlan =
  | {
      readonly ok: true;
      /** What is sent, in order. */
      readonly parameters: readonly (readonly [string, string])[];
      readonly consent: boolean;
      readonly narrowed: boolean;
      /** Only the number of what is found is to be told. */
      readonly counted: boolean;
    }
  /** `hidden`: the reason depends on whose record it is. */
  | { readonly ok: false; readonly hidden: boolean; readonly reason: Reason };

type Refusal = Extract<SearchPlan, { ok: false }>;

export function unsupported(detail: string): Refusal {
  return { ok: false, hidden: false, reason: { code: 'search-unsupported', held: false, detail } };
}

const refusal = (code: Reason['code'], hidden: boolean, detail?: string): Refusal => ({
  ok: false,
  hidden,
  reason: detail === undefined ? { code, held: false } : { code, held: false, detail },
});

interface Search {
  readonly reach: Reach;
  readonly type: string;
  readonly definition: TypeDefinition;
  /** Every grant that permits the search, none of them open. */
  readonly grants: readonly Grant[];
  readonly limited: boolean;
}

/**
 * Narrows a search to what the grants are about: to the patient, and to the restrictions of v2 scopes where one search
 * can express them. The answer is judged all the same.
 * @param patient the patient that the path names already (compartment search, `$everything`)
 */
export function planSearch(
  reach: Reach,
  type: string,
  grants: readonly Grant[],
  parameters: ReadonlyMap<string, readonly string[]>,
  patient?: string,
): SearchPlan {
  const definition = reach.types.get(type);
  if (definition === undefined) return unsupported('unknown type');
  const limited = grants.every((grant) => isLimited(grant, reach));
  if (limited && definition.narrow === undefined) return refusal('compartment-none', false, type);
  const search: Search = { reach, type, definition, grants, limited };
  const kept: (readonly [string, string])[] = [];
  let includes = 0;
  let named: readonly string[] | undefined;
  let consent = false;
  let counted = false;
  for (const [name, values] of parameters) {
    const meaning = understand(name, values, { types: reach.types, definition });
    if (meaning.as === 'count') counted = true;
    if (meaning.as === 'dropped' || meaning.as === 'count') continue;
    if (meaning.as === 'refused') return unsupported(meaning.why);
    if (meaning.as === 'include') includes += values.length;
    if (meaning.as === 'chain' && !mayChain(search, meaning)) {
      return unsupported(meaning.through === '_has' ? '_has' : 'chained parameter');
    }
    if (meaning.as === 'subject' && limited) {
      const touched = touch(search, values);
      if ('ok' in touched) return touched;
      consent ||= touched.consent;
      if (name.split(':')[0] === definition.narrow) {
        if (named !== undefined) return unsupported('patient parameter twice');
        named = touched.patients;
        continue;
      }
    }
    for (const value of values) kept.push([name, value]);
  }
  if (includes > MOST_INCLUDES) return unsupported(`more than ${MOST_INCLUDES} includes`);
  const first = limited && patient === undefined ? narrowTo(search, named) : [];
  if ('ok' in first) return first;
  return {
    ok: true,
    parameters: [...first, ...(counted ? onOnePage(kept) : kept), ...restricted(grants)],
    consent,
    counted,
    narrowed: first.length > 0,
  };
}

/** So that what is counted comes together, as far as the EMR lets it. */
function onOnePage(
  parameters: readonly (readonly [string, string])[],
): readonly (readonly [string, string])[] {
  return [...parameters.filter(([name]) => name !== '_count'), ['_count', MOST_COUNTED]];
}

/** The patients that a subject parameter names, all of whom may be touched. */
function touch(
  { reach, type }: Search,
  values: readonly string[],
): { readonly patients: readonly string[]; readonly consent: boolean } | Refusal {
  const [value, ...more] = values;
  if (value === undefined || more.length > 0) return unsupported('patient parameter twice');
  const patients = patientsIn(value, (reference) => resolveReference(reference, reach.base));
  if (patients === undefined) return unsupported('value of the patient parameter');
  let consent = false;
  for (const patient of patients) {
    const answer = mayTouch(reach, patient, type, 'read', undefined);
    if (answer === 'own') continue;
    if (answer !== 'in-force') return refusal(refusedBy(reach, answer), true);
    consent = true;
  }
  return { patients, consent };
}

/** The compartment parameter: of the named patients, else of the own one. */
function narrowTo(
  { reach, definition }: Search,
  named: readonly string[] | undefined,
): readonly (readonly [string, string])[] | Refusal {
  const patients = named ?? (reach.own === undefined ? [] : [reach.own]);
  const name = definition.narrow ?? '';
  if (patients.length === 0) return refusal('patient-context-missing', false, 'claim patient');
  // Parameters that can name others besides patients want the type with it (R4 §3.1.1.4.13).
  const bare = name === 'patient' || name === '_id';
  return [[name, patients.map((id) => (bare ? id : `Patient/${id}`)).join(',')]];
}

/** The restriction of v2 scopes, where every grant has one and one search can say it. */
function restricted(grants: readonly Grant[]): readonly (readonly [string, string])[] {
  const restrictions = grants.flatMap(({ restriction }) => (restriction === undefined ? [] : [restriction]));
  return restrictions.length === grants.length ? (narrowing(restrictions) ?? []) : [];
}

/**
 * A chain finds out what the resource at its end holds, without returning it. It is followed only to resources all of
 * which may be searched, or to the own patient's own record.
 */
function mayChain(
  { reach, definition, limited }: Search,
  {
    through,
    target,
    parameter,
  }: { readonly through: string; readonly target: string | undefined; readonly parameter: string },
): boolean {
  if (target === undefined) return false;
  const end = reach.types.get(target)?.parameters.get(parameter);
  if (end === undefined || end.kind === 'x') return false;
  const grants = grantsFor(reach, target, LETTER.s);
  if (isOpen(grants, reach)) return true;
  const own = limited && target === 'Patient' && through === definition.narrow && reach.own !== undefined;
  return own && !reach.shared && grants.some(({ restriction }) => restriction === undefined);
}

/** A query as it is sent, without `?`. */
export function encodeQuery(parameters: readonly (readonly [string, string])[]): string {
  return parameters
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
}

/** Parameters of a read, a history or a write: those that are dropped, and the ones of `known`. */
export function planPlain(
  parameters: ReadonlyMap<string, readonly string[]>,
  known: ReadonlySet<string>,
): readonly (readonly [string, string])[] | Refusal {
  const kept: (readonly [string, string])[] = [];
  for (const [name, values] of parameters) {
    if (['_format', '_pretty', '_elements', '_summary'].includes(name)) continue;
    if (!known.has(name)) return unsupported('unknown parameter');
    for (const value of values) kept.push([name, value]);
  }
  return kept;
}
