import type { Json, JsonObject } from '../../contracts/content.ts';
import type { OwnRowsSettings, RowMark } from '../../contracts/settings.ts';
import { folded } from '../canonical/parameter-names.ts';
import { bears, isList, isObject, isTag, member, tags, valueAt } from './marks.ts';

/** What a request's own body says of whose it is. */
export function contradicts(settings: OwnRowsSettings, content: Json, method: string): boolean {
  if (method === 'PATCH') return isPatch(content) ? content.some((step) => touches(settings, step)) : true;
  if (Array.isArray(content)) return content.some((each) => contradicts(settings, each, method));
  if (!isObject(content)) return false;
  // What is not of the form that it should be, some EMR reads all the same, and says something else by it.
  if (member(content, 'resourceType') === 'Bundle') {
    const entries = member(content, 'entry');
    if (entries === undefined) return false;
    return !isList(entries) || entries.some((entry) => changesOthers(settings, entry));
  }
  return settings.marks.some((mark) => saysOther(mark, content));
}

/** It has the place for the mark, and another one stands there, or something that an EMR may take for one. */
function saysOther(mark: RowMark, record: JsonObject): boolean {
  if (mark.by === 'tag')
    return (
      !tagsAreFormed(record) ||
      tags(record).some(
        (tag) =>
          isObject(tag) &&
          (misspells(tag, 'system') ||
            misspells(tag, 'code') ||
            (member(tag, 'system') === mark.system && !isTag(mark, tag))),
      )
    );
  if (misspellsPath(mark.path, record)) return true;
  return valueAt(mark.path, record) !== undefined && !bears(mark, record);
}

function tagsAreFormed(record: JsonObject): boolean {
  if (misspellsPath(['meta', 'tag'], record)) return false;
  const meta = member(record, 'meta');
  if (meta === undefined) return true;
  if (!isObject(meta)) return false;
  const tag = member(meta, 'tag');
  return tag === undefined || isList(tag);
}

/** Columns of SQL and members of .NET regard no case; to those EMRs such a name is that of the mark. */
function misspells(object: JsonObject, name: string): boolean {
  const wanted = folded(name);
  return Object.keys(object).some((each) => each !== name && folded(each) === wanted);
}

function misspellsPath(path: readonly string[], record: JsonObject): boolean {
  return path.some((part, depth) => {
    const at = valueAt(path.slice(0, depth), record);
    return isObject(at) && misspells(at, part);
  });
}

/** The same of the fields of a form: one that is called as a mark's place is has to hold the mark. */
export function formContradicts(
  settings: OwnRowsSettings,
  fields: Iterable<readonly [string, string | undefined]>,
): boolean {
  const places = settings.marks.flatMap((mark) =>
    mark.by === 'pointer' ? [{ path: mark.path.map(folded), value: mark.value }] : [],
  );
  if (places.length === 0) return false;
  for (const [name, value] of fields) {
    const readings = [placeInPhp(name), placeInNet(name)];
    const meant = places.filter(({ path }) =>
      readings.some((place) => place.length > 0 && meet(place, path)),
    );
    if (meant.length > 0 && !meant.some((place) => place.value === value)) return true;
  }
  return false;
}

/** `clinic[id]`: dots are underscores, brackets lead on (php.net, "Variables From External Sources"). */
function placeInPhp(name: string): readonly string[] {
  const inside = [...name.slice(1).matchAll(/\[([^\]]*)\]/g)].map(([, part = '']) => folded(part));
  return [folded(name), ...inside];
}

/** `clinic.id`, `clinics[0].id`: members of ASP.NET and Spring. */
function placeInNet(name: string): readonly string[] {
  return name
    .trim()
    .split(/[.[\]]+/)
    .filter((part) => part !== '')
    .map(folded);
}

/** A step of a transaction that changes what is there; whose that is, nobody has looked at. */
function changesOthers(settings: OwnRowsSettings, entry: Json): boolean {
  if (!isObject(entry)) return true;
  const request = member(entry, 'request');
  if (request !== undefined && !isObject(request)) return true;
  const method = request === undefined ? undefined : member(request, 'method');
  if (method !== undefined && method !== 'GET' && method !== 'HEAD' && method !== 'POST') return true;
  const resource = member(entry, 'resource');
  return resource !== undefined && contradicts(settings, resource, 'POST');
}

/** JSON Patch (RFC 6902); other kinds of patches are not understood here. */
function isPatch(content: Json): content is readonly Json[] {
  return isList(content);
}

/** Characters of a path; of millions of them not even the parts are to be counted. */
const LONGEST_PATH = 1024;

/** Whether a step of a patch changes what marks a record, or something around it. */
function touches(settings: OwnRowsSettings, step: Json): boolean {
  if (!isObject(step) || misspells(step, 'path') || misspells(step, 'from')) return true;
  const from = member(step, 'from');
  const places = from === undefined ? [member(step, 'path')] : [member(step, 'path'), from];
  return places.some((place) => {
    // Some libraries read a path without the slash in front as if it were there (RFC 6901 §3 has it as none).
    if (typeof place !== 'string' || (place !== '' && !place.startsWith('/'))) return true;
    if (place.length > LONGEST_PATH) return true;
    const path = place
      .split('/')
      .slice(1)
      .map((part) => folded(part.replaceAll('~1', '/').replaceAll('~0', '~')));
    return settings.marks.some((mark) =>
      meet(path, mark.by === 'tag' ? ['meta', 'tag'] : mark.path.map(folded)),
    );
  });
}

/** One of the two, folded, lies at or below the other. */
function meet(a: readonly string[], b: readonly string[]): boolean {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}
