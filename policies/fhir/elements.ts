import type { Json, JsonObject } from '../../contracts/content.ts';
import type { ElementPath } from './definitions/index.ts';

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member of its own; what an object inherits is none. */
export function member(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

export function text(object: JsonObject, name: string): string | undefined {
  const value = member(object, name);
  return typeof value === 'string' ? value : undefined;
}

/** A value as a list: FHIR writes one value of a repeating element as a list of one, and sloppy servers as itself. */
export function list(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}

/** Every value at a path, through lists at any level. */
export function valuesAt(resource: JsonObject, path: ElementPath): readonly Json[] {
  let level: Json[] = [resource];
  for (const name of path) {
    const next: Json[] = [];
    for (const value of level)
      if (isObject(value)) for (const item of list(member(value, name))) gather(item, next);
    level = next;
  }
  return level;
}

/** Into one list, since a copy for each level would be made of lists in lists in lists. */
function gather(value: Json, into: Json[]): void {
  if (!Array.isArray(value)) into.push(value);
  else for (const item of value as readonly Json[]) gather(item, into);
}
