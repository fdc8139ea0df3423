import type { Plain, Resource } from './resource.ts';
import type { Searched } from './search/search.ts';
import type { Version } from './store.ts';

/** How this server is reached, as far as it knows: `https://north.example/fhir`. */
export type Base = string;

export function searchset(found: Searched, base: Base, path: string, query: URLSearchParams): Plain {
  const link = (offset: number): string => {
    const others = new URLSearchParams(query);
    others.set('_offset', String(offset));
    others.set('_count', String(found.count));
    return `${base}${path}?${others}`;
  };
  const links = [{ relation: 'self', url: `${base}${path}${query.size === 0 ? '' : `?${query}`}` }];
  if (found.count > 0 && found.offset + found.count < found.total)
    links.push({ relation: 'next', url: link(found.offset + found.count) });
  if (found.offset > 0)
    links.push({ relation: 'previous', url: link(Math.max(0, found.offset - found.count)) });
  const counting = query.get('_summary') === 'count';
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    total: found.total,
    link: links,
    ...(counting
      ? {}
      : {
          entry: [
            ...found.matches.map((resource) => entry(resource, base, 'match')),
            ...found.included.map((resource) => entry(resource, base, 'include')),
          ],
        }),
  };
}

function entry(resource: Resource, base: Base, mode: string): Plain {
  return { fullUrl: `${base}/${resource.resourceType}/${resource.id}`, resource, search: { mode } };
}

export function historyBundle(
  versions: readonly Version[],
  base: Base,
  path: string,
  query: URLSearchParams,
): Plain {
  const count = Math.min(200, Number(query.get('_count') ?? 50) || 50);
  const offset = Number(query.get('_offset') ?? 0) || 0;
  const since = query.get('_since');
  const all = since === null ? versions : versions.filter((version) => version.updated >= since);
  const page = all.slice(offset, offset + count);
  return {
    resourceType: 'Bundle',
    type: 'history',
    total: all.length,
    link: [
      { relation: 'self', url: `${base}${path}` },
      ...(offset + count < all.length
        ? [{ relation: 'next', url: `${base}${path}?_count=${count}&_offset=${offset + count}` }]
        : []),
    ],
    entry: page.map((version) => ({
      fullUrl: `${base}/${version.type}/${version.id}`,
      ...(version.resource === undefined ? {} : { resource: version.resource }),
      request: { method: version.method, url: `${version.type}/${version.id}` },
      response: {
        status: version.method === 'DELETE' ? '204' : '200',
        etag: `W/"${version.version}"`,
        lastModified: version.updated,
      },
    })),
  };
}

/** What this server can do; the types are those that it holds. */
export function capabilities(base: Base, types: readonly string[]): Plain {
  const interactions = [
    'read',
    'vread',
    'update',
    'patch',
    'delete',
    'history-instance',
    'history-type',
    'create',
    'search-type',
  ];
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: '2026-11-01',
    kind: 'instance',
    software: { name: 'A trusting FHIR server', version: '1' },
    implementation: { description: 'Believes everybody', url: base },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json'],
    rest: [
      {
        mode: 'server',
        security: { description: 'none' },
        resource: types.map((type) => ({
          type,
          interaction: interactions.map((code) => ({ code })),
          versioning: 'versioned',
          conditionalCreate: true,
          conditionalUpdate: true,
          conditionalDelete: 'multiple',
          searchInclude: ['*'],
          searchRevInclude: ['*'],
        })),
        interaction: [
          { code: 'transaction' },
          { code: 'batch' },
          { code: 'search-system' },
          { code: 'history-system' },
        ],
        operation: [
          { name: 'everything', definition: 'http://hl7.org/fhir/OperationDefinition/Patient-everything' },
        ],
      },
    ],
  };
}
