import { choiceName, type Definitions, type Element, isPrimitive } from './definitions.ts';
import { INTEGERS, TEXT_FORMATS } from './formats.ts';
import type { MemberRule, MembersRule } from './keywords.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Formats besides those of the primitive types. */
export const REFERENCE = 'reference';
export const codesFormat = (index: number) => `codes-${index}`;

/** The `$id` of a type's schema; `urn:` so that it is never resolved against anything. */
export function schemaId(type: string): string {
  return `urn:fhir:${type}`;
}
/** What stands beside a primitive. */
export const SIBLING = schemaId('sibling');

const NARRATIVE = 'xhtml';
const ID = [['id', 'id']] as const;

/** Beside a primitive there may be an id and extensions. */
export function siblingSchema(): Schema {
  const members: MembersRule = {
    members: {
      id: { schema: { type: 'string', format: 'string' }, list: false, nullable: false, base: 'id' },
      extension: { schema: { $ref: schemaId('Extension') }, list: true, nullable: false, base: 'extension' },
    },
    required: [],
    pairs: [],
  };
  return { $id: SIBLING, type: 'object', members };
}

/** The JSON Schema of a type: FHIR's JSON representation (R4 §2.6.2) of what its definition says. */
export function schemaOf(type: string, definitions: Definitions): Schema {
  const elements = definitions.types.get(type);
  if (elements === undefined) throw new TypeError('a type without a definition');
  const members: Record<string, MemberRule> = {};
  const required: string[] = [];
  const pairs: string[] = [];
  let choices = 0;
  const resource = definitions.resources.has(type);
  for (const element of elements) {
    // R4's structure definitions call it a string, its text an id (R4 §2.26.3).
    const names = resource && element.name === 'id' ? ID : namesOf(element);
    const shared = {
      ...(element.required ? { required: required.length } : {}),
      ...(element.choice && names.length > 1 ? { choice: choices } : {}),
    };
    if (element.required) required.push(names[0]?.[0] ?? element.name);
    if (element.choice) choices += 1;
    for (const [name, kind] of names) {
      const list = element.repeated;
      const nullable = list && isPrimitive(kind);
      members[name] = { schema: valueSchema(element, kind, type), list, nullable, base: name, ...shared };
      if (!isPrimitive(kind) || kind === NARRATIVE) continue;
      members[`_${name}`] = { schema: { $ref: SIBLING }, list, nullable, base: name, ...shared };
      if (list) pairs.push(name);
    }
  }
  if (resource) {
    members.resourceType = { schema: { const: type }, list: false, nullable: false, base: 'resourceType' };
  }
  const rule: MembersRule = { members, required, pairs };
  return { $id: schemaId(type), type: 'object', members: rule };
}

function namesOf(element: Element): readonly (readonly [name: string, type: string])[] {
  if (!element.choice) return [[element.name, element.types[0] ?? 'string']];
  return element.types.map((type) => [choiceName(element.name, type), type]);
}

function valueSchema(element: Element, kind: string, owner: string): Schema {
  if (kind === 'Resource') return { type: 'object', resource: element.name };
  if (!isPrimitive(kind)) return { $ref: schemaId(kind) };
  if (kind === 'boolean') return { type: 'boolean' };
  if (kind === 'decimal') return { type: 'number' };
  const bounds = INTEGERS[kind];
  if (bounds !== undefined) return { type: 'integer', minimum: bounds[0], maximum: bounds[1] };
  if (kind === NARRATIVE) return { type: 'string', narrative: true };
  if (element.codes !== undefined && kind === 'code') {
    return { type: 'string', format: codesFormat(element.codes) };
  }
  if (owner === 'Reference' && element.name === 'reference') return { type: 'string', format: REFERENCE };
  return { type: 'string', format: kind in TEXT_FORMATS ? kind : 'string' };
}
