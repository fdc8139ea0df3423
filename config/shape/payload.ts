import { FIELD_TYPES } from '../../contracts/payload.ts';
import type { Schema } from './schema.ts';
import { choice, flag, integer, object, path, size } from './values.ts';

const LIMIT = 'at most 4 MiB';

const FIELD: Schema = object(
  { title: 'Field', description: 'What one field may be.' },
  {
    type: choice(
      {
        description:
          'What its values are. `text` may have several lines, `line` has one; `word` is letters, digits, `_`, `.` and ' +
          '`-`, `id` the same up to 64; `date` is YYYY-MM-DD, `date-time` has a time as well. Types but `text` and ' +
          '`line` leave no room for an injection.',
        examples: ['integer'],
      },
      FIELD_TYPES,
    ),
    required: flag({ description: 'It must be there.', default: false, examples: [true] }),
    repeated: flag({ description: 'It may be there more than once.', default: false, examples: [true] }),
    maxLength: integer(
      { description: 'Characters, at most; 255 for `line`, 65536 for `text` unless given.', examples: [80] },
      1,
      16_777_216,
    ),
    minimum: integer({ description: 'Of numbers: the least.', examples: [0] }, -2_147_483_648, 2_147_483_647),
    maximum: integer(
      { description: 'Of numbers: the most.', examples: [150] },
      -2_147_483_648,
      2_147_483_647,
    ),
    values: {
      type: 'array',
      description: 'Of `enum`: the values.',
      examples: [['morning', 'evening']],
      minItems: 1,
      maxItems: 1000,
      uniqueItems: true,
      items: { type: 'string', maxLength: 256 },
    },
    mediaTypes: {
      type: 'array',
      description:
        'Of `file`: what its content may be, whatever its name and declared type say. Recognised by their first ' +
        'bytes: the types that docs/payloads.md lists.',
      examples: [['application/pdf', 'image/jpeg']],
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', maxLength: 128 },
    },
    maxBytes: size({ description: 'Of `file`: the largest.', examples: ['5MiB'] }, '1B', '10GiB'),
  },
  ['type'],
);

const fields = (title: string, description: string, example: unknown): Schema => ({
  type: 'object',
  title,
  description,
  examples: [example],
  minProperties: 1,
  additionalProperties: FIELD,
});

/** What a route's payloads must be. */
export const PAYLOAD: Schema = object(
  {
    title: 'Payload',
    description:
      'What the payloads of this route must be, besides what FHIR demands on a FHIR route. Relative paths start at the ' +
      "policy's folder.",
  },
  {
    schema: path({
      description: `JSON Schema (draft 2020-12) in a JSON file, ${LIMIT}: JSON bodies must satisfy it.`,
      examples: ['schemas/appointment.schema.json'],
    }),
    xsd: {
      type: 'array',
      description:
        `XML Schemas, ${LIMIT} each: XML bodies must satisfy the first; the others are what it includes or imports, by ` +
        'their file names. Nothing else is ever loaded.',
      examples: [['schemas/script.xsd']],
      minItems: 1,
      maxItems: 64,
      items: path({ description: 'An XML Schema.', examples: ['schemas/script.xsd'] }),
    },
    openapi: path({
      description: `OpenAPI 3.1 document, YAML or JSON, ${LIMIT}: paths, parameters and bodies must be as it describes them.`,
      examples: ['schemas/emr.openapi.yaml'],
    }),
    fields: fields(
      'Fields',
      'Fields of forms and parts of multipart bodies, by name. No others may be there.',
      {
        note: { type: 'text', maxLength: 2000 },
      },
    ),
    parameters: fields('Parameters', 'Parameters of the query, by name. No others may be there.', {
      pid: { type: 'integer', required: true },
    }),
    lengths: path({
      description:
        'YAML file with the number of characters that the back end can hold, by name of a parameter, field or member. ' +
        '`chartgate policy lengths` writes one out of a database schema.',
      examples: ['schemas/lengths.yaml'],
    }),
    searchParameters: {
      type: 'object',
      title: 'Search parameters',
      description:
        'On a FHIR route: search parameters that the back end has besides the published ones, with their types.',
      examples: [{ 'external-id': 'token' }],
      minProperties: 1,
      additionalProperties: choice({ description: 'Type of the parameter.', examples: ['token'] }, [
        'number',
        'date',
        'string',
        'token',
        'reference',
        'composite',
        'quantity',
        'uri',
        'special',
      ]),
    },
    acceptInvalidFhir: flag({
      description:
        'Dangerous: on a FHIR route, pass what is no valid FHIR. The back end gets what it may not understand; say this ' +
        'only of one that demands something else.',
      default: false,
      examples: [false],
    }),
  },
);
