import { METHODS, PATH_ODDITIES } from '../../contracts/facts.ts';
import { CAPTURE } from './policy-scopes.ts';
import type { Schema } from './schema.ts';
import { choice, name, object } from './values.ts';

/** What a route answers to. */
export const ROUTE_MATCHING = {
  id: name({ description: 'Name in logs and metrics, once per policy.', examples: ['fhir-read'] }),
  effect: choice(
    {
      description:
        '`deny`: what the route matches is denied while `roles` and `when` hold, whichever other route permits it; ' +
        'of deny rules every one counts. It has no keys but `methods`, `path`, `where`, `upgrade`, `roles`, `when`.',
      default: 'permit',
      examples: ['deny'],
    },
    ['permit', 'deny'],
  ),
  methods: {
    type: 'array',
    description: 'HTTP methods.',
    examples: [['GET', 'HEAD']],
    minItems: 1,
    uniqueItems: true,
    items: { type: 'string', enum: METHODS },
  },
  path: {
    type: 'string',
    description:
      'Path pattern. `{name}` takes one segment; a last `{name*}` takes the rest of the path. Matched on decoded segments.',
    examples: ['/fhir/{resourceType}/{id}'],
    pattern: '^/',
    maxLength: 1024,
    errorMessage: 'must be a path pattern that begins with "/", such as /fhir/{resourceType}/{id}',
    'x-kind': 'path pattern',
  },
  where: {
    type: 'object',
    title: 'Allowed values',
    description: 'Allowed values of captured segments, by name.',
    examples: [{ resourceType: ['Patient', 'Observation'] }],
    minProperties: 1,
    propertyNames: { pattern: CAPTURE },
    errorMessage: 'must be a mapping of captured segments to lists of their allowed values',
    additionalProperties: {
      type: 'array',
      description: 'Values this captured segment may have.',
      minItems: 1,
      uniqueItems: true,
      items: {
        type: 'string',
        minLength: 1,
        maxLength: 256,
        errorMessage: 'must be a text of 1 to 256 characters (put numbers in quotes)',
      },
    },
  },
} as const satisfies Readonly<Record<string, Schema>>;

/** How the path, the query and the method may be written. */
export const ROUTE_SPELLING = {
  allow: {
    type: 'array',
    description:
      'Spellings in captured segments that are refused elsewhere because servers read them in different ways ' +
      '([canonical-requests.md](canonical-requests.md)). The policy sees the segment as it is sent on; make sure that ' +
      'the EMR reads it so too.',
    examples: [['encoded-slash']],
    minItems: 1,
    uniqueItems: true,
    items: { type: 'string', enum: PATH_ODDITIES },
  },
  methodOverride: {
    type: 'array',
    description:
      'Methods that the field `_method` of a form, multipart or JSON body may name, for an EMR whose pages change ' +
      'records so. It then acts on that method while the policy sees a POST: what the route permits, it permits for ' +
      'each of these. Unless given, a body with such a field is refused; in a query it always is.',
    examples: [['PUT', 'DELETE']],
    minItems: 1,
    uniqueItems: true,
    items: { type: 'string', enum: ['PUT', 'PATCH', 'DELETE'] },
  },
  query: object(
    {
      title: 'Query',
      description: 'How query parameters may be written.',
    },
    {
      duplicates: choice(
        {
          description:
            '`refuse`: a name that stands there twice is refused, since some servers take the first value, some the ' +
            'last, some both. Unless given: `allow` with `smart` or `fhir`, where each of them must hold, otherwise `refuse`.',
          examples: ['allow'],
        },
        ['refuse', 'allow'],
      ),
      brackets: choice(
        {
          description:
            '`allow`: names such as `tag[]` and `tag[x]`, which PHP and others read as lists. `refuse` unless given.',
          examples: ['allow'],
        },
        ['refuse', 'allow'],
      ),
    },
  ),
} as const satisfies Readonly<Record<string, Schema>>;
