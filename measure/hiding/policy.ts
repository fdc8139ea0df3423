const FHIR_JSON = ['application/fhir+json', 'application/json'];
const OBSERVATION = { resourceType: ['Observation'] };

interface Way {
  readonly id: string;
  readonly methods: readonly string[];
  readonly path: string;
  readonly interaction: string;
  readonly permission: string;
  readonly mediaTypes?: readonly string[];
}

/** What an app of a patient may ask of the records behind; each hides. */
const WAYS: readonly Way[] = [
  { id: 'read', methods: ['GET'], path: '/{resourceType}/{id}', interaction: 'read', permission: 'r' },
  {
    id: 'vread',
    methods: ['GET'],
    path: '/{resourceType}/{id}/_history/{vid}',
    interaction: 'vread',
    permission: 'r',
  },
  {
    id: 'history',
    methods: ['GET'],
    path: '/{resourceType}/{id}/_history',
    interaction: 'history-instance',
    permission: 'r',
  },
  {
    id: 'search-form',
    methods: ['POST'],
    path: '/{resourceType}/_search',
    interaction: 'search-post',
    permission: 's',
    mediaTypes: ['application/x-www-form-urlencoded'],
  },
  {
    id: 'update',
    methods: ['PUT'],
    path: '/{resourceType}/{id}',
    interaction: 'update',
    permission: 'u',
    mediaTypes: FHIR_JSON,
  },
  {
    id: 'patch',
    methods: ['PATCH'],
    path: '/{resourceType}/{id}',
    interaction: 'patch',
    permission: 'u',
    mediaTypes: ['application/json-patch+json'],
  },
  { id: 'delete', methods: ['DELETE'], path: '/{resourceType}/{id}', interaction: 'delete', permission: 'd' },
];

/** Of the route whose deadline is always missed. */
const TIGHT_DEADLINE = '1ms';

/** A scope for routes that know nothing of FHIR. */
export const PLAIN_SCOPE = 'emr/measured';
export const APP_SCOPES = ['launch/patient', 'patient/*.cruds', PLAIN_SCOPE];

const COMPARTMENT = [
  {
    id: 'everything',
    methods: ['GET'],
    path: '/fhir/Patient/{id}/$everything',
    fhir: { version: 'R4', interaction: 'operation:everything' },
    smart: { contexts: ['patient'], resource: 'Patient', permission: 'rs' },
    sharing: 'consent',
  },
  {
    id: 'compartment',
    methods: ['GET'],
    path: '/fhir/Patient/{id}/{resourceType}',
    where: OBSERVATION,
    fhir: { version: 'R4', interaction: 'compartment-search' },
    smart: { contexts: ['patient'], resource: '{resourceType}', permission: 's' },
    sharing: 'consent',
  },
];

/**
 * The policy under which is measured.
 * @param deadline of hidden answers, such as `20ms`
 */
export function hidingPolicy(deadline: string): object {
  const fhir = WAYS.map((way) => ({
    id: way.id,
    methods: way.methods,
    path: `/fhir${way.path}`,
    where: OBSERVATION,
    fhir: { version: 'R4', interaction: way.interaction },
    smart: { contexts: ['patient'], resource: '{resourceType}', permission: way.permission },
    sharing: 'consent',
    ...(way.mediaTypes === undefined ? {} : { mediaTypes: way.mediaTypes, maxBody: '64KiB' }),
  }));
  const plain = (id: string, path: string) => ({ id, methods: ['GET'], path, scopes: [PLAIN_SCOPE] });
  const all: object[] = [
    ...fhir,
    ...COMPARTMENT,
    plain('document', '/documents/{id}/content'),
    plain('plain-hidden', '/plain/{resourceType}/{id}'),
  ].map((route) => ({ ...route, hide: 'record', hideDeadline: deadline }));
  return {
    routes: [
      ...all,
      // Hidden, and sooner than this back end can answer: what is left when a deadline is always missed.
      {
        ...fhir[0],
        id: 'tight',
        path: '/tight/{resourceType}/{id}',
        hide: 'record',
        hideDeadline: TIGHT_DEADLINE,
      },
      // Nothing hidden: what the instrument has to notice, and what permitted requests are held against.
      { ...plain('open', '/open/{resourceType}/{id}'), hide: 'none' },
    ].map((route) => ({ introspection: 'never', backendTimeout: '10s', ...route })),
  };
}
