import { describe, expect, it } from 'vitest';
import type { RouteDocument } from '../../../contracts/settings.ts';
import { compilePolicy } from '../../../policies/index.ts';
import { DEFAULTS, faultsOfRoutes, policyOf } from '../support.ts';

const READ: RouteDocument = {
  id: 'read',
  methods: ['GET'],
  path: '/fhir/{resourceType}/{id}',
  where: { resourceType: ['Observation'] },
  smart: { contexts: ['patient', 'user'], resource: '{resourceType}', permission: 'r' },
  fhir: { version: 'R4', interaction: 'read' },
};

describe('a route with fhir', () => {
  it('compiles, and hides as its interaction wants', () => {
    expect(policyOf(READ).routes[0]).toMatchObject({
      hide: 'record',
      fhir: { version: 'R4', interaction: 'read' },
    });
  });

  it.each<[string, Partial<RouteDocument>, string]>([
    [
      'an unknown version',
      { fhir: { version: 'R9' as 'R4', interaction: 'read' } },
      '/routes/0/fhir/version: must be one of R4, STU3, DSTU2',
    ],
    [
      'an unknown interaction',
      { fhir: { version: 'R4', interaction: 'peek' } },
      '/routes/0/fhir/interaction: is no interaction that the gateway knows; see docs/fhir.md',
    ],
    [
      'a method that the interaction has not',
      { methods: ['GET', 'POST'], mediaTypes: ['application/json'] },
      '/routes/0/methods: "read" is not done by POST; allowed: GET, HEAD',
    ],
    [
      'no id',
      { path: '/fhir/{resourceType}' },
      '/routes/0/path: needs the capture {id} for interaction "read"',
    ],
    [
      'no version id',
      { fhir: { version: 'R4', interaction: 'vread' } },
      '/routes/0/path: needs the capture {vid} for interaction "vread"',
    ],
    [
      'no smart',
      { smart: undefined as never },
      '/routes/0/smart: interaction "read" needs "smart", which says whose scopes count',
    ],
    [
      'a type of another version',
      { where: { resourceType: ['MedicationOrder'] } },
      '/routes/0/where/resourceType/0: "MedicationOrder" is no resource type of R4',
    ],
    [
      'every type where one is meant',
      { smart: { contexts: ['user'], resource: '*', permission: 'r' } },
      '/routes/0/smart/resource: must be a resource type or its capture: "read" is of one type',
    ],
    [
      'one type where all are meant',
      { path: '/fhir/{resourceType}', fhir: { version: 'R4', interaction: 'search-system' } },
      '/routes/0/smart/resource: must be "*": "search-system" is of no resource type in particular',
    ],
    [
      'a patient of its own',
      { patient: { capture: 'id' } },
      '/routes/0/patient: has no effect with "fhir", which enforces the patient compartment by itself',
    ],
    [
      'nothing hidden',
      { hide: 'none' },
      '/routes/0/hide: a route of patients\' records must hide: "record" or "collection"',
    ],
  ])('refuses %s', (_name, more, fault) => {
    expect(faultsOfRoutes({ ...READ, ...more })).toContain(fault);
  });

  it('refuses scopes for a batch, whose entries have their own', () => {
    const batch: RouteDocument = {
      id: 'batch',
      methods: ['POST'],
      path: '/fhir',
      mediaTypes: ['application/fhir+json'],
      fhir: { version: 'R4', interaction: 'batch' },
    };
    expect(faultsOfRoutes(batch)).toEqual([]);
    expect(
      faultsOfRoutes({ ...batch, smart: { contexts: ['user'], resource: '*', permission: 'c' } }),
    ).toContain(
      '/routes/0/smart: has no effect: each entry of a batch is decided by the route it would match by itself',
    );
  });
});

describe('a role with a restricted scope', () => {
  const faultsOf = (scope: string): readonly string[] => {
    const document = { file: 'policy.yaml', routes: [READ], roles: { lab: [scope] } };
    const compiled = compilePolicy('test', document, DEFAULTS);
    return compiled.ok ? [] : compiled.faults.map(({ pointer, message }) => `${pointer}: ${message}`);
  };
  it('has one that can be judged', () => {
    expect(faultsOf('user/Observation.rs?category=laboratory')).toEqual([]);
    expect(faultsOf('user/MedicationOrder.rs?status=active')).toEqual([]);
    expect(faultsOf('user/Observation.rs?date=ge2020')).toEqual([
      '/roles/lab/0: would give nothing: it has a search restriction by a parameter that cannot be judged on a resource',
    ]);
  });
});
