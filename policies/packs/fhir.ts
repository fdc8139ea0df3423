import type { FhirVersion } from '../../contracts/policy.ts';
import type { PolicyPack } from '../../contracts/policy-packs.ts';
import type { RouteDocument } from '../../contracts/settings.ts';
import { resourceTypes } from '../fhir/index.ts';
import {
  OPERATIONS_DSTU2,
  OPERATIONS_R4,
  OPERATIONS_STU3,
  type OperationLevel,
  type OperationRow,
} from './fhir-operations.ts';

const BASE = '/fhir';
const EVERYBODY = ['patient', 'user', 'system'] as const;
const STAFF = ['user', 'system'] as const;
/** A search names a parameter twice when it means both (`date=ge…&date=le…`, R4 §3.1.1.3). */
const TWICE = { duplicates: 'allow' } as const;
const FORM = ['application/x-www-form-urlencoded'];

interface Edition {
  readonly version: FhirVersion;
  /** What ids begin with. */
  readonly prefix: string;
  readonly media: readonly string[];
  /** Media types of patches; none: the version has no patch. */
  readonly patches: readonly string[];
  readonly operations: readonly OperationRow[];
}

type Rest = Partial<RouteDocument>;

/** A route of one resource type, for every type of the version. */
function typed(
  { version, prefix }: Edition,
  name: string,
  interaction: string,
  methods: readonly string[],
  rest: string,
  permission: string,
  more: Rest & { readonly contexts?: readonly ('patient' | 'user' | 'system')[] } = {},
): RouteDocument {
  const { contexts = EVERYBODY, ...others } = more;
  return {
    id: `${prefix}-${name}`,
    methods,
    path: `${BASE}/{resourceType}${rest}`,
    where: { resourceType: resourceTypes(version) },
    smart: { contexts, resource: '{resourceType}', permission },
    fhir: { version, interaction },
    ...others,
  };
}

/** A route of the whole system, for scopes of every type. */
function whole(
  { version, prefix }: Edition,
  name: string,
  interaction: string,
  methods: readonly string[],
  rest: string,
  permission: string,
  more: Rest = {},
): RouteDocument {
  return {
    id: `${prefix}-${name}`,
    methods,
    path: `${BASE}${rest}`,
    smart: { contexts: STAFF, resource: '*', permission },
    fhir: { version, interaction },
    ...more,
  };
}

function interactionsOf(edition: Edition): readonly RouteDocument[] {
  const { version, prefix, media, patches } = edition;
  const body = { mediaTypes: [...media] };
  const conditional = { contexts: STAFF, query: TWICE };
  const patch = { mediaTypes: [...patches] };
  return [
    {
      id: `${prefix}-metadata`,
      methods: ['GET'],
      path: `${BASE}/metadata`,
      credential: 'anonymous',
      fhir: { version, interaction: 'capabilities' },
    },
    {
      id: `${prefix}-batch`,
      methods: ['POST'],
      path: BASE,
      fhir: { version, interaction: 'batch' },
      maxBodyBytes: 10_485_760,
      ...body,
    },
    typed(edition, 'read', 'read', ['GET'], '/{id}', 'r'),
    typed(edition, 'vread', 'vread', ['GET'], '/{id}/_history/{vid}', 'r'),
    typed(edition, 'history', 'history-instance', ['GET'], '/{id}/_history', 'r', { query: TWICE }),
    typed(edition, 'history-type', 'history-type', ['GET'], '/_history', 'r', {
      contexts: STAFF,
      query: TWICE,
    }),
    typed(edition, 'search', 'search-type', ['GET'], '', 's', { query: TWICE }),
    typed(edition, 'search-post', 'search-post', ['POST'], '/_search', 's', {
      query: TWICE,
      mediaTypes: FORM,
      introspection: 'never',
    }),
    {
      id: `${prefix}-compartment`,
      methods: ['GET'],
      path: `${BASE}/Patient/{id}/{resourceType}`,
      where: { resourceType: resourceTypes(version) },
      smart: { contexts: EVERYBODY, resource: '{resourceType}', permission: 's' },
      fhir: { version, interaction: 'compartment-search' },
      query: TWICE,
    },
    typed(edition, 'create', 'create', ['POST'], '', 'c', body),
    typed(edition, 'update', 'update', ['PUT'], '/{id}', 'u', body),
    typed(edition, 'delete', 'delete', ['DELETE'], '/{id}', 'd'),
    typed(edition, 'update-conditional', 'update-conditional', ['PUT'], '', 'cu', {
      ...conditional,
      ...body,
    }),
    typed(edition, 'delete-conditional', 'delete-conditional', ['DELETE'], '', 'd', conditional),
    ...(patches.length === 0
      ? []
      : [
          typed(edition, 'patch', 'patch', ['PATCH'], '/{id}', 'u', patch),
          typed(edition, 'patch-conditional', 'patch-conditional', ['PATCH'], '', 'u', {
            ...conditional,
            ...patch,
          }),
        ]),
    whole(edition, 'search-all', 'search-system', ['GET'], '', 's', {
      // Patients' apps turn pages by it.
      smart: { contexts: EVERYBODY, resource: '*', permission: 's' },
      query: TWICE,
    }),
    whole(edition, 'history-all', 'history-system', ['GET'], '/_history', 'r', { query: TWICE }),
  ];
}

const LEVEL_PATH: Readonly<Record<OperationLevel, string>> = { system: '', type: '', instance: '/{id}' };

/** Operations are for scopes that reach all of a type, but for a patient's own `$everything`. */
function operationRoute(
  edition: Edition,
  { name, type, writes }: OperationRow,
  level: OperationLevel,
): RouteDocument {
  const { version, prefix, media } = edition;
  const own = name === 'everything' && type === 'Patient' && level === 'instance';
  const about = type === '*' ? 'all' : type.toLowerCase();
  const every = type === '*' && level !== 'system';
  const path = level === 'system' ? '' : every ? '/{resourceType}' : `/${type}`;
  const permission = writes ? 'cruds' : 'rs';
  return {
    id: `${prefix}-${about}-${name}-${level}`,
    // A call by GET is only for what changes nothing (R4 §3.2.0.2).
    methods: writes ? ['POST'] : ['GET', 'POST'],
    path: `${BASE}${path}${LEVEL_PATH[level]}/$${name}`,
    ...(every ? { where: { resourceType: resourceTypes(version) } } : {}),
    smart: {
      contexts: own ? EVERYBODY : STAFF,
      resource: level === 'system' ? '*' : every ? '{resourceType}' : type,
      permission,
    },
    fhir: { version, interaction: `operation:${name}` },
    mediaTypes: [...media],
    query: TWICE,
  };
}

function graphql({ version, prefix, media }: Edition): RouteDocument {
  return {
    id: `${prefix}-graphql`,
    methods: ['GET', 'POST'],
    path: `${BASE}/$graphql`,
    smart: { contexts: STAFF, resource: '*', permission: 'rs' },
    fhir: { version, interaction: 'graphql' },
    mediaTypes: [...media, 'application/graphql'],
  };
}

function pack(edition: Edition, title: string, versions: readonly string[]): PolicyPack {
  const operations = edition.operations.flatMap((row) =>
    row.levels.map((level) => operationRoute(edition, row, level)),
  );
  const more = edition.version === 'R4' ? [graphql(edition)] : [];
  return Object.freeze({
    name: edition.prefix,
    title,
    versions,
    base: BASE,
    routes: Object.freeze([...interactionsOf(edition), ...operations, ...more]),
  });
}

const JSON_MEDIA = ['application/fhir+json', 'application/json'];
const PATCH_MEDIA = ['application/json-patch+json'];

export const FHIR_R4: PolicyPack = pack(
  {
    version: 'R4',
    prefix: 'fhir-r4',
    media: JSON_MEDIA,
    patches: [...PATCH_MEDIA, 'application/fhir+json'],
    operations: OPERATIONS_R4,
  },
  'FHIR R4: every interaction with every resource type, by SMART scopes',
  ['4.0.1', '4.0.*'],
);

export const FHIR_STU3: PolicyPack = pack(
  {
    version: 'STU3',
    prefix: 'fhir-stu3',
    media: JSON_MEDIA,
    patches: PATCH_MEDIA,
    operations: OPERATIONS_STU3,
  },
  'FHIR STU3: every interaction with every resource type, by SMART scopes',
  ['3.0.2', '3.0.*'],
);

export const FHIR_DSTU2: PolicyPack = pack(
  {
    version: 'DSTU2',
    prefix: 'fhir-dstu2',
    media: ['application/json+fhir', 'application/json'],
    patches: [],
    operations: OPERATIONS_DSTU2,
  },
  'FHIR DSTU2: every interaction with every resource type, by SMART scopes',
  ['1.0.2', '1.0.*'],
);
