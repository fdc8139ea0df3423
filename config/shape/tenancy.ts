import { DAYS } from '../../contracts/conditions.ts';
import type { Schema } from './schema.ts';
import { choice, duration, object, path } from './values.ts';

/** Lengths and characters that need no encoding anywhere. */
const VALUE: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 255,
  pattern: '^[A-Za-z0-9._~-]+$',
  errorMessage: 'must be 1 to 255 letters, digits, ".", "_", "~" or "-"',
};

const TIME_PATTERN = '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$';

/** How a tenant is kept apart from others behind the same EMR, and when it is open; properties of it. */
export const TENANCY: Readonly<Record<string, Schema>> = {
  tellBackend: {
    ...object(
      {
        title: 'Telling the back end',
        description:
          'For an EMR that serves several tenants: how it is told which one is meant. Only the gateway says it. Tenants of ' +
          'one back end all say it in the same way, each with a value of its own.',
      },
      {
        header: object(
          {
            title: 'In a header',
            description: 'Whatever a client sends under this name is dropped.',
          },
          {
            name: {
              type: 'string',
              description: 'Name of the header.',
              examples: ['X-Clinic'],
              pattern: '^[A-Za-z][A-Za-z0-9-]{0,62}$',
              errorMessage: 'must be a header name of letters, digits and "-", such as X-Clinic',
              'x-kind': 'header name',
            },
            value: { ...VALUE, description: 'What it says for this tenant.', examples: ['riverside'] },
          },
          ['name', 'value'],
        ),
        query: object(
          {
            title: 'In the query',
            description:
              'A request that has a parameter of this name, in its query or in a form, or one that some server takes for ' +
              'the same, is refused.',
          },
          {
            name: {
              type: 'string',
              description: 'Name of the parameter.',
              examples: ['site'],
              pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,62}$',
              errorMessage: 'must be a name of letters, digits, "_" and "-", such as site',
              'x-kind': 'parameter name',
            },
            value: { ...VALUE, description: 'What it says for this tenant.', examples: ['riverside'] },
          },
          ['name', 'value'],
        ),
        pathPrefix: {
          type: 'string',
          description:
            'Put before every path after the policy has decided, and taken off redirects and cookies. Policies and clients ' +
            'know nothing of it.',
          examples: ['/clinics/riverside'],
          pattern: '^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$',
          maxLength: 255,
          errorMessage:
            'must begin with "/", not end with it, and have segments of letters, digits, ".", "_", "~" and "-", such as /riverside',
          'x-kind': 'path',
        },
      },
    ),
    minProperties: 1,
  },
  ownRows: object(
    {
      title: 'Own rows',
      description:
        'For tenants that share a database: how the records of this one are known. In every JSON answer each record has to ' +
        'bear one of the marks: FHIR bundles and lists lose those that do not, anything else is hidden. Answers that are ' +
        'no JSON, and those to reads that hold nothing, redirects too, are hidden as well, unless the route says `rows: unchecked`.',
    },
    {
      marks: {
        type: 'array',
        title: 'Marks',
        description: 'Any one of them will do.',
        minItems: 1,
        maxItems: 16,
        items: object(
          {
            title: 'Mark',
            description:
              'Either `system` and `code`, a FHIR `meta.tag`; or `pointer` and `value`, any field.',
          },
          {
            system: {
              type: 'string',
              description: 'System of the tag.',
              examples: ['https://emr.example/clinics'],
              minLength: 1,
              maxLength: 512,
            },
            code: {
              type: 'string',
              description: 'Code of the tag.',
              examples: ['riverside'],
              minLength: 1,
              maxLength: 255,
            },
            pointer: {
              type: 'string',
              description: 'JSON pointer (RFC 6901) from the record.',
              examples: ['/managingOrganization/reference'],
              pattern: '^(/([^~]|~[01])*)+$',
              maxLength: 255,
              errorMessage: 'must be a JSON pointer such as /managingOrganization/reference',
              'x-kind': 'JSON pointer',
            },
            value: {
              type: 'string',
              description: 'The text that stands there, or the number in quotes.',
              examples: ['Organization/7'],
              minLength: 1,
              maxLength: 255,
            },
          },
        ),
      },
      shared: {
        type: 'array',
        description:
          'FHIR resource types that belong to nobody, besides CapabilityStatement and OperationOutcome, such as Medication.',
        examples: [['Medication']],
        maxItems: 64,
        uniqueItems: true,
        items: {
          type: 'string',
          pattern: '^[A-Z][A-Za-z]{1,63}$',
          errorMessage: 'must be a FHIR resource type such as Medication',
        },
      },
    },
    ['marks'],
  ),
  open: {
    type: 'array',
    title: 'Opening hours',
    description:
      'When its EMR is reached at all; at any other time everybody is told when it opens. One of the entries has to hold. ' +
      'Always, when it is left out.',
    minItems: 1,
    maxItems: 32,
    items: object(
      { title: 'Hours', description: 'Days and times by the clock of one place.' },
      {
        zone: {
          type: 'string',
          description: 'IANA name of the time zone.',
          examples: ['America/Chicago'],
          minLength: 1,
          maxLength: 64,
        },
        days: {
          type: 'array',
          description: 'Every day, when it is left out.',
          examples: [['mon', 'tue', 'wed', 'thu', 'fri']],
          minItems: 1,
          uniqueItems: true,
          items: choice({ description: 'A day.' }, DAYS),
        },
        from: {
          type: 'string',
          description: 'From this time on; `00:00` when it is left out.',
          examples: ['07:00'],
          pattern: TIME_PATTERN,
          errorMessage: 'must be a time in quotes, such as "08:00"',
        },
        to: {
          type: 'string',
          description: 'Until this time, `24:00` when it is left out. Before `from`: on the next day.',
          examples: ['19:00'],
          pattern: TIME_PATTERN,
          errorMessage: 'must be a time in quotes, such as "18:00", or "24:00"',
        },
        except: {
          type: 'array',
          description: 'Dates on which it does not open.',
          examples: [['2027-12-24']],
          maxItems: 366,
          uniqueItems: true,
          items: {
            type: 'string',
            pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
            errorMessage: 'must be a date in quotes, such as "2027-12-24"',
          },
        },
      },
      ['zone'],
    ),
  },
  maintenance: object(
    {
      title: 'Maintenance',
      description: 'While it is there, everybody is told this with status 503, and nothing reaches the EMR.',
    },
    {
      message: {
        type: 'string',
        description: 'What people are told; plain text.',
        examples: ['The portal is being updated and is back at 14:00.'],
        minLength: 1,
        maxLength: 1000,
      },
      page: path({
        description:
          'HTML file, at most 1 MiB, that browsers get in place of the message. It may hold styles and `data:` images; ' +
          'nothing else of it is loaded or run.',
        examples: ['pages/maintenance.html'],
      }),
      retryAfter: duration(
        {
          description: 'After which it is worth asking again.',
          default: '10m',
          examples: ['30m'],
        },
        '1s',
        '24h',
        '1s',
      ),
    },
    ['message'],
  ),
};
