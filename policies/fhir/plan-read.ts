import { bundleJudge, resourceJudge } from './answer.ts';
import {
  AS_IT_IS,
  type Asked,
  EVERYTHING_PARAMETERS,
  HISTORY_PARAMETERS,
  headers,
  idIn,
  one,
  outOfReach,
  type Planner,
  permit,
  READ_PARAMETERS,
  type Refused,
  reachable,
  refuse,
  touchable,
} from './asked.ts';
import { searchForm } from './content.ts';
import { isPage, reachesBeyond } from './parameters.ts';
import { grantsFor, isOpen, LETTER, searchesAll } from './reach.ts';
import { encodeQuery, planSearch, type SearchPlan } from './search.ts';

export const read: Planner = (asked) => {
  if (asked.open) return AS_IT_IS;
  const about = one(asked, 'read', READ_PARAMETERS);
  if ('ok' in about) return about;
  const { reach, rule, type } = asked;
  const answer = resourceJudge(reach, { type, id: about.id, mask: rule.mask, action: 'read' });
  return permit(asked, { query: about.query, headers: headers(asked), answer }, about);
};

export const historyInstance: Planner = (asked) => {
  if (asked.open) return AS_IT_IS;
  const about = one(asked, 'read', HISTORY_PARAMETERS);
  if ('ok' in about) return about;
  const { reach, rule, type } = asked;
  const answer = bundleJudge(reach, { kinds: ['history'], type, id: about.id, mask: rule.mask });
  return permit(asked, { query: about.query, headers: headers(asked), answer }, about);
};

/** What cannot be narrowed is for whoever reaches all of it. */
export const openOnly: Planner = (asked) =>
  asked.open ? AS_IT_IS : outOfReach(asked, 'search-unsupported', asked.rule.interaction);

export function refusedSearch(asked: Asked, plan: Extract<SearchPlan, { ok: false }>): Refused {
  if (plan.hidden) return { ok: false, denial: 'record-hidden', reason: plan.reason, byScope: false };
  if (plan.reason.code === 'patient-context-missing' && !asked.reach.foreign) {
    return { ok: false, denial: 'insufficient-scope', reason: plan.reason, byScope: false };
  }
  const { code, detail } = plan.reason;
  return outOfReach(asked, code, detail);
}

/** Even whoever reaches all of a type may find out about, or be sent, resources of others. */
export function beyond(asked: Asked): boolean {
  if (searchesAll(asked.reach)) return false;
  return [...asked.facts.parameters.keys()].some(reachesBeyond);
}

function searchJudge({ reach, rule, type }: Asked, counted = false) {
  return bundleJudge(reach, { kinds: ['searchset'], type, mask: rule.mask, counted });
}

export const search: Planner = (asked) => {
  if (asked.open && !beyond(asked)) return AS_IT_IS;
  const refused = reachable(asked);
  if (refused !== undefined) return refused;
  const { reach, type, grants, facts } = asked;
  const plan = planSearch(reach, type, grants, facts.parameters);
  if (!plan.ok) return refusedSearch(asked, plan);
  const query = encodeQuery(plan.parameters);
  return permit(asked, { query, headers: headers(asked), answer: searchJudge(asked, plan.counted) }, plan);
};

export const searchPost: Planner = (asked) => {
  const { reach, type, grants, facts } = asked;
  if (asked.open && searchesAll(reach)) return AS_IT_IS;
  const refused = reachable(asked);
  if (refused !== undefined) return refused;
  const content = searchForm(
    (parameters) => planSearch(reach, type, grants, parameters),
    facts.parameters,
    searchJudge(asked, true),
  );
  return permit(asked, { query: '', headers: headers(asked), content, answer: searchJudge(asked) });
};

export const compartmentSearch: Planner = (asked) => {
  if (asked.open && !beyond(asked)) return AS_IT_IS;
  const refused = reachable(asked);
  if (refused !== undefined) return refused;
  const { reach, type, grants, facts, rule, match } = asked;
  const patient = idIn(match.captures, rule.id);
  if (patient === undefined) return refuse('record-hidden', 'resource-mismatch', 'id');
  const touched = touchable(asked, patient, 'read');
  if ('ok' in touched) return touched;
  const plan = planSearch(reach, type, grants, facts.parameters, patient);
  if (!plan.ok) return refusedSearch(asked, plan);
  const query = encodeQuery(plan.parameters);
  return permit(
    asked,
    { query, headers: headers(asked), answer: searchJudge(asked, plan.counted) },
    { consent: touched.consent || plan.consent },
  );
};

/** A page of a search that was narrowed when it was made, or was somebody else's: each entry is judged by itself. */
export const searchSystem: Planner = (asked) => {
  if (asked.open) return AS_IT_IS;
  if (!isPage(asked.facts.parameters)) return openOnly(asked);
  const refused = reachable(asked);
  if (refused !== undefined) return refused;
  const query = encodeQuery(
    [...asked.facts.parameters].flatMap(([name, [value = '']]) =>
      ['_format', '_pretty', '_elements', '_summary', '_total'].includes(name)
        ? []
        : [[name, value] as const],
    ),
  );
  const answer = bundleJudge(asked.reach, { kinds: ['searchset'], type: undefined, mask: LETTER.r });
  return permit(asked, { query, headers: headers(asked), answer });
};

/** `Patient/{id}/$everything` (R4 §Patient.operations): each resource of the answer by itself. */
export const everything: Planner = (asked) => {
  const { reach, rule, type, facts } = asked;
  if (isOpen(grantsFor(reach, '*', LETTER.r), reach)) return AS_IT_IS;
  if (type !== 'Patient' || rule.id === undefined || facts.method === 'POST') {
    return outOfReach(asked, 'search-unsupported', rule.interaction);
  }
  const about = one({ ...asked, open: false }, 'read', EVERYTHING_PARAMETERS);
  if ('ok' in about) return about;
  const answer = bundleJudge(reach, { kinds: ['searchset'], type: 'Patient', mask: rule.mask });
  return permit(asked, { query: about.query, headers: headers(asked), answer }, about);
};
