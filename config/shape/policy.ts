import { HIDE_CLASSES } from '../../contracts/policy.ts';
import { ANSWERS } from './answers.ts';
import { ROUTE_LIMITS } from './limits.ts';
import { ROUTE_INSPECTION } from './policy-inspection.ts';
import { ROUTE_MATCHING, ROUTE_SPELLING } from './policy-matching.ts';
import { ROUTE_WHO } from './policy-who.ts';
import { EXTENDS, ROLES, SEPARATE } from './policy-wide.ts';
import { DRAFT, type Schema } from './schema.ts';
import { choice, duration, durationOr, flag, name, object, size } from './values.ts';

const ROUTE = object(
  { title: 'Route', description: 'One rule of the table. What no route permits is denied.' },
  {
    ...ROUTE_MATCHING,
    ...ROUTE_WHO,
    integrity: object(
      {
        title: 'Integrity demand',
        description:
          "How fresh the proof must be that the EMR database's audit is intact. Unless given: `bounded` by 1s where " +
          'all methods are safe, it is no WebSocket and does not say `writes`, otherwise `strict`.',
      },
      {
        mode: choice(
          {
            description:
              '`strict`: a probe that began after the request arrived, for writes another before the answer. ' +
              '`bounded`: one not older than `maxAge`, safe methods only. `off`: none, for anonymous static files only.',
            examples: ['strict'],
          },
          ['strict', 'bounded', 'off'],
        ),
        maxAge: duration({ description: 'For `bounded`; 1s unless given.', examples: ['1s'] }, '1ms', '1m'),
      },
      ['mode'],
    ),
    hide: choice(
      {
        description:
          '`record`: absent, forbidden, deleted and refused are one 404. `collection`: the same for creating and ' +
          'searching, as one 422. `none`: nothing to hide. Unless given: `none`, but on a route that names a ' +
          'patient `record` (by capture) or `collection` (by parameter).',
        examples: ['record'],
      },
      HIDE_CLASSES,
    ),
    hideDeadline: durationOr(
      'learned',
      {
        description:
          'When a hidden answer is released, from arrival, or `learned` from the back end; `hiding.deadline` of the ' +
          'gateway unless given.',
        examples: ['200ms', 'learned'],
      },
      '1ms',
      '1m',
    ),
    lookFirst: flag({
      description:
        'With `hide: record`, before PUT, PATCH and DELETE: the back end is asked by GET of the same path, and what is not ' +
        'answered with 200 is hidden and never sent. For back ends that answer the deletion of what is absent with a ' +
        'success, or create what is changed and absent. Unless given: true where FHIR resources are deleted.',
      examples: [true],
    }),
    ...ROUTE_LIMITS,
    maxBody: size(
      {
        description:
          'Largest request body; `0B`: none. Unless given: 1MiB with POST, PUT or PATCH, otherwise none.',
        examples: ['1MB'],
      },
      '0B',
      '10GiB',
    ),
    mediaTypes: {
      type: 'array',
      description: 'Media types a request body may have, without parameters.',
      examples: [['application/fhir+json', 'application/json']],
      minItems: 1,
      uniqueItems: true,
      items: {
        type: 'string',
        pattern: '^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$',
        errorMessage: 'must be a media type in lower case without parameters, such as application/json',
        'x-kind': 'media type',
      },
    },
    backendTimeout: duration(
      {
        description: "Until the back end's answer must have begun.",
        default: '30s',
        examples: ['10s'],
      },
      '1ms',
      '24h',
    ),
    upgrade: choice({ description: 'The route is a WebSocket.', examples: ['websocket'] }, ['websocket']),
    ...ROUTE_SPELLING,
    sharing: choice(
      {
        description:
          '`consent`: what the route reaches may be shared. People of partners (`sharing.partners` of the tenant), and ' +
          'whoever holds `patient/` scopes of another patient, get at it while the consent of the patient whose record it ' +
          'is is in force. Needs `smart`, and `patient` or `fhir`. Unless given, people of partners get nothing of it.',
        examples: ['consent'],
      },
      ['consent'],
    ),
    rows: choice(
      {
        description:
          '`unchecked`: where a tenant says how its rows are known (`ownRows`), answers of this route are passed all the ' +
          'same, such as pages, pictures and tunnels, which hold no rows that could be looked at. Whether the EMR keeps ' +
          'tenants apart there is then up to the EMR.',
        examples: ['unchecked'],
      },
      ['unchecked'],
    ),
    writes: flag({
      description:
        'The route changes something although its methods are safe ones, as a page of an old EMR that saves by GET: ' +
        'it is treated as a write, attested before and again afterwards.',
      default: false,
      examples: [true],
    }),
    contentSecurityPolicy: object(
      { title: 'Content-Security-Policy', description: "The header of that name on this route's answers." },
      {
        value: {
          type: 'string',
          description: 'The policy.',
          examples: ["default-src 'self'"],
          minLength: 1,
          maxLength: 4096,
          pattern: '^[ -~]+$',
          errorMessage: 'must be the text of the header in printable ASCII, on one line',
        },
        reportOnly: flag({
          description: 'Only report what would be blocked, for old pages that are being found out about.',
          default: false,
          examples: [false],
        }),
      },
      ['value'],
    ),
    answers: ANSWERS,
    inspect: ROUTE_INSPECTION,
  },
  ['id', 'methods', 'path'],
);

/** A policy file: the route table of one or more tenants. */
export const POLICY_SCHEMA: Schema = {
  $schema: DRAFT,
  $id: 'urn:chartgate:schema:policy',
  ...object(
    {
      title: 'Policy',
      description: 'A route table, named in `policies` of the gateway. What no route permits is denied.',
    },
    {
      extends: EXTENDS,
      override: {
        type: 'array',
        title: 'Overridden routes',
        description:
          'Keys of `routes[]` that take the place of the same keys of the route of a pack with that id.',
        minItems: 1,
        maxItems: 10_000,
        'x-kind': 'list of: `id`, and the keys of a route that change',
        items: {
          ...object(
            { title: 'Override', description: 'One route of a pack, changed.' },
            ROUTE.properties ?? {},
            ['id'],
          ),
        },
      },
      remove: {
        type: 'array',
        description: 'Ids of routes of the packs that are left out.',
        examples: [['fhir-r4-delete']],
        minItems: 1,
        uniqueItems: true,
        items: name({ description: 'Id of a route.' }),
      },
      roles: ROLES,
      separate: SEPARATE,
      answers: ANSWERS,
      routes: {
        type: 'array',
        title: 'Routes',
        description: 'The rules.',
        minItems: 1,
        maxItems: 10_000,
        items: ROUTE,
      },
    },
  ),
};
