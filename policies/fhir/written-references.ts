import type { Json, JsonObject } from '../../contracts/content.ts';
import type { Denial } from '../../contracts/policy.ts';
import type { ReasonCode } from '../../contracts/reasons.ts';
import { isObject, list, member, text } from './elements.ts';
import { reachesBeyond } from './parameters.ts';
import { readQuery } from './query-text.ts';
import { grantsFor, isOpen, LETTER, mayTouch, type Reach, refusedBy, searchesAll } from './reach.ts';

/** No address of a resource is longer; a longer text is not looked through. */
const LONGEST_REFERENCE = 2_048;
const PATIENT = /(?:^|\/)Patient\/+([^/#|]*)(.*)$/s;
const MOVED: ReadonlySet<string> = new Set(['move', 'copy']);

export interface Unfit {
  readonly denial: Denial;
  readonly code: ReasonCode;
  readonly detail?: string;
}

const CONDITIONAL: Unfit = Object.freeze({
  denial: 'forbidden',
  code: 'search-unsupported',
  detail: 'conditional reference',
});
const UNREADABLE: Unfit = Object.freeze({
  denial: 'forbidden',
  code: 'search-unsupported',
  detail: 'reference',
});

/**
 * Whether every reference of what is written, in whatever element, asks the EMR for nothing beyond reach. An EMR runs a
 * conditional reference (R4 §3.1.0.11.2, `Patient?identifier=…`) as a search with its own powers and writes down what
 * it found; and where it checks that what is referred to exists, `Patient/b` in any element asks just that.
 *
 * @param limited whether the resource is written as part of certain patients' records, so that others may not be named
 * @returns why not; undefined when they do
 */
export function judgeReferences(
  reach: Reach,
  type: string,
  limited: boolean,
  value: Json,
): Unfit | undefined {
  return judgeAll(reach, type, limited, referencesIn(value, false));
}

/** The same of a patch whose form was understood: there a reference may be named by a path, and be moved to. */
export function judgePatchedReferences(
  reach: Reach,
  type: string,
  limited: boolean,
  patch: Json,
): Unfit | undefined {
  const parameters = isObject(patch) && text(patch, 'resourceType') === 'Parameters';
  const unfit = judgeAll(reach, type, limited, referencesIn(patch, parameters));
  if (unfit !== undefined) return unfit;
  if (Array.isArray(patch)) return judgeOperations(reach, type, limited, patch as readonly Json[]);
  if (!parameters || !isObject(patch)) return undefined;
  for (const operation of list(member(patch, 'parameter'))) {
    const parts = isObject(operation) ? list(member(operation, 'part')).filter(isObject) : [];
    if (!parts.some(leadsToReference)) continue;
    const found = judgeAll(reach, type, limited, parts.flatMap(valuesOf));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** JSON Patch (RFC 6902): the value of an operation may be the text of a reference itself. */
function judgeOperations(
  reach: Reach,
  type: string,
  limited: boolean,
  operations: readonly Json[],
): Unfit | undefined {
  for (const operation of operations) {
    if (!isObject(operation) || !pointsToReference(text(operation, 'path'))) continue;
    // Any text of the record, even one that was written for this, could become a reference.
    if (MOVED.has(text(operation, 'op') ?? '') && !pointsToReference(text(operation, 'from')))
      return { denial: 'forbidden', code: 'patch-unsupported', detail: 'reference' };
    const unfit = judgeAll(reach, type, limited, texts(member(operation, 'value')));
    if (unfit !== undefined) return unfit;
  }
  return undefined;
}

function pointsToReference(pointer: string | undefined): boolean {
  return isReference(pointer?.slice(pointer.lastIndexOf('/') + 1) ?? '');
}

/** Whether a part says that the operation is about a reference's text: `path` `Observation.focus[0].reference`, or `name`. */
function leadsToReference(part: JsonObject): boolean {
  const name = text(part, 'name');
  if (name !== 'path' && name !== 'name') return false;
  const value = text(part, 'valueCode') ?? text(part, 'valueString') ?? '';
  return isReference(value.slice(value.lastIndexOf('.') + 1).replace(/\[\d*\]$/, ''));
}

const valuesOf = (part: JsonObject): string[] =>
  text(part, 'name') === 'value'
    ? Object.keys(part).flatMap((name) => (name === 'name' ? [] : [...texts(part[name])]))
    : [];

/** `Reference.reference`, in the spelling that some readers take for it as well. */
function isReference(name: string): boolean {
  return name.length === 9 && name.toLowerCase() === 'reference';
}

/**
 * The texts of every reference inside a value, without recursion.
 * @param parameters whether objects are parts that have their name and their value beside each other
 */
function* referencesIn(value: Json, parameters: boolean): Iterable<string> {
  const left: Json[] = [value];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    if (!isObject(at)) {
      for (const item of list(at)) if (typeof item === 'object' && item !== null) left.push(item);
      continue;
    }
    const part = parameters && isReference(text(at, 'name') ?? '');
    for (const name of Object.keys(at)) {
      const inside = at[name];
      if (isReference(name) || (part && name.startsWith('value'))) yield* texts(inside);
      if (typeof inside === 'object' && inside !== null) left.push(inside);
    }
  }
}

function* texts(value: Json | undefined): Iterable<string> {
  for (const item of list(value)) if (typeof item === 'string') yield item;
}

function judgeAll(
  reach: Reach,
  type: string,
  limited: boolean,
  references: Iterable<string>,
): Unfit | undefined {
  for (const reference of references) {
    const unfit = judgeOne(reach, type, limited, reference);
    if (unfit !== undefined) return unfit;
  }
  return undefined;
}

function judgeOne(reach: Reach, type: string, limited: boolean, reference: string): Unfit | undefined {
  if (reference.length > LONGEST_REFERENCE) return UNREADABLE;
  const plain = decoded(reference);
  if (plain === undefined) return UNREADABLE;
  if (plain.includes('?')) return maySearch(reach, reference) ? undefined : CONDITIONAL;
  if (!limited) return undefined;
  const [, patient, rest = ''] = PATIENT.exec(plain) ?? [];
  if (patient === undefined) return undefined;
  if (PATIENT.test(rest)) return UNREADABLE;
  const answer = mayTouch(reach, patient, type, 'write', undefined);
  return answer === 'own' || answer === 'in-force'
    ? undefined
    : { denial: 'record-hidden', code: refusedBy(reach, answer) };
}

function decoded(reference: string): string | undefined {
  if (!reference.includes('%')) return reference.trim();
  try {
    return decodeURIComponent(reference).trim();
  } catch {
    return undefined;
  }
}

/** Whether the search that a conditional reference is could have been sent by itself, and needs no narrowing. */
function maySearch(reach: Reach, reference: string): boolean {
  const mark = reference.indexOf('?');
  if (mark < 0) return false;
  // Servers leave out what stands before the type, whose server it names or not (HAPI).
  const type = reference.slice(reference.lastIndexOf('/', mark) + 1, mark);
  if (!reach.types.has(type) || !isOpen(grantsFor(reach, type, LETTER.s), reach)) return false;
  const parameters = readQuery(reference.slice(mark + 1));
  if (parameters === undefined) return false;
  return searchesAll(reach) || ![...parameters.keys()].some(reachesBeyond);
}
