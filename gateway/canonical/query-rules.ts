import type { QueryRules, Route } from '../../contracts/policy.ts';
import { overridesByQuery } from './method-override.ts';
import { folded, foldedAtOpenBracket, isListName } from './parameter-names.ts';

export { folded };

const BRACKETS = /[[\]]/;

const STRICT: QueryRules = Object.freeze({ duplicates: 'refuse', brackets: 'refuse' });

/**
 * Whether two of these names, which are different, are one to some server: `patient` and `patient[]`, `a.b` and `a_b`,
 * `id` and `ID`, `id` and ` id`, `a[b` and `a_b`. Which of the values then counts differs from server to server.
 *
 * @param brackets names with brackets are lists here, and several of one list are no aliases of each other
 */
export function aliased(names: Iterable<string>, brackets: boolean): boolean {
  const seen = new Map<string, boolean>();
  for (const name of names) {
    if (meets(seen, folded(name), brackets && isListName(name))) return true;
    // The second reading of a bracket that nothing closes.
    const cut = foldedAtOpenBracket(name);
    if (cut !== undefined && meets(seen, cut, false)) return true;
  }
  return false;
}

/** Whether another name has the form already, and not as the same list. */
function meets(seen: Map<string, boolean>, form: string, list: boolean): boolean {
  const before = seen.get(form);
  if (before === undefined) seen.set(form, list);
  return before !== undefined && !(before && list);
}

/**
 * Whether a query could be read differently by the EMR, by the rules of the route: a name twice, names with brackets,
 * aliases of one name, a name by which a framework takes another method than the request's.
 */
export function isAmbiguousQuery(
  parameters: ReadonlyMap<string, readonly string[]>,
  route: Pick<Route, 'query'>,
): boolean {
  if (parameters.size === 0) return false;
  if (overridesByQuery(parameters)) return true;
  const { duplicates, brackets } = route.query ?? STRICT;
  for (const [name, values] of parameters) {
    const list = BRACKETS.test(name);
    if (list && brackets !== 'allow') return true;
    // What a list is repeated for; anything else twice is for servers that take the first, the last, or both.
    if (values.length > 1 && duplicates !== 'allow' && !(list && name.endsWith('[]'))) return true;
    if (name.trimStart() !== name) return true;
  }
  return parameters.size > 1 && aliased(parameters.keys(), brackets === 'allow');
}
