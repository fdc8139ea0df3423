import type { Json, JsonObject } from '../../contracts/content.ts';
import { isObject, list, member, text } from './elements.ts';
import { grantsFor, type Reach } from './reach.ts';
import { elementsOf } from './restriction.ts';

const MOST_OPERATIONS = 256;
/** No path in a resource is longer; a longer one is not taken apart. */
const LONGEST_PATH = 1_024;
/** What a resource is, and what it brings along: never patched with a scope that is about certain resources. */
const FIXED: readonly string[] = ['resourceType', 'id', 'meta', 'implicitRules', 'contained'];

/**
 * Whether a patch leaves alone what decides about the resource: the elements that link it to a patient, those that a
 * scope's restriction looks at, its identity and what it contains. Three forms are understood: JSON Patch (RFC 6902),
 * JSON Merge Patch (RFC 7396) and FHIRPath Patch (R4 §2.1.6) with plain paths.
 * @returns why not; undefined when it does
 */
export function judgePatch(
  reach: Reach,
  type: string,
  mask: number,
  mediaType: string,
  patch: Json,
): string | undefined {
  const guarded = guardedElements(reach, type, mask);
  if (mediaType === 'application/json-patch+json') return judgeJsonPatch(patch, guarded);
  if (mediaType === 'application/merge-patch+json') return judgeMergePatch(patch, guarded);
  if (isObject(patch) && text(patch, 'resourceType') === 'Parameters')
    return judgeFhirPathPatch(patch, type, guarded);
  return 'form of patch';
}

function guardedElements(reach: Reach, type: string, mask: number): ReadonlySet<string> {
  const definition = reach.types.get(type);
  const guarded = new Set(FIXED);
  for (const [first] of [...(definition?.subjects ?? []), ...(definition?.links ?? [])]) {
    if (first !== undefined) guarded.add(first);
  }
  for (const { restriction } of grantsFor(reach, type, mask)) {
    for (const name of restriction === undefined ? [] : elementsOf(restriction)) guarded.add(name);
  }
  return guarded;
}

/** `_subject` is the element's other half in JSON (R4 §2.6.1). */
function isGuarded(name: string, guarded: ReadonlySet<string>): boolean {
  return guarded.has(name.replace(/^_/, ''));
}

const NEEDS_FROM: ReadonlySet<string> = new Set(['move', 'copy']);
const OPERATIONS: ReadonlySet<string> = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

function judgeJsonPatch(patch: Json, guarded: ReadonlySet<string>): string | undefined {
  if (!Array.isArray(patch) || patch.length > MOST_OPERATIONS) return 'list of operations';
  for (const operation of patch as readonly Json[]) {
    if (!isObject(operation)) return 'operation';
    const op = text(operation, 'op');
    if (op === undefined || !OPERATIONS.has(op)) return 'operation';
    const pointers = [member(operation, 'path'), ...(NEEDS_FROM.has(op) ? [member(operation, 'from')] : [])];
    for (const pointer of pointers) {
      const first = typeof pointer === 'string' ? firstToken(pointer) : undefined;
      if (first === undefined) return 'path';
      if (isGuarded(first, guarded)) return 'element that must stay';
    }
  }
  return undefined;
}

/** The first reference token of a JSON Pointer (RFC 6901 §4); undefined for the whole document and for no pointer. */
function firstToken(pointer: string): string | undefined {
  if (pointer.length > LONGEST_PATH) return undefined;
  const [start, first] = pointer.split('/', 2);
  if (start !== '' || first === undefined || first === '') return undefined;
  return first.replaceAll('~1', '/').replaceAll('~0', '~');
}

function judgeMergePatch(patch: Json, guarded: ReadonlySet<string>): string | undefined {
  if (!isObject(patch)) return 'document';
  return Object.keys(patch).some((name) => isGuarded(name, guarded)) ? 'element that must stay' : undefined;
}

/** `Observation.component[0].code`: nothing that would have to be evaluated. */
const PLAIN_PATH = /^[A-Z][A-Za-z]*(?:\.[a-z][A-Za-z]*(?:\[\d{1,6}\])?)*$/;
const FHIRPATH_OPERATIONS: ReadonlySet<string> = new Set(['add', 'insert', 'delete', 'replace', 'move']);

function judgeFhirPathPatch(
  patch: JsonObject,
  type: string,
  guarded: ReadonlySet<string>,
): string | undefined {
  const operations = list(member(patch, 'parameter'));
  if (operations.length > MOST_OPERATIONS) return 'list of operations';
  for (const operation of operations) {
    if (!isObject(operation) || text(operation, 'name') !== 'operation') return 'operation';
    const parts = partsOf(operation);
    const op = parts?.get('type');
    const path = parts?.get('path');
    if (parts === undefined || op === undefined || !FHIRPATH_OPERATIONS.has(op)) return 'operation';
    if (path === undefined || path.length > LONGEST_PATH || !PLAIN_PATH.test(path)) return 'path';
    const [root, first] =
      op === 'add' ? `${path}.${parts.get('name') ?? ''}`.split('.', 2) : path.split('.', 2);
    if (root !== type || first === undefined || first === '') return 'path';
    if (isGuarded(first.replace(/\[.*$/, ''), guarded)) return 'element that must stay';
  }
  return undefined;
}

/** `type`, `path` and `name` of an operation; undefined when one is there twice or is no text. */
function partsOf(operation: JsonObject): ReadonlyMap<string, string> | undefined {
  const parts = new Map<string, string>();
  for (const part of list(member(operation, 'part'))) {
    if (!isObject(part)) return undefined;
    const name = text(part, 'name');
    if (name !== 'type' && name !== 'path' && name !== 'name') continue;
    const value = text(part, 'valueCode') ?? text(part, 'valueString');
    if (value === undefined || parts.has(name)) return undefined;
    parts.set(name, value);
  }
  return parts;
}
