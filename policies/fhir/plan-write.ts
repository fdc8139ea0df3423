import type { Obligations } from '../../contracts/policy.ts';
import { resourceJudge, writtenJudge } from './answer.ts';
import {
  AS_IT_IS,
  type Asked,
  alone,
  headers,
  one,
  outOfReach,
  type Plan,
  type Planner,
  permit,
  READ_PARAMETERS,
  type Refused,
  reachable,
  refuse,
} from './asked.ts';
import { patchContent, resourceContent } from './content.ts';
import { reachesBeyond } from './parameters.ts';
import { beyond, refusedSearch } from './plan-read.ts';
import { readCondition } from './query-text.ts';
import { grantsFor, isOpen, LETTER, searchesAll } from './reach.ts';
import { encodeQuery, planPlain, planSearch } from './search.ts';

/**
 * `If-None-Exist` (R4 §3.1.0.8.1) is a search: it must not find what may not be searched, nor find it out by the way of
 * a chain.
 * @returns what is sent; written anew unless everything may be searched, so that nobody reads it otherwise than here
 */
function conditionalCreate(asked: Asked): Refused | string | undefined {
  const condition = asked.facts.headers.get('if-none-exist');
  if (condition === undefined) return undefined;
  const { reach, type } = asked;
  const grants = grantsFor(reach, type, LETTER.s);
  if (grants.length === 0) return refuse('insufficient-scope', 'scope-missing', `${type}.s`);
  const whole = isOpen(grants, reach);
  if (whole && searchesAll(reach)) return condition;
  const parameters = readCondition(condition, type);
  if (parameters === undefined) return outOfReach(asked, 'search-unsupported', 'If-None-Exist');
  if (whole && ![...parameters.keys()].some(reachesBeyond)) {
    return encodeQuery(
      [...parameters].flatMap(([name, values]) => values.map((value) => [name, value] as const)),
    );
  }
  const plan = planSearch(reach, type, grants, parameters);
  return plan.ok ? encodeQuery(plan.parameters) : refusedSearch(asked, plan);
}

export const create: Planner = (asked) => {
  const refused = reachable(asked);
  if (refused !== undefined) return refused;
  const condition = conditionalCreate(asked);
  if (typeof condition === 'object') return condition;
  const { reach, rule, type, facts } = asked;
  if (asked.open) {
    const same = condition === facts.headers.get('if-none-exist');
    return same ? AS_IT_IS : permit(asked, { headers: { 'if-none-exist': condition } });
  }
  const parameters = planPlain(facts.parameters, READ_PARAMETERS);
  if ('ok' in parameters)
    return { ok: false, denial: 'forbidden', reason: parameters.reason, byScope: false };
  const expected = { type, id: undefined, mask: rule.mask, action: 'write' } as const;
  return permit(asked, {
    query: '',
    headers: { ...headers(asked), 'if-none-exist': condition },
    content: resourceContent(reach, expected),
    answer: writtenJudge(reach, expected),
  });
};

/** Whoever reaches all of one type changes what the path names, and nothing of another type along with it. */
function changeAlone(asked: Asked): Plan {
  const { reach, rule, facts } = asked;
  if (isOpen(grantsFor(reach, '*', rule.mask), reach)) return AS_IT_IS;
  const parameters = planPlain(facts.parameters, READ_PARAMETERS);
  if ('ok' in parameters) return refuse('forbidden', 'search-unsupported', 'unknown parameter');
  const without = alone(facts);
  return Object.keys(without).length === 0 ? AS_IT_IS : permit(asked, { headers: without });
}

const change =
  (content: (asked: Asked, id: string) => Obligations['content']): Planner =>
  (asked) => {
    if (asked.open) return changeAlone(asked);
    const about = one(asked, 'write', READ_PARAMETERS);
    if ('ok' in about) return about;
    const { reach, rule, type } = asked;
    const expected = { type, id: about.id, mask: rule.mask, action: 'write' } as const;
    const judge = content(asked, about.id);
    return permit(
      asked,
      {
        query: '',
        headers: headers(asked),
        existing: resourceJudge(reach, expected),
        answer: writtenJudge(reach, expected),
        ...(judge === undefined ? {} : { content: judge }),
      },
      about,
    );
  };

export const update = change(({ reach, rule, type }, id) =>
  resourceContent(reach, { type, id, mask: rule.mask }),
);
export const patch = change(({ reach, rule, type }, id) =>
  patchContent(reach, { type, id, mask: rule.mask }),
);
export const remove = change(() => undefined);

/** Conditional changes are searches too; what they would find is the EMR's to say, so that they are for open scopes. */
export const conditional: Planner = (asked) => {
  if (!asked.open) return outOfReach(asked, 'search-unsupported', asked.rule.interaction);
  const { reach, type } = asked;
  if (isOpen(grantsFor(reach, type, LETTER.s), reach) && !beyond(asked)) {
    const without = alone(asked.facts);
    return Object.keys(without).length === 0 ? AS_IT_IS : permit(asked, { headers: without });
  }
  return refuse('insufficient-scope', 'scope-missing', `${type}.s`, false);
};
