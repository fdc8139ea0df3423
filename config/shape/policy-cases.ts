import { DENIALS } from '../../contracts/policy.ts';
import { REASONS } from '../../contracts/reasons.ts';
import { DRAFT, type Schema } from './schema.ts';
import { choice, flag, name, object, path } from './values.ts';

const text = (description: string, example: string, longest: number): Schema => ({
  type: 'string',
  description,
  examples: [example],
  minLength: 1,
  maxLength: longest,
});

const CASE = object(
  { title: 'Case', description: 'One made-up request and what is expected.' },
  {
    name: text('What the case shows.', 'a patient reads the own record', 200),
    as: text(
      'Who asks, in the words of `chartgate policy explain --as`.',
      'scope:patient/*.rs patient:1',
      4096,
    ),
    request: text('Method and path.', 'GET /fhir/Patient/1', 8192),
    at: text('When, with its zone.', '2027-01-31T08:30:00Z', 40),
    from: text("The client's address.", '192.0.2.1', 64),
    headers: {
      type: 'object',
      title: 'Headers',
      description: 'Request headers.',
      examples: [{ 'x-app': 'portal' }],
      additionalProperties: { type: 'string', description: 'Its value.' },
    },
    certificate: flag({ description: 'The connection has a client certificate.', examples: [true] }),
    upgrade: flag({ description: 'The request asks for a WebSocket.', examples: [true] }),
    expect: choice({ description: '`permit`, or how it is denied.', examples: ['permit'] }, [
      'permit',
      ...DENIALS,
    ]),
    route: name({ description: 'The route that has to match.', examples: ['patient-read'] }),
    reasons: {
      type: 'array',
      description: 'Reasons that have to be given, whether they held or not.',
      examples: [['scope-missing']],
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', enum: REASONS },
    },
  },
  ['name', 'as', 'request', 'expect'],
);

/** A file for `chartgate policy test`. */
export const POLICY_CASES_SCHEMA: Schema = {
  $schema: DRAFT,
  $id: 'urn:chartgate:schema:policy-cases',
  ...object(
    { title: 'Policy cases', description: 'A table of made-up requests for `chartgate policy test`.' },
    {
      policy: path({ description: 'The policy file.', examples: ['clinic.yaml'] }),
      cases: {
        type: 'array',
        title: 'Cases',
        description: 'The cases.',
        minItems: 1,
        maxItems: 10_000,
        items: CASE,
      },
    },
    ['policy', 'cases'],
  ),
};
