import type { Json } from '../../../contracts/content.ts';
import { fault, type PayloadFault } from '../finding.ts';

const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  add: ['op', 'path', 'value'],
  replace: ['op', 'path', 'value'],
  test: ['op', 'path', 'value'],
  remove: ['op', 'path'],
  move: ['op', 'path', 'from'],
  copy: ['op', 'path', 'from'],
};
/** Operations of a patch, at most. */
const MOST = 1000;
/** RFC 6901 §3, of names that FHIR has. */
const POINTER = /^(?:\/(?:[A-Za-z_][A-Za-z0-9_]{0,127}|\d{1,6}|-)){1,32}$/;
/** What a resource is, and which one, does not change (R4 §3.1.0.5). */
const FIXED = /^\/(?:id|resourceType)(?:\/|$)/;

/** A JSON Patch (RFC 6902). What it makes of the resource is for the back end to judge. */
export function patchFault(patch: Json): PayloadFault | undefined {
  if (!Array.isArray(patch)) return fault('', 'json-patch');
  if (patch.length === 0 || patch.length > MOST) return fault('', 'json-patch');
  for (const [index, operation] of (patch as readonly Json[]).entries()) {
    const at = `/${index}`;
    if (typeof operation !== 'object' || operation === null || Array.isArray(operation))
      return fault(at, 'json-patch');
    const members = new Map(Object.entries(operation));
    const op = members.get('op');
    const allowed = typeof op === 'string' && Object.hasOwn(MEMBERS, op) ? MEMBERS[op] : undefined;
    if (allowed === undefined) return fault(`${at}/op`, 'json-patch');
    for (const name of members.keys()) if (!allowed.includes(name)) return fault(at, 'json-patch');
    for (const name of allowed) if (!members.has(name)) return fault(`${at}/${name}`, 'json-patch');
    for (const name of ['path', 'from']) {
      const pointer = members.get(name);
      if (pointer === undefined) continue;
      if (typeof pointer !== 'string' || !POINTER.test(pointer)) return fault(`${at}/${name}`, 'json-patch');
      if (FIXED.test(pointer) && !(op === 'test' || name === 'from')) {
        return fault(`${at}/${name}`, 'json-patch-identity');
      }
    }
  }
  return undefined;
}
