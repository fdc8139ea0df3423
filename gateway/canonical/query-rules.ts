import type { QueryRules, Route } from '../../contracts/policy.ts';

/** Names that no server folds into another one: nothing to cut, to replace or to lower. */
const PLAIN_NAME = /^[a-z0-9_:$@~-]*$/;
const BRACKETS = /[[\]]/;

const STRICT: QueryRules = Object.freeze({ duplicates: 'refuse', brackets: 'refuse' });

/**
 * The one name that PHP, ASP.NET and others may make of a parameter's: leading white space and whatever begins with a
 * bracket cut off, dots and spaces as underscores, in lower case.
 */
function folded(name: string): string {
  if (PLAIN_NAME.test(name)) return name;
  const bare = name.trimStart();
  // PHP keeps a bracket at the very beginning as an underscore.
  const cut = bare.indexOf('[', 1);
  return (cut < 0 ? bare : bare.slice(0, cut)).replace(/[. [\]]/g, '_').toLowerCase();
}

/**
 * Whether two of these names, which are different, are one to some server: `patient` and `patient[]`, `a.b` and `a_b`,
 * `id` and `ID`, `id` and ` id`. Which of the values then counts differs from server to server.
 *
 * @param brackets names with brackets are lists here, and several of one list are no aliases of each other
 */
export function aliased(names: Iterable<string>, brackets: boolean): boolean {
  const seen = new Map<string, boolean>();
  for (const name of names) {
    const form = folded(name);
    const list = brackets && name.includes('[');
    const before = seen.get(form);
    if (before === undefined) seen.set(form, list);
    else if (!(before && list)) return true;
  }
  return false;
}

/**
 * Whether a query could be read differently by the EMR, by the rules of the route: a name twice, names with brackets,
 * aliases of one name.
 */
export function isAmbiguousQuery(
  parameters: ReadonlyMap<string, readonly string[]>,
  route: Pick<Route, 'query'>,
): boolean {
  if (parameters.size === 0) return false;
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
