import type { Method } from '../../contracts/facts.ts';
import { FHIR_VERSIONS, type FhirVersion, type RouteFhir } from '../../contracts/policy.ts';
import type { RouteDocument } from '../../contracts/settings.ts';
import type { FaultList } from '../faults.ts';
import type { Pattern } from '../pattern.ts';
import { type Context, permissionMask } from '../scopes.ts';
import { definitionsOf } from './definitions/index.ts';
import { type Interaction, isInteraction, type Shape, shapeOf } from './interactions.ts';

/** What the key `fhir` of a route compiles to. */
export interface FhirRule {
  readonly version: FhirVersion;
  readonly interaction: Interaction;
  /** Segments before the resource type, or before what the route is of the whole system. */
  readonly baseLength: number;
  /** The type by name, or by the capture's number; undefined: the whole system. */
  readonly type: string | number | undefined;
  /** Numbers of the captures `id` and `vid`. */
  readonly id: number | undefined;
  readonly vid: number | undefined;
  readonly contexts: readonly Context[];
  /** Letters of `cruds` that are needed, and the same as bits; none where the entries of a batch decide. */
  readonly permission: string;
  readonly mask: number;
}

export interface FhirPath {
  readonly names: readonly string[];
  readonly pattern: Pattern;
  readonly where: ReadonlyMap<string, ReadonlySet<string>>;
}

const CAPTURED = /^\{([A-Za-z][A-Za-z0-9]{0,31})\}$/;

/** Reads `fhir`, and what of the other keys has to fit it. The result counts only if no fault was added. */
export function compileFhir(
  route: RouteDocument,
  path: FhirPath,
  methods: ReadonlySet<Method>,
  at: string,
  faults: FaultList,
): FhirRule | undefined {
  const { fhir, smart } = route;
  if (fhir === undefined) return undefined;
  const version = FHIR_VERSIONS.find((known) => known === fhir.version);
  if (version === undefined) faults.add(`${at}/fhir/version`, `must be one of ${FHIR_VERSIONS.join(', ')}`);
  const { interaction } = fhir;
  if (!isInteraction(interaction)) {
    faults.add(`${at}/fhir/interaction`, 'is no interaction that the gateway knows; see docs/fhir.md');
    return undefined;
  }
  if (version === undefined) return undefined;
  const shape = shapeOf(interaction);
  checkShape(route, path, methods, interaction, shape, at, faults);
  const type = smart === undefined ? undefined : typeOf(smart.resource, path, version, at, faults);
  const baseLength = baseOf(path.pattern, interaction, type, path.names);
  if (baseLength === undefined) {
    faults.add(
      `${at}/path`,
      `does not show where the base of the FHIR interface ends, for interaction "${interaction}"`,
    );
  }
  return Object.freeze({
    version,
    interaction,
    baseLength: baseLength ?? 0,
    type: typeof type === 'string' || type === undefined ? type : type.index,
    id: position(path.names, 'id'),
    vid: position(path.names, 'vid'),
    contexts: Object.freeze([...(smart?.contexts ?? [])]),
    permission: smart?.permission ?? '',
    mask: smart === undefined ? 0 : permissionMask(smart.permission),
  });
}

function position(names: readonly string[], name: string): number | undefined {
  const index = names.indexOf(name);
  return index < 0 ? undefined : index;
}

function checkShape(
  route: RouteDocument,
  { names }: FhirPath,
  methods: ReadonlySet<Method>,
  interaction: Interaction,
  shape: Shape,
  at: string,
  faults: FaultList,
): void {
  for (const method of methods) {
    if (!shape.methods.includes(method)) {
      faults.add(
        `${at}/methods`,
        `"${interaction}" is not done by ${method}; allowed: ${shape.methods.join(', ')}`,
      );
    }
  }
  for (const name of shape.captures) {
    if (!names.includes(name))
      faults.add(`${at}/path`, `needs the capture {${name}} for interaction "${interaction}"`);
  }
  if (route.patient !== undefined) {
    faults.add(
      `${at}/patient`,
      'has no effect with "fhir", which enforces the patient compartment by itself',
    );
  }
  if (route.smart === undefined) {
    if (interaction !== 'batch' && interaction !== 'capabilities') {
      faults.add(`${at}/smart`, `interaction "${interaction}" needs "smart", which says whose scopes count`);
    }
    return;
  }
  if (interaction === 'batch') {
    faults.add(
      `${at}/smart`,
      'has no effect: each entry of a batch is decided by the route it would match by itself',
    );
  }
  const system = route.smart.resource === '*';
  if (shape.level === 'system' && !system) {
    faults.add(`${at}/smart/resource`, `must be "*": "${interaction}" is of no resource type in particular`);
  }
  if (shape.level === 'type' && system) {
    faults.add(
      `${at}/smart/resource`,
      `must be a resource type or its capture: "${interaction}" is of one type`,
    );
  }
}

/** The type by name, or the capture that has it; undefined: of the whole system. */
function typeOf(
  resource: string,
  { names, where }: FhirPath,
  version: FhirVersion,
  at: string,
  faults: FaultList,
): string | { readonly index: number; readonly name: string } | undefined {
  if (resource === '*') return undefined;
  const types = definitionsOf(version);
  const unknown = (type: string): string => `${JSON.stringify(type)} is no resource type of ${version}`;
  const name = CAPTURED.exec(resource)?.[1];
  if (name === undefined) {
    if (!types.has(resource)) faults.add(`${at}/smart/resource`, unknown(resource));
    return resource;
  }
  [...(where.get(name) ?? [])].forEach((type, i) => {
    if (!types.has(type)) faults.add(`${at}/where/${name}/${i}`, unknown(type));
  });
  return { index: names.indexOf(name), name };
}

/** Interactions of the whole system that have a segment of their own after the base. */
const NAMED: ReadonlySet<string> = new Set(['capabilities', 'history-system', 'graphql']);

function baseOf(
  pattern: Pattern,
  interaction: Interaction,
  type: string | { readonly name: string } | undefined,
  names: readonly string[],
): number | undefined {
  const length =
    pattern.at(-1)?.kind === 'literal' && isEmpty(pattern.at(-1)) ? pattern.length - 1 : pattern.length;
  if (interaction === 'compartment-search') {
    const id = names.includes('id')
      ? pattern.findIndex((segment) => segment.kind !== 'literal' && segment.name === 'id')
      : -1;
    const before = pattern[id - 1];
    return before?.kind === 'literal' && before.text === 'Patient' ? id - 1 : undefined;
  }
  if (type === undefined) {
    return NAMED.has(interaction) || interaction.startsWith('operation:') ? length - 1 : length;
  }
  const found = pattern.findIndex((segment) =>
    typeof type === 'string'
      ? segment.kind === 'literal' && segment.text === type
      : segment.kind !== 'literal' && segment.name === type.name,
  );
  return found < 0 ? undefined : found;
}

function isEmpty(segment: Pattern[number] | undefined): boolean {
  return segment?.kind === 'literal' && segment.text === '';
}

/** What is known of it before anybody asks. */
export function routeFhir(fhir: RouteDocument['fhir']): RouteFhir | undefined {
  const version = FHIR_VERSIONS.find((known) => known === fhir?.version);
  return fhir === undefined || version === undefined
    ? undefined
    : Object.freeze({ version, interaction: fhir.interaction });
}

/** How a route of patients' records hides when it does not say: what names a record, as one; the rest as a collection. */
export function hideOf(fhir: RouteDocument['fhir']): 'record' | 'collection' {
  const one = ['read', 'vread', 'history-instance', 'update', 'patch', 'delete'];
  return one.includes(fhir?.interaction ?? '') ? 'record' : 'collection';
}
