import type { Json, JsonObject } from '../../contracts/content.ts';
import type { FhirVersion } from '../../contracts/policy.ts';
import { definitionsOf, type ElementPath } from './definitions/index.ts';
import { isObject, member, text, valuesAt } from './elements.ts';

/** One `system|code` of a token parameter (R4 §3.1.1.4.10). Undefined: any; empty system: none. */
interface Token {
  readonly system: string | undefined;
  readonly code: string | undefined;
}

interface Condition {
  readonly parameter: string;
  readonly paths: readonly ElementPath[];
  /** Any of them. */
  readonly tokens: readonly Token[];
  /** The values as they are written into a narrowed search. */
  readonly value: string;
}

/** The search restriction of a scope: all conditions hold. */
export type Restriction = readonly Condition[];

const MOST_CONDITIONS = 8;
const MOST_VALUES = 32;

/**
 * Reads the query of a scope. Only what can be judged on a resource as it is counts: token parameters of the type
 * whose elements are known, without modifiers, escapes or prefixes; the rest is not understood and so grants nothing.
 * @returns the restriction, or why it is none
 */
export function parseRestriction(query: string, type: string, version: FhirVersion): Restriction | string {
  if (type === '*') return 'restricts a search of every type, whose parameters differ';
  const parameters = definitionsOf(version).get(type)?.parameters;
  const conditions: Condition[] = [];
  for (const part of query.split('&')) {
    const [name = '', value = '', ...more] = part.split('=');
    if (more.length > 0 || value === '') return 'has a search restriction that is no name=value';
    const decodedName = decode(name);
    const decoded = decode(value);
    if (decodedName === undefined || decoded === undefined)
      return 'has a search restriction that is not well encoded';
    const definition = parameters?.get(decodedName);
    if (definition?.kind !== 't' || definition.paths.length === 0) {
      return 'has a search restriction by a parameter that cannot be judged on a resource';
    }
    const tokens = decoded.split(',').map(parseToken);
    if (tokens.length > MOST_VALUES || tokens.some((token) => token === undefined)) {
      return 'has a search restriction with a value that is not understood';
    }
    conditions.push({
      parameter: decodedName,
      paths: definition.paths,
      tokens: tokens.flatMap((token) => (token === undefined ? [] : [token])),
      value: decoded,
    });
  }
  if (conditions.length > MOST_CONDITIONS) return `has more than ${MOST_CONDITIONS} search restrictions`;
  return Object.freeze(conditions);
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

function parseToken(value: string): Token | undefined {
  if (value === '' || /[\\$]|[^\x20-\x7e]/.test(value)) return undefined;
  const parts = value.split('|');
  const [first = '', second] = parts;
  if (parts.length === 1) return { system: undefined, code: first };
  if (parts.length > 2 || second === undefined || (first === '' && second === '')) return undefined;
  return { system: first, code: second === '' ? undefined : second };
}

/** Whether a resource is one that the restriction is about. */
export function satisfies(resource: JsonObject, restriction: Restriction): boolean {
  return restriction.every(({ paths, tokens }) => {
    const codes = paths.flatMap((path) => valuesAt(resource, path)).flatMap(codesOf);
    return tokens.some((token) => codes.some((code) => isCode(token, code)));
  });
}

function isCode(token: Token, code: Token): boolean {
  if (token.code !== undefined && token.code !== code.code) return false;
  if (token.system === undefined) return true;
  // `|code`: a code without a system; the system of a bare code is the element's own, which is not known here.
  return token.system === (code.system ?? '');
}

/** What a token parameter finds in an element: codes, Codings, CodeableConcepts, Identifiers (R4 §3.1.1.4.10). */
function codesOf(value: Json): readonly Token[] {
  if (typeof value === 'string') return [{ system: undefined, code: value }];
  if (typeof value === 'boolean') return [{ system: undefined, code: String(value) }];
  if (!isObject(value)) return [];
  if (member(value, 'coding') !== undefined) return valuesAt(value, ['coding']).flatMap(codesOf);
  const code = text(value, 'code') ?? text(value, 'value');
  return code === undefined ? [] : [{ system: text(value, 'system'), code }];
}

/** The first elements of a resource that a restriction looks at: what a patch must not touch. */
export function elementsOf(restriction: Restriction): readonly string[] {
  return restriction.flatMap(({ paths }) => paths.flatMap(([first]) => (first === undefined ? [] : [first])));
}

/**
 * One set of search parameters that finds everything that any of the restrictions is about; undefined when they are too
 * different for one search, so that its answer alone can be judged.
 */
export function narrowing(
  restrictions: readonly Restriction[],
): readonly (readonly [string, string])[] | undefined {
  const [first, ...others] = restrictions;
  if (first === undefined) return undefined;
  if (others.length === 0) return first.map(({ parameter, value }) => [parameter, value]);
  const parameter = first[0]?.parameter;
  if (restrictions.some((one) => one.length !== 1 || one[0]?.parameter !== parameter)) return undefined;
  return [[parameter ?? '', restrictions.map((one) => one[0]?.value ?? '').join(',')]];
}
