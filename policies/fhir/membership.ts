import type { Json, JsonObject } from '../../contracts/content.ts';
import type { TypeDefinition } from './definitions/index.ts';
import { isObject, list, member, text, valuesAt } from './elements.ts';
import { ID, namedBy, type ReferenceBase } from './references.ts';

/**
 * Whose record a resource is part of. `patients`: every patient that it is linked to, never empty. `nobody`: nothing
 * links it to a patient for certain; `doubt`: something links it to somebody who cannot be told.
 */
export type Membership =
  | { readonly kind: 'patients'; readonly patients: readonly string[] }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'doubt' };

const NOBODY: Membership = Object.freeze({ kind: 'nobody' });
const DOUBT: Membership = Object.freeze({ kind: 'doubt' });
const NOTHING: ReadonlyMap<string, string> = new Map();

/**
 * Reads the elements of the version's patient compartment (R4 §2.28, "Compartment Patient"). It is stricter than the
 * definition, by which one link is enough: every patient that these elements name counts, so that what is about
 * somebody else is not released because a patient performed or recorded it.
 */
export function membershipOf(
  resource: JsonObject,
  types: ReadonlyMap<string, TypeDefinition>,
  base: ReferenceBase,
): Membership {
  const type = text(resource, 'resourceType');
  const definition = type === undefined ? undefined : types.get(type);
  if (definition?.narrow === undefined) return NOBODY;
  const contained = containedTypes(resource);
  if (contained === undefined) return DOUBT;
  const found = new Set<string>();
  if (type === 'Patient') {
    const id = text(resource, 'id');
    if (id === undefined || !ID.test(id)) return DOUBT;
    found.add(id);
  }
  if (!collect(resource, definition, base, contained, found)) return DOUBT;
  if (!containedBelong(resource, types, base, contained, found)) return DOUBT;
  return found.size === 0 ? NOBODY : { kind: 'patients', patients: [...found] };
}

/** Adds every patient that the elements name; false when one of them cannot be told. */
function collect(
  resource: JsonObject,
  definition: TypeDefinition,
  base: ReferenceBase,
  contained: ReadonlyMap<string, string>,
  found: Set<string>,
): boolean {
  for (const path of definition.subjects) {
    for (const value of valuesAt(resource, path)) {
      const named = namedBy(value, base, contained);
      // A subject that is only displayed, or an element that is a code instead (`subjectCodeableConcept`), is somebody.
      if (named.kind === 'unknown' || named.kind === 'none') return false;
      if (named.kind === 'patient') found.add(named.id);
    }
  }
  for (const path of definition.links) {
    for (const value of valuesAt(resource, path)) {
      const named = namedBy(value, base, contained);
      if (named.kind === 'unknown') return false;
      if (named.kind === 'patient') found.add(named.id);
    }
  }
  return true;
}

/** Ids and types of contained resources; undefined when they are not what FHIR has. */
function containedTypes(resource: JsonObject): ReadonlyMap<string, string> | undefined {
  const contained = member(resource, 'contained');
  if (contained === undefined) return NOTHING;
  const types = new Map<string, string>();
  for (const value of list(contained)) {
    if (!isObject(value)) return undefined;
    const type = text(value, 'resourceType');
    if (type === undefined) return undefined;
    const id = text(value, 'id')?.replace(/^#/, '');
    if (id === undefined) continue;
    if (types.has(id)) return undefined;
    types.set(id, type);
  }
  return types;
}

/** Contained resources are released with their container, so that whom they name counts too. */
function containedBelong(
  resource: JsonObject,
  types: ReadonlyMap<string, TypeDefinition>,
  base: ReferenceBase,
  contained: ReadonlyMap<string, string>,
  found: Set<string>,
): boolean {
  for (const value of list(member(resource, 'contained'))) {
    if (!isObject(value)) return false;
    const type = text(value, 'resourceType') ?? '';
    // Nested bundles and contained persons could be anybody's; contained resources contain nothing (R4 dom-2).
    if (type === 'Patient' || type === 'Bundle' || member(value, 'contained') !== undefined) return false;
    const definition = types.get(type);
    if (definition === undefined) return false;
    if (definition.narrow !== undefined && !collect(value, definition, base, contained, found)) return false;
  }
  return true;
}

/** Codes of a resource's `category`, for consents that are limited to some. */
export function categoriesOf(resource: JsonObject): readonly string[] {
  const codes = valuesAt(resource, ['category']).flatMap((value: Json) => {
    if (typeof value === 'string') return [value];
    if (!isObject(value)) return [];
    return valuesAt(value, ['coding', 'code']).filter((code) => typeof code === 'string');
  });
  return [...new Set(codes)];
}
