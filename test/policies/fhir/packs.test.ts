import { describe, expect, it } from 'vitest';
import { FHIR_VERSIONS, type FhirVersion } from '../../../contracts/policy.ts';
import { definitionsOf } from '../../../policies/fhir/definitions/index.ts';
import { resourceTypes } from '../../../policies/fhir/index.ts';
import { OPERATIONS_DSTU2, OPERATIONS_R4, OPERATIONS_STU3 } from '../../../policies/packs/fhir-operations.ts';
import { builtInPack } from '../../../policies/packs/index.ts';
import { ANONYMOUS, bearer } from '../support.ts';
import { decide, PACK_OF, packPolicy, requestOf } from './support.ts';

/** What a capability statement of the whole standard documents for each type (R4 §3.1.0, table "Summary"). */
const OF_EACH_TYPE: readonly [string, string, string][] = [
  ['GET', '/TYPE/1', 'read'],
  ['HEAD', '/TYPE/1', 'read'],
  ['GET', '/TYPE/1/_history/2', 'vread'],
  ['GET', '/TYPE/1/_history', 'history-instance'],
  ['GET', '/TYPE/_history', 'history-type'],
  ['GET', '/TYPE?_id=1', 'search-type'],
  ['POST', '/TYPE/_search', 'search-post'],
  ['GET', '/Patient/1/TYPE', 'compartment-search'],
  ['POST', '/TYPE', 'create'],
  ['PUT', '/TYPE/1', 'update'],
  ['PUT', '/TYPE?_id=1', 'update-conditional'],
  ['PATCH', '/TYPE/1', 'patch'],
  ['PATCH', '/TYPE?_id=1', 'patch-conditional'],
  ['DELETE', '/TYPE/1', 'delete'],
  ['DELETE', '/TYPE?_id=1', 'delete-conditional'],
];
const OF_THE_SYSTEM: readonly [string, string, string][] = [
  ['GET', '/metadata', 'capabilities'],
  ['POST', '', 'batch'],
  ['GET', '?_type=Patient', 'search-system'],
  ['GET', '/_history', 'history-system'],
];
const TYPES: Readonly<Record<FhirVersion, number>> = { R4: 145, STU3: 116, DSTU2: 93 };
const IN_COMPARTMENT: Readonly<Record<FhirVersion, number>> = { R4: 66, STU3: 64, DSTU2: 55 };
const OPERATIONS = { R4: OPERATIONS_R4, STU3: OPERATIONS_STU3, DSTU2: OPERATIONS_DSTU2 } as const;

describe.each(FHIR_VERSIONS)('the pack for FHIR %s', (version) => {
  const policy = packPolicy(version);
  const missing = (rows: readonly [string, string, string][]) =>
    rows.filter(([method, path, interaction]) => {
      const request = requestOf(`${method} /fhir${path}`);
      return policy.match(request)?.route.fhir?.interaction !== interaction;
    });

  it('has a rule for every interaction with every resource type', () => {
    const rows = resourceTypes(version).flatMap((type) =>
      OF_EACH_TYPE.filter(([method]) => version !== 'DSTU2' || method !== 'PATCH').map(
        ([method, path, interaction]): [string, string, string] => [
          method,
          path.replace('TYPE', type),
          interaction,
        ],
      ),
    );
    expect(resourceTypes(version)).toHaveLength(TYPES[version]);
    expect(missing(rows)).toEqual([]);
    expect(missing(OF_THE_SYSTEM)).toEqual([]);
  });

  it('has a rule for every operation, where it is defined', () => {
    const rows = OPERATIONS[version].flatMap(({ name, type, levels }) =>
      levels.flatMap((level): [string, string, string][] => {
        const before = { system: '', type: '/T', instance: '/T/1' }[level];
        const types = type === '*' ? resourceTypes(version) : [type];
        return (level === 'system' ? [''] : types).map((each) => [
          'POST',
          `${before.replace('T', each)}/$${name}`,
          `operation:${name}`,
        ]);
      }),
    );
    expect(missing(rows)).toEqual([]);
  });

  it('lets nobody in without a token, and no token without scopes, but to the capability statement', () => {
    const lines = [...OF_EACH_TYPE, ...OF_THE_SYSTEM]
      .filter(
        ([method, , interaction]) =>
          interaction !== 'capabilities' && (version !== 'DSTU2' || method !== 'PATCH'),
      )
      .map(([method, path]) => `${method} /fhir${path.replace('TYPE', 'Observation')}`);
    for (const line of lines) {
      expect([line, decide(line, ANONYMOUS, { policy })]).toMatchObject([
        line,
        { denial: 'unauthenticated' },
      ]);
      if (line === 'POST /fhir') continue;
      expect([line, decide(line, bearer(['openid']), { policy })]).toMatchObject([
        line,
        { denial: 'insufficient-scope' },
      ]);
      expect([line, decide(line, bearer(['patient/*.cruds']), { policy })]).toMatchObject([
        line,
        { denial: 'insufficient-scope' },
      ]);
      expect([line, decide(line, bearer(['system/*.cruds']), { policy }).effect]).toEqual([line, 'permit']);
    }
    expect(decide('GET /fhir/metadata', ANONYMOUS, { policy }).effect).toBe('permit');
  });

  it('is found by its name, with ids that begin with it', () => {
    const pack = PACK_OF[version];
    expect(builtInPack(pack.name)).toBe(pack);
    expect(pack.routes.filter(({ id }) => !id.startsWith(`${pack.name}-`))).toEqual([]);
  });

  it('knows the compartment of its version, and how searches of each type in it are narrowed', () => {
    const narrowed = [...definitionsOf(version)].filter(([, { narrow }]) => narrow !== undefined);
    expect(narrowed).toHaveLength(IN_COMPARTMENT[version]);
    for (const [type, { narrow = '', parameters, subjects, links }] of narrowed) {
      expect([type, parameters.has(narrow)]).toEqual([type, true]);
      expect([type, type === 'Patient' || subjects.length + links.length > 0]).toEqual([type, true]);
    }
  });
});
