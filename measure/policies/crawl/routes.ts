interface Way {
  readonly id: string;
  readonly methods: readonly string[];
  /** Below the base. */
  readonly path: string;
  readonly interaction: string;
  readonly permission: string;
  /** `*`: of the whole system. */
  readonly resource?: string;
  readonly mediaTypes?: readonly string[];
}

const FHIR_JSON = ['application/fhir+json', 'application/json'];
const PATCHES = ['application/json-patch+json', ...FHIR_JSON];
const FORM = ['application/x-www-form-urlencoded'];
const T = '/{resourceType}';

/** Everything that a FHIR server can be asked. */
const WAYS: readonly Way[] = [
  { id: 'read', methods: ['GET'], path: `${T}/{id}`, interaction: 'read', permission: 'r' },
  { id: 'vread', methods: ['GET'], path: `${T}/{id}/_history/{vid}`, interaction: 'vread', permission: 'r' },
  {
    id: 'history',
    methods: ['GET'],
    path: `${T}/{id}/_history`,
    interaction: 'history-instance',
    permission: 'r',
  },
  {
    id: 'type-history',
    methods: ['GET'],
    path: `${T}/_history`,
    interaction: 'history-type',
    permission: 'rs',
  },
  {
    id: 'all-history',
    methods: ['GET'],
    path: '/_history',
    interaction: 'history-system',
    permission: 'rs',
    resource: '*',
  },
  { id: 'search', methods: ['GET'], path: T, interaction: 'search-type', permission: 's' },
  {
    id: 'search-form',
    methods: ['POST'],
    path: `${T}/_search`,
    interaction: 'search-post',
    permission: 's',
    mediaTypes: FORM,
  },
  {
    id: 'search-all',
    methods: ['GET'],
    path: '',
    interaction: 'search-system',
    permission: 's',
    resource: '*',
  },
  {
    id: 'compartment',
    methods: ['GET'],
    path: `/Patient/{id}${T}`,
    interaction: 'compartment-search',
    permission: 's',
  },
  { id: 'create', methods: ['POST'], path: T, interaction: 'create', permission: 'c', mediaTypes: FHIR_JSON },
  {
    id: 'update',
    methods: ['PUT'],
    path: `${T}/{id}`,
    interaction: 'update',
    permission: 'u',
    mediaTypes: FHIR_JSON,
  },
  {
    id: 'update-if',
    methods: ['PUT'],
    path: T,
    interaction: 'update-conditional',
    permission: 'u',
    mediaTypes: FHIR_JSON,
  },
  {
    id: 'patch',
    methods: ['PATCH'],
    path: `${T}/{id}`,
    interaction: 'patch',
    permission: 'u',
    mediaTypes: PATCHES,
  },
  {
    id: 'patch-if',
    methods: ['PATCH'],
    path: T,
    interaction: 'patch-conditional',
    permission: 'u',
    mediaTypes: PATCHES,
  },
  { id: 'delete', methods: ['DELETE'], path: `${T}/{id}`, interaction: 'delete', permission: 'd' },
  { id: 'delete-if', methods: ['DELETE'], path: T, interaction: 'delete-conditional', permission: 'd' },
  { id: 'batch', methods: ['POST'], path: '', interaction: 'batch', permission: '', mediaTypes: FHIR_JSON },
  {
    id: 'everything',
    methods: ['GET'],
    path: `${T}/{id}/$everything`,
    interaction: 'operation:everything',
    permission: 'rs',
  },
  {
    id: 'everything-of-all',
    methods: ['GET'],
    path: `${T}/$everything`,
    interaction: 'operation:everything',
    permission: 'rs',
  },
  {
    id: 'lastn',
    methods: ['GET'],
    path: '/Observation/$lastn',
    interaction: 'operation:lastn',
    permission: 's',
    resource: 'Observation',
  },
  { id: 'meta', methods: ['GET'], path: `${T}/{id}/$meta`, interaction: 'operation:meta', permission: 'r' },
  {
    id: 'graphql',
    methods: ['GET', 'POST'],
    path: '/$graphql',
    interaction: 'graphql',
    permission: 'rs',
    resource: '*',
    mediaTypes: FHIR_JSON,
  },
];

/**
 * The policy document under which is crawled.
 * @param meaning whether routes say what they mean in FHIR; without, any token of the right scope gets whatever the
 *   server gives
 * @param types resource types that there are
 */
export function crawlPolicy(meaning: boolean, types: readonly string[]): object {
  const routes = WAYS.filter((way) => meaning || way.permission !== '').map((way) => ({
    id: `crawl-${way.id}`,
    methods: way.methods,
    path: `/fhir${way.path}`,
    // Else it would be as specific as what is of one record.
    ...(way.id === 'compartment' ? { where: { resourceType: types } } : {}),
    ...(way.interaction === 'batch'
      ? {}
      : {
          smart: {
            contexts: meaning ? ['patient', 'user', 'system'] : ['user', 'system'],
            resource: way.resource ?? '{resourceType}',
            permission: way.permission,
          },
        }),
    ...(meaning ? { fhir: { version: 'R4', interaction: way.interaction } } : {}),
    introspection: 'never',
    hideDeadline: '60ms',
    backendTimeout: '10s',
    ...(way.mediaTypes === undefined ? {} : { mediaTypes: way.mediaTypes, maxBody: '1MiB' }),
  }));
  const metadata = {
    id: 'crawl-metadata',
    methods: ['GET'],
    path: '/fhir/metadata',
    credential: 'anonymous',
    ...(meaning ? { fhir: { version: 'R4', interaction: 'capabilities' } } : {}),
  };
  return { routes: [...routes, metadata] };
}
