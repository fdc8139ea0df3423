import type { Emr } from '../exchange.ts';
import type { ResourceKind } from './kind.ts';
import type { Resource } from './outcome.ts';

/** The capability statement, which tells product, version and inner address to everybody. */
export function capabilityStatement(emr: Emr, kinds: Iterable<ResourceKind>): Resource {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: '2014-06-01',
    kind: 'instance',
    software: { name: 'Paperleaf', version: emr.product },
    implementation: { description: emr.clinic, url: `${emr.origin}/fhir` },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json'],
    rest: [
      {
        mode: 'server',
        resource: [...kinds].map((kind) => ({
          type: kind.type,
          interaction: ['read', 'search-type', 'create', 'update', 'delete'].map((code) => ({ code })),
          versioning: 'versioned',
          searchParam: Object.keys(kind.search).map((name) => ({
            name,
            type: name === 'name' ? 'string' : 'token',
          })),
        })),
      },
    ],
  };
}
