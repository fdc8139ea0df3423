import type { FhirVersion, RouteFhir } from '../../../contracts/policy.ts';
import { fault, type PayloadFault } from '../finding.ts';
import { type Definitions, definitionsOf } from './definitions.ts';
import { TEXT_FORMATS } from './formats.ts';

/** What the end of a request's path says, in FHIR's terms (R4 §3.1.0.1). */
export interface FhirTarget {
  readonly version: FhirVersion;
  /** Without the name of an operation. */
  readonly interaction: string;
  /** Undefined: of the whole system, or of any type. */
  readonly type: string | undefined;
  readonly id: string | undefined;
}

/**
 * Segments from the end: `type`, `id`, `vid`, and words that stand for themselves. `*`: a type, or all of them
 * (R4 §3.1.1.5.4).
 */
const SHAPES: Readonly<Record<string, readonly string[]>> = {
  read: ['type', 'id'],
  vread: ['type', 'id', '_history', 'vid'],
  update: ['type', 'id'],
  patch: ['type', 'id'],
  delete: ['type', 'id'],
  'history-instance': ['type', 'id', '_history'],
  'history-type': ['type', '_history'],
  'search-type': ['type'],
  'search-post': ['type', '_search'],
  create: ['type'],
  'update-conditional': ['type'],
  'patch-conditional': ['type'],
  'delete-conditional': ['type'],
  'compartment-search': ['owner', 'id', '*'],
};

const isId = TEXT_FORMATS.id ?? (() => false);

/** Type and ids of a path, each in the form that FHIR gives it. */
export function targetOf(fhir: RouteFhir, segments: readonly string[]): FhirTarget | PayloadFault {
  const { version, interaction } = fhir;
  const definitions = definitionsOf(version);
  if (interaction.startsWith('operation:')) return operationTarget(version, segments, definitions);
  const shape = SHAPES[interaction];
  if (shape === undefined) return { version, interaction, type: undefined, id: undefined };
  const from = segments.length - shape.length;
  let type: string | undefined;
  let id: string | undefined;
  for (const [index, step] of shape.entries()) {
    const at = from + index;
    const segment = segments[at];
    if (segment === undefined) return fault(`path:${Math.max(at, 0)}`, 'fhir-path');
    if (step === 'type' || step === '*') {
      if (step === '*' && segment === '*') continue;
      if (!definitions.resources.has(segment)) return fault(`path:${at}`, 'fhir-resource-type');
      type = segment;
    } else if (step === 'owner') {
      if (!definitions.resources.has(segment)) return fault(`path:${at}`, 'fhir-resource-type');
    } else if (step === 'id' || step === 'vid') {
      if (!isId(segment)) return fault(`path:${at}`, 'fhir-form-id');
      if (step === 'id') id = segment;
    } else if (segment !== step) return fault(`path:${at}`, 'fhir-path');
  }
  return { version, interaction, type, id };
}

/** `$name`, `Type/$name` or `Type/id/$name`. */
function operationTarget(
  version: FhirVersion,
  segments: readonly string[],
  definitions: Definitions,
): FhirTarget | PayloadFault {
  const last = segments.length - 1;
  if (!/^\$[A-Za-z][A-Za-z0-9-]{0,63}$/.test(segments[last] ?? '')) return fault(`path:${last}`, 'fhir-path');
  const before = segments[last - 1] ?? '';
  if (definitions.resources.has(before))
    return { version, interaction: 'operation', type: before, id: undefined };
  const type = segments[last - 2] ?? '';
  if (definitions.resources.has(type)) {
    if (!isId(before)) return fault(`path:${last - 1}`, 'fhir-form-id');
    return { version, interaction: 'operation', type, id: before };
  }
  return { version, interaction: 'operation', type: undefined, id: undefined };
}

export function isFault(value: FhirTarget | PayloadFault): value is PayloadFault {
  return 'rule' in value;
}
