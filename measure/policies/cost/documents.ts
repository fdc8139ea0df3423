import type { PolicyPack } from '../../../contracts/policy-packs.ts';
import type { PolicyDocument, RouteDocument } from '../../../contracts/settings.ts';

/** Rules of each tenant. */
export const RULES = 200;
/** Of those, in the variant with a pack, so many are the tenant's own. */
export const OWN = 10;

const KINDS = ['chart', 'visit', 'order', 'result', 'note'] as const;

/** Rules of the kinds that real tables have: reads, searches, writes, pages, conditions, denials. */
function routes(from: number, to: number, mark: string): RouteDocument[] {
  return Array.from({ length: to - from }, (_, k): RouteDocument => {
    const i = from + k;
    const kind = KINDS[i % KINDS.length] ?? 'chart';
    const id = `${mark}-${i}`;
    const path = `/${mark}/${kind}-${i}`;
    switch (i % 5) {
      case 0:
        return {
          id,
          methods: ['GET'],
          path: `${path}/{id}`,
          smart: { contexts: ['patient', 'user'], resource: 'Observation', permission: 'r' },
          patient: { capture: 'id' },
        };
      case 1:
        return {
          id,
          methods: ['GET'],
          path,
          smart: { contexts: ['patient', 'user'], resource: 'Encounter', permission: 's' },
          patient: { parameter: 'patient' },
        };
      case 2:
        return {
          id,
          methods: ['POST', 'PUT'],
          path: `${path}/{id}`,
          scopes: ['emr.write'],
          mediaTypes: ['application/json'],
          when: { any: [{ roles: ['physician'] }, { not: { addresses: ['198.51.100.0/24'] } }] },
        };
      case 3:
        return {
          id,
          methods: ['GET'],
          path: `${path}/{rest*}`,
          credential: 'session',
          scopes: ['emr'],
          roles: ['nurse', 'physician'],
        };
      default:
        return i % 20 === 19
          ? { id, effect: 'deny', methods: ['GET'], path: `/${mark}/chart-${i - 4}/{id}`, roles: ['clerk'] }
          : { id, methods: ['GET'], path: `${path}/{a}/x/{b}`, scopes: ['emr', 'emr.read'] };
    }
  });
}

const ROLES = { nurse: ['emr'], physician: ['emr', 'emr.write'], clerk: [] };

/** The same two hundred rules, in an object of its own. */
export function sameDocument(tenant: number): PolicyDocument {
  return { file: `tenant-${tenant}.yaml`, roles: ROLES, routes: routes(0, RULES, 'emr') };
}

export const PACK: PolicyPack = Object.freeze({
  name: 'pack',
  title: 'for this measurement',
  versions: [],
  base: '',
  routes: routes(0, RULES - OWN, 'emr'),
});

/** A pack and ten rules that no other tenant has. */
export function packedDocument(tenant: number): PolicyDocument {
  return {
    file: `tenant-${tenant}.yaml`,
    extends: [{ pack: 'pack' }],
    roles: ROLES,
    routes: routes(0, OWN, `own-${tenant}`),
  };
}

/** Two hundred rules that no other tenant has. */
export function ownDocument(tenant: number): PolicyDocument {
  return { file: `tenant-${tenant}.yaml`, roles: ROLES, routes: routes(0, RULES, `own-${tenant}`) };
}
