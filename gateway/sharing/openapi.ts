/** OpenAPI 3.1 description of what below `/.chartgate/` concerns consents and emergency access. */

type Node = Readonly<Record<string, unknown>>;

const id = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: '^[0-9a-f-]{36}$' },
};
const patient = {
  name: 'patient',
  in: 'query',
  description: "The patient's id; needed of staff, given by the token of a patient.",
  schema: { type: 'string', pattern: '^[A-Za-z0-9.-]{1,64}$' },
};
const ref = (name: string): Node => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: Node, type = 'application/json'): Node => ({ content: { [type]: { schema } } });
const PROBLEM: Node = { description: 'RFC 9457.', ...json(ref('Problem'), 'application/problem+json') };

interface Described {
  readonly operationId: string;
  readonly summary: string;
  readonly scopes: readonly string[];
  readonly status: number;
  readonly gives: Node;
  readonly givesType?: string;
  readonly takes?: Node;
  readonly takesType?: string;
  readonly parameters?: readonly Node[];
  readonly problems: readonly number[];
}

function operation(about: Described): Node {
  const { operationId, summary, scopes, status, gives, takes, parameters, problems } = about;
  return {
    operationId,
    summary,
    security: scopes.length === 0 ? [{ token: [] }] : scopes.map((scope) => ({ token: [scope] })),
    ...(parameters === undefined ? {} : { parameters }),
    ...(takes === undefined ? {} : { requestBody: { required: true, ...json(takes, about.takesType) } }),
    responses: {
      [status]: { description: 'Done.', ...json(gives, about.givesType) },
      ...Object.fromEntries([401, 403, 429, 503, ...problems].map((code) => [code, PROBLEM])),
    },
  };
}

const OWN_OR_STAFF = ['chartgate/consent.own', 'chartgate/consent.manage'];
const REVIEW = ['chartgate/emergency.review'];
const FHIR = 'application/fhir+json';
const FHIR_CONSENT: Node = {
  type: 'object',
  description: 'FHIR R4 Consent. An element whose meaning could not be enforced is refused by its place.',
};

const PATHS: Node = {
  '/.chartgate/consents': {
    get: operation({
      operationId: 'listConsents',
      summary: "A patient's consents, the newest first, those that have ended too",
      scopes: OWN_OR_STAFF,
      parameters: [
        patient,
        { name: 'state', in: 'query', schema: { enum: ['in-force', 'not-yet', 'ended', 'withdrawn'] } },
      ],
      status: 200,
      gives: {
        type: 'object',
        required: ['consents'],
        properties: { consents: { type: 'array', items: ref('Consent') } },
      },
      problems: [400, 404],
    }),
    post: operation({
      operationId: 'grantConsent',
      summary: 'Grant somebody access to parts of a record, until a date',
      scopes: OWN_OR_STAFF,
      takes: ref('NewConsent'),
      status: 201,
      gives: ref('Consent'),
      problems: [400, 413, 415, 422],
    }),
  },
  '/.chartgate/consents/{id}': {
    get: operation({
      operationId: 'showConsent',
      summary: 'One consent',
      scopes: OWN_OR_STAFF,
      parameters: [id],
      status: 200,
      gives: ref('Consent'),
      problems: [404],
    }),
  },
  '/.chartgate/consents/{id}/withdraw': {
    post: operation({
      operationId: 'withdrawConsent',
      summary: 'Withdraw it; acts everywhere within a second',
      scopes: OWN_OR_STAFF,
      parameters: [id],
      status: 200,
      gives: ref('Consent'),
      problems: [404],
    }),
  },
  '/.chartgate/fhir/Consent': {
    get: operation({
      operationId: 'searchFhirConsents',
      summary: 'The same as a FHIR R4 searchset',
      scopes: OWN_OR_STAFF,
      parameters: [patient, { name: 'status', in: 'query', schema: { enum: ['active', 'inactive'] } }],
      status: 200,
      gives: { type: 'object', description: 'FHIR R4 Bundle.' },
      givesType: FHIR,
      problems: [400, 404],
    }),
    post: operation({
      operationId: 'createFhirConsent',
      summary: 'Grant by a FHIR R4 Consent',
      scopes: OWN_OR_STAFF,
      takes: FHIR_CONSENT,
      takesType: FHIR,
      status: 201,
      gives: FHIR_CONSENT,
      givesType: FHIR,
      problems: [400, 413, 415, 422],
    }),
  },
  '/.chartgate/fhir/Consent/{id}': {
    get: operation({
      operationId: 'readFhirConsent',
      summary: 'One consent as FHIR R4 Consent',
      scopes: OWN_OR_STAFF,
      parameters: [id],
      status: 200,
      gives: FHIR_CONSENT,
      givesType: FHIR,
      problems: [404],
    }),
  },
  '/.chartgate/emergency': {
    get: operation({
      operationId: 'showOwnEmergency',
      summary: 'Own emergency access that is in force',
      scopes: [],
      status: 200,
      gives: {
        type: 'object',
        required: ['emergency'],
        properties: { emergency: { anyOf: [ref('Emergency'), { type: 'null' }] } },
      },
      problems: [],
    }),
    post: operation({
      operationId: 'beginEmergency',
      summary: 'Break the glass: more scopes for a short time, alarmed at once and reviewed afterwards',
      scopes: [],
      takes: {
        type: 'object',
        required: ['reason'],
        additionalProperties: false,
        properties: { reason: { type: 'string', minLength: 10, maxLength: 500 } },
      },
      status: 201,
      gives: ref('Emergency'),
      problems: [400, 409, 413, 415, 422],
    }),
  },
  '/.chartgate/emergency/end': {
    post: operation({
      operationId: 'endOwnEmergency',
      summary: 'End it early',
      scopes: [],
      status: 200,
      gives: { type: 'object' },
      problems: [404],
    }),
  },
  '/.chartgate/emergencies': {
    get: operation({
      operationId: 'listEmergencies',
      summary: 'Emergency accesses of the tenant, the newest first, with their reasons and reviews',
      scopes: REVIEW,
      status: 200,
      gives: {
        type: 'object',
        required: ['emergencies'],
        properties: { emergencies: { type: 'array', items: ref('ReviewedEmergency') } },
      },
      problems: [404],
    }),
  },
  '/.chartgate/emergencies/{id}': {
    get: operation({
      operationId: 'showEmergency',
      summary: 'One of them',
      scopes: REVIEW,
      parameters: [id],
      status: 200,
      gives: ref('ReviewedEmergency'),
      problems: [404],
    }),
  },
  '/.chartgate/emergencies/{id}/review': {
    post: operation({
      operationId: 'reviewEmergency',
      summary: 'Sign a verdict; nobody reviews their own',
      scopes: REVIEW,
      parameters: [id],
      takes: {
        type: 'object',
        required: ['verdict'],
        additionalProperties: false,
        properties: {
          verdict: { enum: ['justified', 'unjustified', 'unclear'] },
          note: { type: 'string', maxLength: 500 },
        },
      },
      status: 200,
      gives: ref('ReviewedEmergency'),
      problems: [400, 404, 409, 413, 415, 422],
    }),
  },
  '/.chartgate/emergencies/{id}/end': {
    post: operation({
      operationId: 'endEmergency',
      summary: "End somebody's emergency access",
      scopes: REVIEW,
      parameters: [id],
      status: 200,
      gives: ref('Emergency'),
      problems: [404],
    }),
  },
};

const time: Node = { type: 'string', format: 'date-time' };
const tenant: Node = { type: 'string', pattern: '^[a-z][a-z0-9-]{0,62}$' };
const codes = (pattern: string, minItems: number, maxItems: number): Node => ({
  type: 'array',
  minItems,
  maxItems,
  items: { type: 'string', pattern },
});
const parts: Node = {
  patient: { type: 'string', pattern: '^[A-Za-z0-9.-]{1,64}$' },
  grantee: ref('Grantee'),
  resourceTypes: {
    ...codes('^(\\*|[A-Z][A-Za-z]{0,63})$', 1, 100),
    description: 'FHIR resource types; `*` alone: every type.',
  },
  categories: {
    ...codes('^\\S{1,64}$', 0, 50),
    description: 'Codes of `category`; none: whatever category.',
  },
  actions: { type: 'array', minItems: 1, items: { enum: ['read', 'write'] } },
  from: time,
  until: time,
};
const act: Node = {
  type: 'object',
  required: ['basis', 'at'],
  properties: {
    basis: { enum: ['patient', 'staff', 'host'] },
    at: time,
    issuer: { type: 'string' },
    subject: { type: 'string' },
  },
};
const emergency: Node = {
  id: { type: 'string' },
  scopes: { type: 'array', items: { type: 'string' } },
  begunAt: time,
  until: time,
};

const SCHEMAS: Node = {
  Grantee: {
    oneOf: [
      {
        type: 'object',
        required: ['kind', 'issuer', 'subject'],
        additionalProperties: false,
        properties: {
          kind: { const: 'person' },
          issuer: { type: 'string', format: 'uri' },
          subject: { type: 'string', minLength: 1, maxLength: 255 },
        },
      },
      {
        type: 'object',
        required: ['kind', 'tenant', 'role'],
        additionalProperties: false,
        properties: { kind: { const: 'role' }, tenant, role: { type: 'string', maxLength: 128 } },
      },
      {
        type: 'object',
        required: ['kind', 'tenant'],
        additionalProperties: false,
        properties: { kind: { const: 'organisation' }, tenant },
      },
    ],
  },
  NewConsent: {
    type: 'object',
    required: ['patient', 'grantee', 'resourceTypes', 'actions', 'until'],
    additionalProperties: false,
    properties: parts,
  },
  Consent: {
    type: 'object',
    properties: {
      id: { type: 'string' },
      state: { enum: ['in-force', 'not-yet', 'ended', 'withdrawn'] },
      ...parts,
      granted: act,
      withdrawn: { anyOf: [act, { type: 'null' }] },
    },
  },
  Emergency: { type: 'object', properties: emergency },
  ReviewedEmergency: {
    type: 'object',
    properties: {
      ...emergency,
      issuer: { type: 'string' },
      subject: { type: 'string' },
      client: { type: ['string', 'null'] },
      by: { enum: ['session', 'bearer'] },
      endedBy: { enum: ['holder', 'reviewer', null] },
      reason: { type: ['string', 'null'] },
      reviews: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            issuer: { type: 'string' },
            subject: { type: 'string' },
            name: { type: ['string', 'null'] },
            verdict: { enum: ['justified', 'unjustified', 'unclear'] },
            note: { type: 'string' },
            at: time,
          },
        },
      },
    },
  },
  Problem: {
    type: 'object',
    required: ['title', 'status'],
    properties: {
      type: { const: 'about:blank' },
      title: { type: 'string' },
      status: { type: 'integer' },
      requestId: { type: 'string' },
      faults: {
        type: 'array',
        items: {
          type: 'object',
          required: ['at', 'message'],
          properties: { at: { type: 'string' }, message: { type: 'string' } },
        },
      },
    },
  },
};

export const SHARING_DESCRIPTION: Node = Object.freeze({
  openapi: '3.1.0',
  info: {
    title: 'Chartgate: consents and emergency access',
    version: '1',
    description:
      'With an access token for the tenant. A patient grants, sees and withdraws what others may reach of the record; ' +
      'staff record what patients signed on paper.',
  },
  paths: PATHS,
  components: {
    schemas: SCHEMAS,
    securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
  },
});
