import type { RouteDocument } from '../../../contracts/settings.ts';
import { page } from '../support.ts';

/** What is wrong, the routes, and what the one fault must say. */
export type FaultRow = readonly [what: string, routes: readonly RouteDocument[], says: string | RegExp];

export const smart = { contexts: ['user'], resource: 'Observation', permission: 'r' } as const;
export const bySmart = (more: Partial<RouteDocument>): RouteDocument => ({
  id: 'a',
  methods: ['GET'],
  path: '/fhir/{resourceType}/{id}',
  ...more,
});
export const post = (more: Partial<RouteDocument>): RouteDocument =>
  page('a', '/a', { methods: ['POST'], mediaTypes: ['application/json'], ...more });
export const asset = (more: Partial<RouteDocument>): RouteDocument => ({
  id: 'a',
  methods: ['GET'],
  path: '/static/{file*}',
  credential: 'anonymous',
  integrity: { mode: 'off' },
  ...more,
});
