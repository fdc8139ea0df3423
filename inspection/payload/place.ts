/** Characters of a name that only the request gave, at most. */
const LONGEST_NAME = 64;
/** Steps of a pointer that are told; deeper ones would only be long. */
const MOST_STEPS = 32;

/**
 * A JSON Pointer as findings have it: each step cut to 64 characters of `[A-Za-z0-9_.:-]`, because names of members
 * may be the request's own.
 * @param name a further step; empty: none
 */
export function placeOf(pointer: string, name: string = ''): string {
  const steps = pointer.split('/').slice(1);
  if (name !== '') steps.push(name);
  return steps
    .slice(0, MOST_STEPS)
    .map((step) => `/${safeName(step)}`)
    .join('');
}

/** A name of the request as it may be told and recorded. */
export function safeName(name: string): string {
  return name
    .slice(0, LONGEST_NAME)
    .replaceAll('~1', '_')
    .replaceAll('~0', '_')
    .replaceAll(/[^A-Za-z0-9_.:-]/g, '_');
}
