import type { InjectionRule } from '../../contracts/route-inspection.ts';

/**
 * How a text is read. `parameter`: what an old web application takes from forms, queries, cookies and paths, where
 * nothing but plain values is expected. `plain`: the same where addresses belong, as in headers and FHIR searches.
 * `clinical`: free text in FHIR resources, where only what cannot be prose
 * counts. `narrative`: the XHTML of a FHIR narrative. `path`: the whole path. `file`: the name of a file.
 */
export const READINGS = ['parameter', 'plain', 'clinical', 'narrative', 'path', 'file'] as const;
export type Reading = (typeof READINGS)[number];

/** A rule for the engine (libddwaf). */
export interface EngineRule {
  readonly id: InjectionRule;
  readonly readings: readonly Reading[];
  /** `match_regex`: any of the expressions. The other two are libinjection's. */
  readonly operator: 'match_regex' | 'is_sqli' | 'is_xss';
  readonly expressions: readonly string[];
  readonly caseMatters: boolean;
  /** Of these characters a text must have one, or no expression of the rule can hold. Empty: of any. */
  readonly needs: string;
}

/** What all readings but those of FHIR have in common. */
export const STRICT: readonly Reading[] = Object.freeze(['parameter', 'plain', 'path']);
export const EVERYWHERE: readonly Reading[] = READINGS;

/** Regular expressions in RE2's syntax, whose time grows with the text alone; case does not matter. */
export function expression(
  id: InjectionRule,
  readings: readonly Reading[],
  ...expressions: string[]
): EngineRule {
  return { id, readings, operator: 'match_regex', expressions, caseMatters: false, needs: '' };
}

/** The same where case tells. */
export function exactly(
  id: InjectionRule,
  readings: readonly Reading[],
  ...expressions: string[]
): EngineRule {
  return { ...expression(id, readings, ...expressions), caseMatters: true };
}

/** The same for expressions that hold only where one of the characters stands; other texts are spared the search. */
export function needing(needs: string, rule: EngineRule): EngineRule {
  return { ...rule, needs };
}

/** libinjection, which reads a text as a fragment of SQL, or of HTML. */
export function libinjection(
  id: InjectionRule,
  readings: readonly Reading[],
  operator: 'is_sqli' | 'is_xss',
): EngineRule {
  return { id, readings, operator, expressions: [], caseMatters: false, needs: '' };
}

/** Under which name texts of a reading are put to the engine for rules that need certain characters. */
export function addressOf(reading: Reading, needs: string): string {
  return `${reading}${needs}`;
}
