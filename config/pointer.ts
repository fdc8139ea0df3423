/** Steps from a document's root to a place in it: keys of mappings, positions (as decimal text) in lists. */
export type Steps = readonly string[];

/** RFC 6901 §3 and §4. */
export function stepsOf(pointer: string): Steps {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** One step added to an RFC 6901 pointer. */
export function below(pointer: string, step: string | number): string {
  return `${pointer}/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The pointer of the enclosing mapping or list; the root's is its own. */
export function above(pointer: string): string {
  return pointer.slice(0, Math.max(0, pointer.lastIndexOf('/')));
}

/** One step as a person reads it in a path: `.key`, `[3]`, or `["odd key"]`. */
export function readable(step: string, inList: boolean, first: boolean): string {
  if (inList) return `[${step}]`;
  if (!/^[A-Za-z_][\w-]*$/.test(step)) return `[${JSON.stringify(step)}]`;
  return first ? step : `.${step}`;
}
