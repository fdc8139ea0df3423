import type { Method } from '../../contracts/facts.ts';

/** What a FHIR route does (R4 §3.1.0), as policies name it. */
export const INTERACTIONS = [
  'read',
  'vread',
  'history-instance',
  'history-type',
  'history-system',
  'search-type',
  'search-post',
  'search-system',
  'compartment-search',
  'create',
  'update',
  'update-conditional',
  'patch',
  'patch-conditional',
  'delete',
  'delete-conditional',
  'batch',
  'capabilities',
  'graphql',
] as const;
export type Interaction = (typeof INTERACTIONS)[number] | `operation:${string}`;

const OPERATION = /^operation:[a-z][A-Za-z0-9-]{0,63}$/;

export function isInteraction(name: string): name is Interaction {
  return INTERACTIONS.some((known) => known === name) || OPERATION.test(name);
}

/** What a route's path has to tell, besides the type. */
export interface Shape {
  readonly methods: readonly Method[];
  /** Captures that must be there. */
  readonly captures: readonly string[];
  /** `type`: of one resource type; `system`: of none in particular. */
  readonly level: 'type' | 'system' | 'either';
}

const GET: readonly Method[] = ['GET', 'HEAD'];
const shape = (methods: readonly Method[], captures: readonly string[], level: Shape['level']): Shape =>
  Object.freeze({ methods, captures, level });

const SHAPES: Readonly<Record<(typeof INTERACTIONS)[number], Shape>> = Object.freeze({
  read: shape(GET, ['id'], 'type'),
  vread: shape(GET, ['id', 'vid'], 'type'),
  'history-instance': shape(GET, ['id'], 'type'),
  'history-type': shape(GET, [], 'type'),
  'history-system': shape(GET, [], 'system'),
  'search-type': shape(GET, [], 'type'),
  'search-post': shape(['POST'], [], 'type'),
  'search-system': shape(GET, [], 'system'),
  'compartment-search': shape(GET, ['id'], 'type'),
  create: shape(['POST'], [], 'type'),
  update: shape(['PUT'], ['id'], 'type'),
  'update-conditional': shape(['PUT'], [], 'type'),
  patch: shape(['PATCH'], ['id'], 'type'),
  'patch-conditional': shape(['PATCH'], [], 'type'),
  delete: shape(['DELETE'], ['id'], 'type'),
  'delete-conditional': shape(['DELETE'], [], 'type'),
  batch: shape(['POST'], [], 'system'),
  capabilities: shape([...GET, 'OPTIONS'], [], 'system'),
  graphql: shape([...GET, 'POST'], [], 'system'),
});
const OPERATION_SHAPE = shape([...GET, 'POST'], [], 'either');

export function shapeOf(interaction: Interaction): Shape {
  const known = INTERACTIONS.find((name) => name === interaction);
  return known === undefined ? OPERATION_SHAPE : SHAPES[known];
}
