import {
  ACCOUNT_EVENTS,
  ACCOUNT_STATUSES,
  REQUEST_ACTIONS,
  REQUEST_STATES,
} from '../../identity/accounts/index.ts';
import { PROBLEM_NAMES } from './problems.ts';
import type { JsonSchema } from './types.ts';

const text = (maxLength: number, more: JsonSchema = {}): JsonSchema => ({
  type: 'string',
  minLength: 1,
  maxLength,
  ...more,
});
const ID = text(64, { pattern: '^[A-Za-z0-9_-]+$' });
const NAME = text(63, { pattern: '^[a-z](?:[a-z0-9-]*[a-z0-9])?$' });
const LOGIN = text(128);
const TIME: JsonSchema = { type: 'string', format: 'date-time' };
const VERSION: JsonSchema = { type: 'integer', minimum: 0 };
const list = (items: JsonSchema, maxItems: number, more: JsonSchema = {}): JsonSchema => ({
  type: 'array',
  maxItems,
  items,
  ...more,
});
const set = (items: JsonSchema, maxItems: number, minItems = 0): JsonSchema =>
  list(items, maxItems, { minItems, uniqueItems: true });
const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

/** Closed: what is not in the description is neither taken nor given. */
const object = (
  properties: Readonly<Record<string, JsonSchema>>,
  optional: readonly string[] = [],
  description?: string,
): JsonSchema => ({
  type: 'object',
  ...(description === undefined ? {} : { description }),
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});

const page = (items: string): JsonSchema =>
  object(
    {
      items: list(ref(items), 200),
      next: { ...text(191), description: 'Give it as `after` for the next page. Absent on the last.' },
    },
    ['next'],
  );

const PERSON = { login: LOGIN, name: text(120) };
const GRANTS = {
  roles: set(text(63), 20, 1),
  patients: set(text(64, { pattern: '^[A-Za-z0-9.-]+$' }), 50),
  fhirUser: text(82, { description: 'FHIR reference of the person, such as `Practitioner/17`.' }),
};

/** Every schema of the description, by name. */
export const SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Organisation: object({
    id: NAME,
    status: { enum: ACCOUNT_STATUSES },
    createdAt: TIME,
  }),
  OrganisationPage: page('Organisation'),
  NewOrganisation: object({
    name: NAME,
    administrators: list(object(PERSON), 10, { minItems: 2 }),
  }),
  OrganisationAsked: object(
    {
      organisation: NAME,
      accounts: list(ref('Account'), 10),
      request: ref('Request'),
      codes: list(ref('Code'), 10),
    },
    ['request'],
  ),
  Account: object(
    {
      id: ID,
      version: VERSION,
      organisation: NAME,
      ...PERSON,
      status: { enum: ACCOUNT_STATUSES },
      enrolled: { type: 'boolean', description: 'Has set a password.' },
      ...GRANTS,
      behind: {
        ...list(text(64), 2),
        description:
          'Who asked for it and who approved it; empty for what was made before there was anybody to approve.',
      },
      createdAt: TIME,
    },
    ['fhirUser'],
  ),
  AccountPage: page('Account'),
  AccountDetails: object(
    {
      account: ref('Account'),
      password: object({ set: { type: 'boolean' }, mustChange: { type: 'boolean' }, changedAt: TIME }, [
        'changedAt',
      ]),
      lockedForSeconds: { type: 'integer', minimum: 1 },
      requests: list(ref('Request'), 500),
    },
    ['lockedForSeconds'],
  ),
  NewAccount: object({ ...PERSON, ...GRANTS }, ['patients', 'fhirUser']),
  Grants: object(GRANTS, ['patients', 'fhirUser']),
  AccountAsked: object({ account: ref('Account'), request: ref('Request'), codes: list(ref('Code'), 1) }, [
    'request',
  ]),
  Request: object(
    {
      id: ID,
      organisation: NAME,
      action: { enum: REQUEST_ACTIONS },
      subject: text(64),
      requestedBy: text(64),
      requestedAt: TIME,
      expiresAt: TIME,
      state: { enum: REQUEST_STATES },
      decidedBy: text(64),
      decidedAt: TIME,
      change: {
        type: 'object',
        description: 'What is asked for: roles, patients and FHIR person of an account, scopes of a role.',
      },
    },
    ['decidedBy', 'decidedAt'],
  ),
  RequestPage: page('Request'),
  Asked: object({ request: ref('Request'), codes: list(ref('Code'), 1) }),
  Decided: object({ request: ref('Request'), codes: list(ref('Code'), 10) }),
  Code: object(
    {
      account: ID,
      login: LOGIN,
      part: { enum: ['first half', 'second half', 'whole code'] },
      text: text(80),
    },
    [],
    'One half of a one-time code, shown this once, to be given to the person whose account it is. Whoever asked has the first half, whoever approved the second: neither can enrol in the place of that person.',
  ),
  Role: object({ organisation: NAME, name: NAME, version: VERSION, scopes: set(text(200), 100) }),
  RolePage: page('Role'),
  NewRole: object({ scopes: set(text(200, { pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$' }), 100) }),
  Event: object({
    id: text(64),
    what: { enum: ACCOUNT_EVENTS },
    subject: text(64),
    actor: text(64),
    at: TIME,
    details: { type: 'object' },
  }),
  EventPage: page('Event'),
  Problem: object(
    {
      type: { enum: PROBLEM_NAMES.map((name) => `urn:chartgate:problem:${name}`) },
      title: text(200),
      status: { type: 'integer', minimum: 400, maximum: 599 },
      detail: text(200),
      faults: list(object({ at: text(300), message: text(300) }), 100),
      requestId: text(64),
    },
    ['detail', 'faults'],
    'RFC 9457.',
  ),
};
