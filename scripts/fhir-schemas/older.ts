import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Definitions, type ElementRow, Lists, REPEATED, REQUIRED } from './definitions.ts';

export interface OlderSources {
  readonly version: string;
  /** A `.d.ts` that was generated from the version's published package: order, cardinality, parts. */
  readonly declarations: string;
  /** fhirpath's model of the version: types of primitives. */
  readonly model: string;
  /** Declarations with the codes of required bindings. */
  readonly enumerations: string;
  /** Search parameters, a file a resource type. */
  readonly parameters: string;
}

interface Declared {
  readonly parent: string | undefined;
  readonly members: readonly { name: string; types: readonly string[]; optional: boolean; list: boolean }[];
}

/** STU3 and DSTU2, whose structure definitions no package at hand holds: put together from what was made of them. */
export function older(sources: OlderSources): Definitions {
  const declared = parse(readFileSync(sources.declarations, 'utf8'));
  const model = readModel(sources.model);
  const codes = new Lists();
  const enumerations = readEnumerations(sources.enumerations);
  const types: Definitions['types'] = {};
  const isResource = (name: string): boolean => {
    const parent = declared.get(name)?.parent;
    return (
      parent === 'Resource' || parent === 'DomainResource' || (parent !== undefined && isResource(parent))
    );
  };
  const paths = pathsOf(declared, model);
  for (const [name, path] of paths) {
    const rows: ElementRow[] = [];
    for (const each of chain(declared, name)) {
      for (const member of declared.get(each)?.members ?? []) {
        if (
          member.name.startsWith('_') ||
          (member.name === 'resourceType' && (isResource(each) || each === 'Resource'))
        )
          continue;
        // Only parts of resources have it; those of data types are declared as if they were such.
        if (member.name === 'modifierExtension' && each === 'BackboneElement' && path.includes('.')) {
          const owner = path.split('.')[0] ?? '';
          if (!isResource(owner)) continue;
        }
        const row = rowOf(member, { owner: each === name ? path : each, path, model, declared, paths });
        const list = enumerations.get(name)?.get(member.name);
        if (list !== undefined && row[1] === 'code') row[3] = codes.index(list);
        rows.push(row);
      }
    }
    types[path] = mergeChoices(rows, path, model);
  }
  addElsewhere(types, model);
  const resources = [...declared.keys()].filter((name) => isResource(name) && name !== 'DomainResource');
  const search = readParameters(sources.parameters, resources);
  return { version: sources.version, resources, codes: codes.lists, types, search };
}

function parse(text: string): ReadonlyMap<string, Declared> {
  const found = new Map<string, Declared>();
  const plain = text.replaceAll(/\/\*[\s\S]*?\*\//g, '');
  for (const match of plain.matchAll(
    /export interface (\w+)(?:<[^>]*>)?(?: extends (\w+))? \{([\s\S]*?)\n\}/g,
  )) {
    const members = [...(match[3] ?? '').matchAll(/^\s+(?:readonly )?(\w+)(\?)?: ([^;]+);/gm)].map((line) => {
      const type = (line[3] ?? '').replace(/\s*\|\s*undefined$/, '').replaceAll(/<[^>]*>/g, '');
      const list = type.endsWith('[]');
      const parts = type
        .replace(/\[\]$/, '')
        .replace(/^\(|\)$/g, '')
        .split('|');
      return {
        name: line[1] ?? '',
        types: [...new Set(parts.map((part) => part.trim()))],
        optional: line[2] === '?',
        list,
      };
    });
    found.set(match[1] ?? '', { parent: match[2], members });
  }
  return found;
}

/** Ancestors first: their elements come first. */
function chain(declared: ReadonlyMap<string, Declared>, name: string): string[] {
  const parent = declared.get(name)?.parent;
  return parent === undefined ? [name] : [...chain(declared, parent), name];
}

interface Model {
  readonly types: ReadonlyMap<string, string>;
  readonly elsewhere: ReadonlyMap<string, string>;
  readonly choices: ReadonlyMap<string, readonly string[]>;
}

function readModel(folder: string): Model {
  const read = (name: string): Record<string, unknown> =>
    existsSync(join(folder, name)) ? JSON.parse(readFileSync(join(folder, name), 'utf8')) : {};
  const code = (value: unknown): string =>
    typeof value === 'string' ? value : String((value as { code?: unknown }).code);
  return {
    types: new Map(Object.entries(read('path2Type.json')).map(([path, type]) => [path, code(type)])),
    elsewhere: new Map(
      Object.entries(read('pathsDefinedElsewhere.json')).map(([path, other]) => [path, String(other)]),
    ),
    choices: new Map(
      Object.entries(read('choiceTypePaths.json')).map(([path, list]) => [path, list as readonly string[]]),
    ),
  };
}

/** The path of each declared type: its own name, or where it is a part of another. */
function pathsOf(declared: ReadonlyMap<string, Declared>, model: Model): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  const isPart = (name: string): boolean =>
    ![...model.types.keys()].includes(name) && declared.get(name)?.parent === 'BackboneElement';
  const elementParts = new Set<string>();
  for (const [name, { members }] of declared) {
    for (const member of members) {
      for (const type of member.types) {
        if (type !== name && type.startsWith(name) && declared.has(type) && type.length > name.length) {
          const joined = name + (member.name[0]?.toUpperCase() ?? '') + member.name.slice(1);
          if (type.toLowerCase() === joined.toLowerCase()) elementParts.add(type);
        }
      }
    }
  }
  const visit = (name: string, path: string) => {
    if (paths.has(name)) return;
    paths.set(name, path);
    for (const member of declared.get(name)?.members ?? []) {
      for (const type of member.types) {
        if (
          elementParts.has(type) ||
          (declared.has(type) && isPart(type) && type.startsWith(path.split('.')[0] ?? ''))
        ) {
          visit(type, `${path}.${member.name}`);
        }
      }
    }
  };
  for (const name of declared.keys()) if (!elementParts.has(name)) visit(name, name);
  return paths;
}

interface RowContext {
  readonly owner: string;
  readonly path: string;
  readonly model: Model;
  readonly declared: ReadonlyMap<string, Declared>;
  readonly paths: ReadonlyMap<string, string>;
}

function rowOf(member: Declared['members'][number], context: RowContext): ElementRow {
  const flags = (member.optional ? 0 : REQUIRED) | (member.list ? REPEATED : 0);
  const [type = 'string'] = member.types;
  if (context.declared.has(type)) return [member.name, context.paths.get(type) ?? type, flags];
  return [member.name, primitive(member.name, type, context), flags];
}

function primitive(name: string, type: string, { owner, path, model }: RowContext): string {
  const told = model.types.get(`${path}.${name}`) ?? model.types.get(`${owner}.${name}`);
  if (told !== undefined && /^[a-z]/.test(told)) return told;
  if (name === 'id') return 'string';
  if (name === 'div') return 'xhtml';
  if (type === 'boolean') return 'boolean';
  if (type === 'number') return 'decimal';
  if (type === 'FhirResource' || type === 'T') return 'Resource';
  // A choice says its type in its name.
  const ending =
    /(?<=[a-z])(Boolean|Integer|Decimal|Base64Binary|Instant|String|Uri|DateTime|Date|Time|Code|Oid|Id|Uuid|UnsignedInt|PositiveInt|Markdown)$/.exec(
      name,
    )?.[1];
  const base = ending === undefined ? undefined : name.slice(0, -ending.length);
  if (base !== undefined && ending !== undefined && isChoice(model, path, base)) {
    return (ending[0] ?? '').toLowerCase() + ending.slice(1);
  }
  return 'string';
}

function isChoice(model: Model, path: string, base: string): boolean {
  return model.choices.has(`${path}.${base}`) || base === 'value' || base === 'defaultValue';
}

/** Elements that are like others; the declarations of DSTU2 leave them out. Once: these; any number of times: the rest. */
const ONCE = new Set(['metadata', 'operation', 'assert', 'agent']);

function addElsewhere(types: Definitions['types'], model: Model): void {
  for (const [path, other] of model.elsewhere) {
    const cut = path.lastIndexOf('.');
    const name = path.slice(cut + 1);
    const rows = types[path.slice(0, cut)];
    if (rows === undefined || types[other] === undefined || rows.some((row) => row[0] === name)) continue;
    const row: ElementRow = [name, other, ONCE.has(name) ? 0 : REPEATED];
    // `Bundle.entry.link` is the first of its kind; the others come last.
    if (name === 'link')
      rows.splice(
        rows.findIndex((each) => each[0] === 'fullUrl'),
        0,
        row,
      );
    else rows.push(row);
  }
}

const UPPER = /^[A-Z]/;

/** `valueString`, `valueQuantity`, … become one element `value` of several types, where the model says that it is one. */
function mergeChoices(rows: readonly ElementRow[], path: string, model: Model): ElementRow[] {
  const merged: ElementRow[] = [];
  const bases = new Map<string, ElementRow>();
  for (const row of rows) {
    const base = choiceBase(row, path, model);
    if (base === undefined) {
      merged.push(row);
      continue;
    }
    const known = bases.get(base);
    const type = row[1] as string;
    if (known === undefined) {
      const made: ElementRow = [base, [type], row[2] & REPEATED];
      bases.set(base, made);
      merged.push(made);
    } else (known[1] as string[]).push(type);
  }
  return merged;
}

function choiceBase(row: ElementRow, path: string, model: Model): string | undefined {
  const [name, type] = row;
  if (typeof type !== 'string') return undefined;
  const suffix = (type[0] ?? '').toUpperCase() + type.slice(1);
  if (!name.endsWith(suffix) || name === suffix) return undefined;
  const base = name.slice(0, -suffix.length);
  if (UPPER.test(base) || base === '') return undefined;
  return model.choices.has(`${path}.${base}`) ? base : undefined;
}

/** `status: ObservationStatus` with `type ObservationStatus = 'final' | …`, by interface and member. */
function readEnumerations(folder: string): ReadonlyMap<string, ReadonlyMap<string, readonly string[]>> {
  const lists = new Map<string, readonly string[]>();
  const members = new Map<string, Map<string, string>>();
  for (const file of readdirSync(folder)) {
    const text = readFileSync(join(folder, file), 'utf8');
    const list = /export type (\w+) = ([^;]+);/.exec(text);
    if (list !== null) {
      lists.set(
        list[1] ?? '',
        [...(list[2] ?? '').matchAll(/'([^']*)'/g)].map((each) => each[1] ?? ''),
      );
      continue;
    }
    const own = new Map<string, string>();
    for (const line of text.matchAll(/^\t(\w+)\??: (?:Array<)?(\w+)>?;/gm))
      own.set(line[1] ?? '', line[2] ?? '');
    members.set(file.replace(/\.ts$/, ''), own);
  }
  const found = new Map<string, Map<string, readonly string[]>>();
  for (const [name, own] of members) {
    const of = new Map<string, readonly string[]>();
    for (const [member, type] of own) {
      const list = lists.get(type);
      if (list !== undefined && list.length > 0) of.set(member, list);
    }
    found.set(name, of);
  }
  return found;
}

function readParameters(folder: string, resources: readonly string[]): Definitions['search'] {
  const require = createRequire(import.meta.url);
  const byLower = new Map(resources.map((name) => [name.toLowerCase(), name]));
  const search: Definitions['search'] = {};
  for (const file of readdirSync(folder)) {
    const name =
      byLower.get(file.replace('.parameters.js', '')) ?? (file.startsWith('resource.') ? 'Resource' : '');
    if (name === '') continue;
    const parameters: Record<string, { fhirtype?: string; type?: string }> = require(join(folder, file));
    const of: Record<string, string> = {};
    for (const [code, { fhirtype, type }] of Object.entries(parameters))
      of[code] = fhirtype ?? type ?? 'string';
    search[name] = of;
  }
  return search;
}
