import { REQUEST_STATES } from '../../identity/accounts/index.ts';
import { OPERATIONS } from './operations.ts';
import { OWN_PROBLEMS, RULE_PROBLEMS } from './problems.ts';
import { SCHEMAS } from './schemas.ts';
import type { JsonSchema, Operation } from './types.ts';

export const DESCRIPTION_PATH = '/admin/openapi.json';
export const MOST_PER_PAGE = 200;
export const USUAL_PER_PAGE = 50;

/** Query parameters, by name, as JSON Schema of what they are once they were read. */
export const QUERY_SCHEMAS = {
  limit: { type: 'integer', minimum: 1, maximum: MOST_PER_PAGE, default: USUAL_PER_PAGE },
  after: { type: 'string', minLength: 1, maxLength: 191, pattern: '^[\\x21-\\x7e]+$' },
  state: { enum: REQUEST_STATES },
} as const;
export type QueryName = keyof typeof QUERY_SCHEMAS;

const QUERY_WORDS: Readonly<Record<QueryName, string>> = {
  limit: 'At most so many.',
  after: '`next` of the page before.',
  state: 'Only those in this state.',
};

export function queryNames(operation: Operation): readonly QueryName[] {
  return [
    ...(operation.paged ? (['limit', 'after'] as const) : []),
    ...(operation.byState ? (['state'] as const) : []),
  ];
}

/** Statuses that every operation that needs a token can have. */
const COMMON_PROBLEMS = [400, 401, 403, 500, 503];

export function problemStatuses(operation: Operation): readonly number[] {
  const common = operation.scope === undefined ? [500] : COMMON_PROBLEMS;
  const body = operation.takes === undefined ? [] : [413, 415];
  return [...new Set([...common, ...operation.problems, ...body])].toSorted((a, b) => a - b);
}

const titles = (status: number): string =>
  [...Object.values(OWN_PROBLEMS), ...Object.values(RULE_PROBLEMS)]
    .filter(([code]) => code === status)
    .map(([, title]) => title)
    .join(' Or: ');

const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

const PRECONDITIONS: Readonly<Record<NonNullable<Operation['precondition']>, readonly JsonSchema[]>> = {
  'if-match': [ifMatch(true)],
  'if-match-or-new': [
    ifMatch(false),
    {
      name: 'If-None-Match',
      in: 'header',
      description: 'Only if there is none yet. Either this or `If-Match`.',
      schema: { const: '*' },
    },
  ],
};

function ifMatch(required: boolean): JsonSchema {
  return {
    name: 'If-Match',
    in: 'header',
    required,
    description: 'The version that you have looked at, in quotation marks, as `ETag` gave it.',
    schema: { type: 'string', pattern: '^"[0-9]{1,16}"$' },
  };
}

function describe(operation: Operation): JsonSchema {
  const { id, summary, description, scope, precondition, takes, gives, path } = operation;
  const [status, schema] = gives;
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  return {
    operationId: id,
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: [
      ...names.map((name) => ({
        name,
        in: 'path',
        required: true,
        schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' },
      })),
      ...queryNames(operation).map((name) => ({
        name,
        in: 'query',
        description: QUERY_WORDS[name],
        schema: QUERY_SCHEMAS[name],
      })),
      ...(precondition === undefined ? [] : PRECONDITIONS[precondition]),
    ],
    ...(takes === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: ref(takes) } } } }),
    responses: {
      [status]: {
        description: status === 202 ? 'Asked for; it waits for a second person.' : 'Done.',
        ...(schema === undefined ? {} : { content: { 'application/json': { schema: ref(schema) } } }),
      },
      ...Object.fromEntries(
        problemStatuses(operation).map((code) => [
          code,
          {
            description: titles(code),
            content: { 'application/problem+json': { schema: ref('Problem') } },
          },
        ]),
      ),
    },
    security: scope === undefined ? [] : [{ issuer: [scope] }],
  };
}

function paths(): JsonSchema {
  const all: Record<string, Record<string, JsonSchema>> = {};
  for (const operation of OPERATIONS) {
    all[operation.path] = { ...all[operation.path], [operation.method.toLowerCase()]: describe(operation) };
  }
  return all;
}

/**
 * The description of the interface, OpenAPI 3.1. Requests and answers are validated against the same schemas.
 * @param issuer URL of the embedded issuer
 */
export function openApi(issuer: string): JsonSchema {
  const scopes = [...new Set(OPERATIONS.flatMap(({ scope }) => scope ?? []))].toSorted();
  return {
    openapi: '3.1.0',
    info: {
      title: 'Chartgate accounts',
      version: '1',
      description:
        'Accounts, organisations and roles of the embedded issuer. What gives somebody rights takes two people: one asks, another approves.',
    },
    servers: [{ url: issuer }],
    paths: paths(),
    components: {
      schemas: SCHEMAS,
      securitySchemes: {
        issuer: {
          type: 'oauth2',
          description: `Access tokens with the audience ${issuer} (RFC 8707), of a sign-in with a second factor.`,
          flows: {
            authorizationCode: {
              authorizationUrl: `${issuer}/authorize`,
              tokenUrl: `${issuer}/token`,
              scopes: Object.fromEntries(scopes.map((scope) => [scope, scope.replace('admin/', '')])),
            },
          },
        },
      },
    },
  };
}
