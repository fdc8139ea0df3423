import type { ParameterKind, TypeDefinition } from './definitions/index.ts';
import { ID } from './references.ts';

/** Requests with more than so many includes are refused, before anything is done for them. */
export const MOST_INCLUDES = 32;
const LONGEST_VALUE = 4096;

/** What a search parameter means for a decision. */
export type Understood =
  /** Sent as it is. */
  | { readonly as: 'plain' }
  /** Not sent: an answer that was cut could not be judged, and a media type of its own could not be read. */
  | { readonly as: 'dropped' }
  /** Only the number is asked for: it is counted among what may be seen (`_summary=count`, R4 §3.1.1.5.5). */
  | { readonly as: 'count' }
  /** Names resources of the type by their subject: whose, has to be judged. */
  | { readonly as: 'subject' }
  /** `_include` and `_revinclude`: every resource of the answer has to be judged. */
  | { readonly as: 'include' }
  /** Finds by what other resources hold, one step away: `target` says of which type, when the request does. */
  | {
      readonly as: 'chain';
      readonly through: string;
      readonly target: string | undefined;
      readonly parameter: string;
    }
  | { readonly as: 'refused'; readonly why: string };

const PLAIN: Understood = Object.freeze({ as: 'plain' });
const DROPPED: Understood = Object.freeze({ as: 'dropped' });
const COUNT: Understood = Object.freeze({ as: 'count' });
const SUBJECT: Understood = Object.freeze({ as: 'subject' });
const INCLUDE: Understood = Object.freeze({ as: 'include' });
const refused = (why: string): Understood => ({ as: 'refused', why });

const DROP: ReadonlySet<string> = new Set(['_format', '_pretty', '_elements', '_summary', '_total']);
/** Where common servers keep their place in a search; none of them finds more. */
const PAGING: ReadonlySet<string> = new Set([
  '_count',
  '_offset',
  '_page',
  'page',
  '_skip',
  '_cursor',
  'ct',
  '_getpages',
  '_getpagesoffset',
  '_pageId',
  '_bundletype',
]);
/**
 * Whether a search of the whole system only turns a page of a search that was made before, as HAPI's links do
 * (`/fhir?_getpages=…`).
 */
export function isPage(parameters: ReadonlyMap<string, readonly string[]>): boolean {
  if (parameters.get('_getpages')?.length !== 1) return false;
  for (const name of parameters.keys()) if (!PAGING.has(name) && !DROP.has(name)) return false;
  return true;
}

const REFUSED: ReadonlySet<string> = new Set([
  '_filter',
  '_query',
  '_list',
  '_contained',
  '_containedType',
  '_type',
  '_graph',
  '_in',
]);
const INCLUDES = /^_(?:rev)?include(?::(?:iterate|recurse))?$/;
const INCLUDE_VALUE = /^([A-Z][A-Za-z]{0,63}):([A-Za-z][A-Za-z0-9-]{0,63}|\*)(?::([A-Z][A-Za-z]{0,63}))?$/;

/** Modifiers that change how a value is compared, and nothing else (R4 §3.1.1.4.5). */
const MODIFIERS: Readonly<Record<ParameterKind, ReadonlySet<string>>> = Object.freeze({
  t: new Set(['missing', 'text', 'not', 'above', 'below', 'in', 'not-in', 'of-type']),
  r: new Set(['missing', 'identifier', 'above', 'below']),
  s: new Set(['missing', 'exact', 'contains']),
  u: new Set(['missing', 'above', 'below']),
  d: new Set(['missing']),
  q: new Set(['missing']),
  n: new Set(['missing']),
  c: new Set(['missing']),
  x: new Set([]),
});

export interface SearchContext {
  readonly types: ReadonlyMap<string, TypeDefinition>;
  readonly definition: TypeDefinition;
}

/** What one parameter of a search of one type means. Whatever is not known here is refused. */
export function understand(
  name: string,
  values: readonly string[],
  { types, definition }: SearchContext,
): Understood {
  if (values.some((value) => value.length > LONGEST_VALUE)) return refused('value too long');
  if (name === '_summary' && values.includes('count')) return COUNT;
  if (DROP.has(name)) return DROPPED;
  if (PAGING.has(name))
    return name === '_count' && !values.every((v) => /^\d{1,6}$/.test(v)) ? refused('_count') : PLAIN;
  if (REFUSED.has(name)) return refused(name);
  if (name === '_has' || name.startsWith('_has:')) return reverseChain(name, types);
  if (INCLUDES.test(name)) return understandInclude(name, values, types);
  if (name === '_sort' || /^_sort:(?:asc|desc)$/.test(name)) return understandSort(values, definition);
  if (name.includes('.')) return understandChain(name, definition);
  const [bare = '', modifier, ...more] = name.split(':');
  const parameter = definition.parameters.get(bare);
  if (parameter === undefined || more.length > 0) return refused('unknown parameter');
  const subject = definition.subjectParameters.has(bare);
  if (modifier === undefined) return subject ? SUBJECT : PLAIN;
  if (subject) return modifier === 'Patient' ? SUBJECT : refused('modifier of the patient parameter');
  if (parameter.kind === 'r' && types.has(modifier)) return PLAIN;
  return MODIFIERS[parameter.kind].has(modifier) ? PLAIN : refused('unknown modifier');
}

function understandInclude(
  name: string,
  values: readonly string[],
  types: ReadonlyMap<string, TypeDefinition>,
): Understood {
  if (values.length > MOST_INCLUDES) return refused(`more than ${MOST_INCLUDES} of ${name.split(':')[0]}`);
  for (const value of values) {
    if (value === '*') continue;
    const [, type = '', parameter = '', target] = INCLUDE_VALUE.exec(value) ?? [];
    const definition = types.get(type);
    const known = parameter === '*' || definition?.parameters.get(parameter)?.kind === 'r';
    if (definition === undefined || !known || (target !== undefined && !types.has(target))) {
      return refused(`value of ${name.split(':')[0]}`);
    }
  }
  return INCLUDE;
}

function understandSort(values: readonly string[], definition: TypeDefinition): Understood {
  const names = values.flatMap((value) => value.split(','));
  const known = names.every((name) => {
    const bare = name.startsWith('-') ? name.slice(1) : name;
    return bare === '_score' || definition.parameters.has(bare);
  });
  return known ? PLAIN : refused('_sort');
}

/** `subject:Patient.name`, `patient.name` (R4 §3.1.1.4.11): one step, by a plain parameter. */
function understandChain(name: string, definition: TypeDefinition): Understood {
  const [start = '', parameter = '', ...more] = name.split('.');
  const [through = '', target, ...rest] = start.split(':');
  if (more.length > 0 || rest.length > 0 || definition.parameters.get(through)?.kind !== 'r') {
    return refused('chained parameter');
  }
  const named = target ?? (through === 'patient' ? 'Patient' : undefined);
  return { as: 'chain', through, target: named, parameter };
}

/** `_has:Observation:patient:code` (R4 §3.1.1.4.12): one step. */
function reverseChain(name: string, types: ReadonlyMap<string, TypeDefinition>): Understood {
  const [, target = '', reference = '', parameter = '', ...more] = name.split(':');
  if (more.length > 0 || types.get(target)?.parameters.get(reference)?.kind !== 'r') return refused('_has');
  return { as: 'chain', through: '_has', target, parameter };
}

/** Underscored parameters that compare, order or cut what is found, and reach nothing else. */
const WITHIN: ReadonlySet<string> = new Set([
  ...DROP,
  ...PAGING,
  '_sort',
  '_id',
  '_lastUpdated',
  '_tag',
  '_profile',
  '_security',
  '_source',
  '_text',
  '_content',
]);

/**
 * Whether a search of whoever reaches all of a type can still find out about, or return, others: by a chain, or by an
 * underscored parameter that is not known to stay within the type, in whatever spelling.
 */
export function reachesBeyond(name: string): boolean {
  if (name.includes('.')) return true;
  return /^[\s_]/.test(name) && !WITHIN.has(name.split(':')[0] ?? '');
}

/** Ids of patients that a value of a subject parameter names; undefined: not understood. */
export function patientsIn(
  value: string,
  resolve: (reference: string) => { readonly type: string; readonly id: string } | undefined,
): readonly string[] | undefined {
  if (value === '' || value.includes('\\') || value.includes('|')) return undefined;
  const ids: string[] = [];
  for (const part of value.split(',')) {
    if (ID.test(part)) {
      ids.push(part);
      continue;
    }
    const target = resolve(part);
    if (target?.type !== 'Patient') return undefined;
    ids.push(target.id);
  }
  return ids.length > 64 ? undefined : ids;
}
