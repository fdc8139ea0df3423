import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { FURTHER_LINKS, PUBLISHED_COMPARTMENTS } from './compartments.ts';
import { type Parameter, pathsFor } from './parameters.ts';

/** What one version of FHIR defines, read from where it was published. */
export interface Definitions {
  readonly types: readonly string[];
  readonly parameters: ReadonlyMap<string, readonly Parameter[]>;
  /** Search parameters that make a resource part of a patient's compartment, by type. */
  readonly compartment: ReadonlyMap<string, readonly string[]>;
  readonly further: Readonly<Record<string, readonly string[]>>;
}

function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
}

interface SearchParameter {
  readonly code: string;
  readonly type: string;
  readonly base: readonly string[];
  readonly expression?: string;
}

/** R4: HL7's own definitions, all in the npm package `hl7.fhir.r4.examples` 4.0.1. */
export function readR4(folder: string): Definitions {
  const statement = readJson(join(folder, 'CapabilityStatement-base.json')) as unknown as {
    rest: readonly [{ resource: readonly { type: string }[] }];
  };
  const types = statement.rest[0].resource.map((resource) => resource.type).sort();
  const bundle = readJson(join(folder, 'Bundle-searchParams.json')) as unknown as {
    entry: readonly { resource: SearchParameter }[];
  };
  const parameters = new Map<string, Parameter[]>(types.map((type) => [type, []]));
  for (const { resource } of bundle.entry) {
    for (const base of resource.base) {
      parameters
        .get(base)
        ?.push({ name: resource.code, kind: resource.type, paths: pathsFor(base, resource.expression) });
    }
  }
  const definition = readJson(join(folder, 'CompartmentDefinition-patient.json')) as unknown as {
    resource: readonly { code: string; param?: readonly string[] }[];
  };
  const compartment = new Map(
    definition.resource.flatMap(({ code, param }) => (param === undefined ? [] : [[code, param] as const])),
  );
  return { types, parameters, compartment, further: {} };
}

interface CoreParameter {
  readonly type: string;
  readonly xpath: string;
  readonly definition: string;
}

/**
 * STU3 and DSTU2: the search parameters that the npm package `@asymmetrik/node-fhir-server-core` 2.2.5 (MIT) took from
 * the published bundles of HL7 (CC0), and resource types from the model of the npm package `fhirpath` 5.2.2.
 */
export function readOlder(version: 'STU3' | 'DSTU2', core: string, fhirpath: string): Definitions {
  const load = createRequire(join(core, 'package.json'));
  const folder = join(core, 'src/server/resources', version === 'STU3' ? '3_0_1' : '1_0_2', 'parameters');
  const parents = readJson(join(fhirpath, 'fhir-context', version.toLowerCase(), 'type2Parent.json'));
  const types = Object.entries(parents)
    .filter(([type, parent]) => parent === 'DomainResource' || (parent === 'Resource' && isStored(type)))
    .map(([type]) => type)
    .sort();
  const named = new Map(types.map((type) => [type.toLowerCase(), type]));
  const parameters = new Map<string, Parameter[]>(types.map((type) => [type, []]));
  for (const file of readdirSync(folder).sort()) {
    const type = named.get(file.replace(/\.parameters\.js$/, ''));
    if (type === undefined) continue;
    const entries = load(join(folder, file)) as Record<string, CoreParameter>;
    for (const [name, { type: kind, xpath }] of Object.entries(entries)) {
      parameters.get(type)?.push({ name, kind, paths: pathsFor(type, xpath) });
    }
  }
  const compartment = new Map(
    PUBLISHED_COMPARTMENTS[version]
      .trim()
      .split('\n')
      .map((line) => {
        const [type = '', names = ''] = line.trim().split(': ');
        return [type, names.split(' ')] as const;
      }),
  );
  return { types, parameters, compartment, further: FURTHER_LINKS[version] };
}

/** Of the types that are resources and nothing more, these are kept under an address of their own. */
function isStored(type: string): boolean {
  return type === 'Binary' || type === 'Bundle';
}
