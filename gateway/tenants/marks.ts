import type { Json, JsonObject } from '../../contracts/content.ts';
import type { RowMark } from '../../contracts/settings.ts';

/** Whether a record bears this mark. */
export function bears(mark: RowMark, record: JsonObject): boolean {
  if (mark.by === 'tag') return tags(record).some((tag) => isTag(mark, tag));
  const value = valueAt(mark.path, record);
  return (typeof value === 'string' || typeof value === 'number') && String(value) === mark.value;
}

export function tags(record: JsonObject): readonly Json[] {
  const meta = member(record, 'meta');
  return isObject(meta) ? list(member(meta, 'tag')) : [];
}

export function isTag(mark: Extract<RowMark, { by: 'tag' }>, tag: Json): boolean {
  return isObject(tag) && member(tag, 'system') === mark.system && member(tag, 'code') === mark.code;
}

/** RFC 6901 §4. */
export function valueAt(path: readonly string[], record: Json): Json | undefined {
  let value: Json | undefined = record;
  for (const part of path) {
    if (isList(value)) value = /^(?:0|[1-9]\d{0,8})$/.test(part) ? value[Number(part)] : undefined;
    else value = isObject(value) ? member(value, part) : undefined;
  }
  return value;
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function list(value: Json | undefined): readonly Json[] {
  return isList(value) ? value : [];
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Never what an object inherits. */
export function member(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
