import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../contracts/content.ts';
import { rewriteCapabilities } from '../../../policies/index.ts';
import { policyOf } from '../support.ts';
import { packPolicy } from './support.ts';

const SITE = {
  base: 'https://clinic.example/fhir',
  authorize: 'https://issuer.example/authorize',
  token: 'https://issuer.example/token',
};
const interactions = (...codes: string[]) => codes.map((code) => ({ code }));
const statement: JsonObject = {
  resourceType: 'CapabilityStatement',
  status: 'active',
  fhirVersion: '4.0.1',
  software: { name: 'Old EMR', version: '1.2.3' },
  implementation: { description: 'Our EMR', url: 'http://10.0.0.7:8080/fhir' },
  format: ['xml', 'json'],
  rest: [
    {
      mode: 'server',
      security: { description: 'none' },
      interaction: interactions('transaction', 'batch', 'history-system'),
      operation: [
        { name: 'everything', definition: 'x' },
        { name: '$dump', definition: 'y' },
      ],
      resource: [
        {
          type: 'Observation',
          interaction: interactions('read', 'search-type', 'delete'),
          conditionalDelete: 'multiple',
          searchParam: [{ name: 'code' }],
        },
        { type: 'Patient', interaction: interactions('create'), searchParam: [{ name: 'name' }] },
        { type: 'AuditEvent', interaction: interactions('read') },
      ],
    },
  ],
};
const policy = policyOf(
  {
    id: 'read',
    methods: ['GET'],
    path: '/fhir/{resourceType}/{id}',
    where: { resourceType: ['Observation', 'Patient'] },
    smart: { contexts: ['user'], resource: '{resourceType}', permission: 'r' },
    fhir: { version: 'R4', interaction: 'read' },
  },
  {
    id: 'everything',
    methods: ['GET'],
    path: '/fhir/Patient/{id}/$everything',
    smart: { contexts: ['patient'], resource: 'Patient', permission: 'rs' },
    fhir: { version: 'R4', interaction: 'operation:everything' },
  },
);

describe('a capability statement', () => {
  const rewritten = rewriteCapabilities(statement, policy.fhir ?? [], SITE);
  it('says what the policy permits, and nothing else', () => {
    expect(rewritten).toMatchObject({
      implementation: { description: 'Our EMR', url: SITE.base },
      format: ['json', 'application/fhir+json'],
      rest: [
        {
          resource: [{ type: 'Observation', interaction: [{ code: 'read' }] }],
          operation: [{ name: 'everything' }],
        },
      ],
    });
    expect(rewritten).not.toHaveProperty('rest.0.interaction');
    expect(rewritten).not.toHaveProperty('rest.0.resource.1');
    expect(rewritten).not.toHaveProperty('rest.0.resource.0.conditionalDelete');
    expect(rewritten).not.toHaveProperty('rest.0.resource.0.searchParam');
    expect(JSON.stringify(rewritten)).not.toMatch(/10\.0\.0\.7|Old EMR|1\.2\.3|dump/);
  });
  it('says where to authorise', () => {
    expect(rewritten).toMatchObject({
      rest: [
        {
          security: {
            extension: [
              {
                extension: [
                  { url: 'authorize', valueUri: SITE.authorize },
                  { url: 'token', valueUri: SITE.token },
                ],
              },
            ],
            service: [{ coding: [{ code: 'SMART-on-FHIR' }] }],
          },
        },
      ],
    });
  });
  it('is whole where the policy permits everything', () => {
    const whole = rewriteCapabilities(statement, packPolicy().fhir ?? [], SITE);
    expect(whole).toMatchObject({
      rest: [
        {
          interaction: interactions('transaction', 'batch', 'history-system'),
          resource: [
            { type: 'Observation', interaction: interactions('read', 'search-type', 'delete') },
            { type: 'Patient' },
            { type: 'AuditEvent' },
          ],
        },
      ],
    });
  });
  it('says nothing of another base', () => {
    const elsewhere = rewriteCapabilities(statement, policy.fhir ?? [], {
      ...SITE,
      base: 'https://clinic.example/other',
    });
    expect(elsewhere).not.toHaveProperty('rest.0.resource');
  });
  it('reads the Conformance of DSTU2', () => {
    expect(
      rewriteCapabilities({ ...statement, resourceType: 'Conformance' }, policy.fhir ?? [], SITE),
    ).toMatchObject({ format: ['json', 'application/json+fhir'] });
  });
  it.each([
    ['another resource', { resourceType: 'Patient', id: 'b' }],
    ['a list', [statement]],
    ['two servers', { ...statement, rest: [{ mode: 'server' }, { mode: 'server' }] }],
    ['no server', { ...statement, rest: [{ mode: 'client' }] }],
    ['nothing', null],
  ])('is none with %s', (_name, content) => {
    expect(rewriteCapabilities(content, policy.fhir ?? [], SITE)).toBeUndefined();
  });
});
