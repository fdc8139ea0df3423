import { fault, named, type PayloadFault } from '../finding.ts';
import type { Definitions } from './definitions.ts';
import { isText } from './formats.ts';
import { formOf, MODIFIERS, RESULT_PARAMETERS } from './search-values.ts';

/** Parameters with every value of each, in order of appearance. */
export type Parameters = Iterable<readonly [name: string, values: readonly string[]]>;

/** Links of a chain, and of `_has`, at most. */
const LONGEST_CHAIN = 4;
/** Of a chain whose target is not said, any parameter may be meant. */
const ANY = '*';

/**
 * The first parameter that is not one of the resource type, or whose value has not the form of its type.
 *
 * @param type undefined: parameters of every type
 * @param more further parameters that this back end has, with their types
 */
export function searchFault(
  parameters: Parameters,
  type: string | undefined,
  definitions: Definitions,
  more: ReadonlyMap<string, string>,
  kind: 'query' | 'form',
): PayloadFault | undefined {
  for (const [name, values] of parameters) {
    const form = formFor(name, type, definitions, more, 0);
    if (form === undefined) return fault(named(kind, name), 'fhir-search-parameter');
    for (const value of values) if (!form(value)) return fault(named(kind, name), 'fhir-search-value');
  }
  return undefined;
}

type Form = (text: string) => boolean;

function formFor(
  name: string,
  type: string | undefined,
  definitions: Definitions,
  more: ReadonlyMap<string, string>,
  depth: number,
): Form | undefined {
  if (depth > LONGEST_CHAIN || name.length > 256) return undefined;
  const colon = name.indexOf(':');
  const dot = name.indexOf('.');
  const base = name.slice(
    0,
    colon < 0 ? (dot < 0 ? undefined : dot) : dot < 0 ? colon : Math.min(colon, dot),
  );
  if (depth === 0) {
    const result = Object.hasOwn(RESULT_PARAMETERS, base) ? RESULT_PARAMETERS[base] : undefined;
    if (result !== undefined) {
      if (base === name) return result;
      return /^_(?:rev)?include:(?:iterate|recurse|logical)$/.test(name) ? result : undefined;
    }
  }
  if (base === '_has') return reverse(name, definitions, more, depth);
  const found = typeOf(base, type, definitions) ?? (depth === 0 ? more.get(base) : undefined);
  if (found === undefined) return undefined;
  const rest = name.slice(base.length);
  if (rest === '') return formOf(found, undefined);
  return modified(rest, found, definitions, more, depth);
}

/** `:modifier`, `:Type`, `:Type.further` or `.further`. */
function modified(
  rest: string,
  found: string,
  definitions: Definitions,
  more: ReadonlyMap<string, string>,
  depth: number,
): Form | undefined {
  const dot = rest.indexOf('.');
  const modifier = rest.startsWith(':') ? rest.slice(1, dot < 0 ? undefined : dot) : '';
  if (dot >= 0) {
    if (found !== 'reference') return undefined;
    if (modifier !== '' && !definitions.resources.has(modifier)) return undefined;
    return formFor(rest.slice(dot + 1), modifier === '' ? ANY : modifier, definitions, more, depth + 1);
  }
  if (definitions.resources.has(modifier))
    return found === 'reference' ? formOf(found, undefined) : undefined;
  const allowed = Object.hasOwn(MODIFIERS, modifier) ? MODIFIERS[modifier] : undefined;
  if (allowed === undefined || !(found === ANY || allowed.has(found))) return undefined;
  return formOf(found, modifier);
}

/** `_has:Observation:patient:code` (R4 §3.1.1.4.12). */
function reverse(
  name: string,
  definitions: Definitions,
  more: ReadonlyMap<string, string>,
  depth: number,
): Form | undefined {
  const match = /^_has:([A-Z][A-Za-z]{1,63}):([A-Za-z0-9_-]{1,64}):(.+)$/.exec(name);
  const type = match?.[1] ?? '';
  if (!definitions.resources.has(type) || typeOf(match?.[2] ?? '', type, definitions) !== 'reference')
    return undefined;
  return formFor(match?.[3] ?? '', type, definitions, more, depth + 1);
}

/** The type of a parameter; undefined: there is none of the name. */
function typeOf(name: string, type: string | undefined, definitions: Definitions): string | undefined {
  const common = definitions.search.get('Resource')?.get(name);
  if (common !== undefined) return common;
  if (type === ANY) {
    for (const parameters of definitions.search.values()) if (parameters.has(name)) return ANY;
    return undefined;
  }
  return type === undefined ? undefined : definitions.search.get(type)?.get(name);
}

const OPERATION_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}(?::[A-Za-z-]{1,32})?$/;

/** Parameters of an operation are its own: names in the form of such, values that are text. */
export function operationFault(parameters: Parameters, kind: 'query' | 'form'): PayloadFault | undefined {
  for (const [name, values] of parameters) {
    const result = Object.hasOwn(RESULT_PARAMETERS, name) ? RESULT_PARAMETERS[name] : undefined;
    if (!OPERATION_NAME.test(name)) return fault(named(kind, name), 'fhir-search-parameter');
    if (!values.every(result ?? isText)) return fault(named(kind, name), 'fhir-search-value');
  }
  return undefined;
}
