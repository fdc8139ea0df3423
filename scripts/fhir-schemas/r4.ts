import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Definitions, type ElementRow, Lists, REPEATED, REQUIRED } from './definitions.ts';

interface Element {
  readonly path: string;
  readonly min: number;
  readonly max: string;
  readonly contentReference?: string;
  readonly type?: readonly {
    readonly code: string;
    readonly extension?: readonly { readonly url: string; readonly valueUrl?: string }[];
  }[];
  readonly binding?: { readonly strength: string; readonly valueSet?: string };
}

interface Concept {
  readonly code: string;
  readonly concept?: readonly Concept[];
}

interface Resource {
  readonly resourceType: string;
  readonly id: string;
  readonly url?: string;
  readonly kind?: string;
  readonly derivation?: string;
  readonly abstract?: boolean;
  readonly content?: string;
  readonly snapshot?: { readonly element: readonly Element[] };
  readonly concept?: readonly Concept[];
  readonly compose?: {
    readonly include: readonly {
      readonly system?: string;
      readonly concept?: readonly Concept[];
      readonly filter?: unknown;
      readonly valueSet?: readonly string[];
    }[];
    readonly exclude?: unknown;
  };
  readonly code?: string;
  readonly type?: string;
  readonly base?: readonly string[];
}

/** R4, from the structure definitions, value sets and search parameters in the package of its examples. */
export function r4(folder: string): Definitions {
  const read = (name: string): Resource => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const bundle = (name: string): readonly Resource[] =>
    (read(name) as unknown as { entry: { resource: Resource }[] }).entry.map((entry) => entry.resource);
  const structures = [...bundle('Bundle-types.json'), ...bundle('Bundle-resources.json')].filter(
    (each) =>
      each.resourceType === 'StructureDefinition' &&
      each.derivation !== 'constraint' &&
      each.kind !== 'primitive-type' &&
      each.kind !== 'logical',
  );
  const expand = expander(folder, read);
  const codes = new Lists();
  const types: Definitions['types'] = {};
  const resources: string[] = [];
  for (const structure of structures) {
    if (structure.kind === 'resource' && structure.abstract !== true) resources.push(structure.id);
    for (const element of structure.snapshot?.element ?? []) {
      const cut = element.path.lastIndexOf('.');
      if (cut < 0) {
        types[element.path] = [];
        continue;
      }
      const owner = element.path.slice(0, cut);
      types[owner] ??= [];
      types[owner].push(rowOf(element, codes, expand));
    }
  }
  const search: Definitions['search'] = {};
  for (const parameter of bundle('Bundle-searchParams.json')) {
    for (const base of parameter.base ?? []) {
      if (parameter.code === undefined || parameter.type === undefined) continue;
      const name = base === 'DomainResource' ? 'Resource' : base;
      search[name] ??= {};
      search[name][parameter.code] = parameter.type;
    }
  }
  return { version: '4.0.1', resources, codes: codes.lists, types, search };
}

function rowOf(
  element: Element,
  codes: Lists,
  expand: (valueSet: string) => readonly string[] | undefined,
): ElementRow {
  const name = element.path.slice(element.path.lastIndexOf('.') + 1);
  const flags = (element.min > 0 ? REQUIRED : 0) | (element.max === '1' ? 0 : REPEATED);
  if (element.contentReference !== undefined) return [name, element.contentReference.slice(1), flags];
  const names = (element.type ?? []).map((type) => {
    const told = type.extension?.find((each) => each.url.endsWith('structuredefinition-fhir-type'))?.valueUrl;
    if (told !== undefined) return told;
    return type.code.startsWith('http://hl7.org/fhirpath/System.') ? 'string' : type.code;
  });
  // The parts of an element are told under its own path.
  const own = names.map((type) => (type === 'BackboneElement' || type === 'Element' ? element.path : type));
  const kinds = own.length === 1 && !name.endsWith('[x]') ? (own[0] ?? 'string') : own;
  const row: ElementRow = [name.replace('[x]', ''), kinds, flags];
  const binding = element.binding;
  if (kinds === 'code' && binding?.strength === 'required' && binding.valueSet !== undefined) {
    const list = expand(binding.valueSet.split('|')[0] ?? '');
    if (list !== undefined) row[3] = codes.index(list);
  }
  return row;
}

/** Codes of a value set that lists them, or takes in whole code systems that do; undefined: not to be told. */
function expander(folder: string, read: (name: string) => Resource) {
  const byUrl = new Map<string, Resource>();
  for (const name of readdirSync(folder)) {
    if (!/^(?:ValueSet|CodeSystem)-.*\.json$/.test(name)) continue;
    const resource = read(name);
    if (resource.url !== undefined && resource.resourceType !== 'Bundle') {
      byUrl.set(`${resource.resourceType} ${resource.url}`, resource);
    }
  }
  const flat = (concepts: readonly Concept[]): string[] =>
    concepts.flatMap((each) => [each.code, ...flat(each.concept ?? [])]);
  const expand = (url: string): readonly string[] | undefined => {
    const set = byUrl.get(`ValueSet ${url}`);
    if (set?.compose === undefined || set.compose.exclude !== undefined) return undefined;
    const all: string[] = [];
    for (const part of set.compose.include) {
      if (part.filter !== undefined) return undefined;
      if (part.concept !== undefined) all.push(...flat(part.concept));
      else if (part.system !== undefined) {
        const system = byUrl.get(`CodeSystem ${part.system}`);
        if (system?.concept === undefined || system.content !== 'complete') return undefined;
        all.push(...flat(system.concept));
      } else {
        for (const other of part.valueSet ?? []) {
          const list = expand(other.split('|')[0] ?? '');
          if (list === undefined) return undefined;
          all.push(...list);
        }
      }
    }
    return all.length === 0 || all.length > 500 ? undefined : all;
  };
  return expand;
}
