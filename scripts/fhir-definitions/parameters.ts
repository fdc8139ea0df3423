/** One search parameter of one resource type, as far as the policies use it. */
export interface Parameter {
  readonly name: string;
  readonly kind: string;
  /** Element paths below the resource, in the names that JSON has; empty: not simple enough to be followed. */
  readonly paths: readonly string[];
}

/** First letters of the kinds of search parameter; what the modules hold. */
export const KIND: Readonly<Record<string, string>> = {
  token: 't',
  reference: 'r',
  string: 's',
  date: 'd',
  quantity: 'q',
  number: 'n',
  uri: 'u',
  composite: 'c',
  special: 'x',
};

const PLAIN = /^[A-Z][A-Za-z]*(?:\.[a-z][A-Za-z]*)+$/;
const CAST = /^\(([A-Z][A-Za-z]*(?:\.[a-z][A-Za-z]*)+) as ([A-Za-z]+)\)$/;
const RESOLVED = /^([A-Z][A-Za-z]*(?:\.[a-z][A-Za-z]*)+)\.where\(resolve\(\) is [A-Z][A-Za-z]*\)$/;

/** The element path that one alternative of a FHIRPath expression names, in JSON's names; undefined: not a simple one. */
function simplePath(expression: string): string | undefined {
  if (PLAIN.test(expression)) return expression;
  const cast = CAST.exec(expression);
  // `(Observation.value as CodeableConcept)` is the JSON member `valueCodeableConcept`, where the element has a choice.
  if (cast !== null) {
    const type = cast[2] ?? '';
    return `${cast[1]}${type.charAt(0).toUpperCase()}${type.slice(1)}`;
  }
  return RESOLVED.exec(expression)?.[1];
}

/**
 * The paths of an expression for one type. When one alternative of that type cannot be followed, none is used: half
 * of an answer would be a wrong one.
 */
export function pathsFor(type: string, expression: string | undefined): readonly string[] {
  const alternatives = (expression ?? '')
    .split(' | ')
    .map((alternative) => alternative.trim())
    .filter((alternative) => new RegExp(`^\\(?${type}\\b`).test(alternative));
  const paths = alternatives.map(simplePath);
  if (paths.some((path) => path === undefined)) return [];
  return [...new Set(paths.map((path) => (path ?? '').slice(type.length + 1)))];
}
