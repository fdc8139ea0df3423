import type { FhirVersion } from '../../../contracts/policy.ts';
import dstu2 from './definitions/dstu2.json' with { type: 'json' };
import r4 from './definitions/r4.json' with { type: 'json' };
import stu3 from './definitions/stu3.json' with { type: 'json' };

/** An element of a type as FHIR defines it. */
export interface Element {
  readonly name: string;
  /** One, or those of a choice (`value[x]`). */
  readonly types: readonly string[];
  /** `value` is written as `valueString`, `valueQuantity`, … */
  readonly choice: boolean;
  readonly required: boolean;
  readonly repeated: boolean;
  /** Index of the list of codes that a required binding allows. */
  readonly codes: number | undefined;
}

/** The definitions of one version; `scripts/fhir-schemas.ts` made them from the published ones. */
export interface Definitions {
  /** Types of resources that can be created. */
  readonly resources: ReadonlySet<string>;
  readonly codes: readonly (readonly string[])[];
  /** Elements in their order, by type; parts of a type are types of their own, such as `Patient.contact`. */
  readonly types: ReadonlyMap<string, readonly Element[]>;
  /** Search parameters by resource type, with their types; `Resource` has those of every type. */
  readonly search: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

interface Written {
  readonly resources: readonly string[];
  readonly codes: readonly (readonly string[])[];
  readonly types: Readonly<Record<string, readonly (readonly unknown[])[]>>;
  readonly search: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const REQUIRED = 1;
const REPEATED = 2;

const WRITTEN: Readonly<Record<FhirVersion, Written>> = {
  R4: r4 as unknown as Written,
  STU3: stu3 as unknown as Written,
  DSTU2: dstu2 as unknown as Written,
};
const read = new Map<FhirVersion, Definitions>();

/** The definitions of a version, made once. */
export function definitionsOf(version: FhirVersion): Definitions {
  const known = read.get(version);
  if (known !== undefined) return known;
  const written = WRITTEN[version];
  const made: Definitions = {
    resources: new Set(written.resources),
    codes: written.codes,
    types: new Map(Object.entries(written.types).map(([name, rows]) => [name, rows.map(elementOf)])),
    search: new Map(
      Object.entries(written.search).map(([type, parameters]) => [type, new Map(Object.entries(parameters))]),
    ),
  };
  read.set(version, made);
  return made;
}

function elementOf(row: readonly unknown[]): Element {
  const [name, types, flags, codes] = row as [string, string | string[], number, number?];
  return {
    name,
    types: typeof types === 'string' ? [types] : types,
    choice: typeof types !== 'string',
    required: (flags & REQUIRED) !== 0,
    repeated: (flags & REPEATED) !== 0,
    codes,
  };
}

/** Whether a type's values are JSON's own: a text, a number or a truth value. */
export function isPrimitive(type: string): boolean {
  const first = type.charCodeAt(0);
  return first >= 0x61 && first <= 0x7a;
}

/** `value` of type `string` is written `valueString`. */
export function choiceName(name: string, type: string): string {
  return name + type.charAt(0).toUpperCase() + type.slice(1);
}
