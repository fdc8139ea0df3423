import { METHODS } from '../../contracts/facts.ts';
import { HIDE_CLASSES } from '../../contracts/policy.ts';
import { DRAFT, type Schema } from './schema.ts';
import { choice, duration, flag, limit, name, object, size } from './values.ts';

/** `{name}` in a path. */
const CAPTURE = '^[A-Za-z][A-Za-z0-9]{0,31}$';
const CAPTURE_MESSAGE = 'must be the name of a captured segment: letters and digits';

const SMART = object(
  {
    title: 'SMART scope',
    description:
      'Resource scope a token must hold (SMART App Launch 2.2, "Scopes for requesting FHIR resources").',
  },
  {
    contexts: {
      type: 'array',
      description: 'Whose scopes count. `patient` needs the key `patient` of the route as well.',
      examples: [['patient', 'user']],
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', enum: ['patient', 'user', 'system'] },
    },
    resource: {
      type: 'string',
      description: 'A resource type, or the captured segment it is taken from.',
      examples: ['{resourceType}'],
      pattern: '^([A-Z][A-Za-z]{0,63}|\\{[A-Za-z][A-Za-z0-9]{0,31}\\})$',
      errorMessage: 'must be a resource type such as Patient, or a captured segment such as "{resourceType}"',
    },
    permission: {
      type: 'string',
      description:
        'Interactions needed, letters of `cruds` in that order. v1 `read` grants `rs`, `write` grants `cud`.',
      examples: ['r'],
      pattern: '^(?=.)c?r?u?d?s?$',
      errorMessage: 'must be letters of "cruds" in that order, each at most once, such as r or rs',
    },
  },
  ['contexts', 'resource', 'permission'],
);

const PATIENT = object(
  {
    title: 'Patient',
    description:
      "Where the request names the patient, so that a token for one patient reaches that patient's data alone. " +
      'Exactly one of the two keys.',
  },
  {
    capture: {
      type: 'string',
      description: 'Captured segment that holds the patient id.',
      examples: ['id'],
      pattern: CAPTURE,
      errorMessage: CAPTURE_MESSAGE,
    },
    parameter: {
      type: 'string',
      description: 'Query parameter that must be there exactly once.',
      examples: ['patient'],
      pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,63}$',
      errorMessage: 'must be the name of a query parameter, such as patient',
    },
  },
);

const ROUTE = object(
  { title: 'Route', description: 'One rule of the table. What no route permits is denied.' },
  {
    id: name({ description: 'Name in logs and metrics, once per policy.', examples: ['fhir-read'] }),
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
    credential: choice(
      {
        description:
          'What is needed: `bearer`, an access token; `session`, somebody who signed in at a browser (both ' +
          'factors); `bearer-or-session`, either; `anonymous`, nothing.',
        default: 'bearer',
        examples: ['session'],
      },
      ['bearer', 'session', 'bearer-or-session', 'anonymous'],
    ),
    factorMaxAge: duration(
      {
        description:
          'How long ago the second factor may have been given, whole seconds. Browsers are asked for it again on ' +
          'a page, APIs by a challenge (RFC 9470). Unless given: any time since the sign-in.',
        examples: ['10m'],
      },
      '1s',
      '24h',
      '1s',
    ),
    senderConstrained: choice(
      {
        description:
          'Tokens must be bound to their sender, who proves it with each request: by `dpop` (RFC 9449), by the ' +
          'client `certificate` of the connection (RFC 8705), or by `any` of the two. A stolen token is then of no ' +
          'use. Unless given, plain bearer tokens do. Sessions are not concerned.',
        examples: ['dpop'],
      },
      ['any', 'dpop', 'certificate'],
    ),
    clientCertificate: choice(
      {
        description:
          'Only over a connection whose client showed a certificate that the tenant accepts (`clientCertificates` of ' +
          "the tenant or the listener). For one route, such as the EMR's own sign-in page; for everything of a tenant " +
          'there is `demand: required` there.',
        examples: ['required'],
      },
      ['required'],
    ),
    scopes: {
      type: 'array',
      description:
        'Plain scopes; the token must hold every one. A bearer route needs these, `smart`, or both.',
      examples: [['openid']],
      minItems: 1,
      uniqueItems: true,
      items: {
        type: 'string',
        pattern: '^[\\x21\\x23-\\x5B\\x5D-\\x7E]{1,256}$',
        errorMessage:
          'must be one OAuth 2 scope: visible ASCII characters, no space, quote or backslash (RFC 6749 §3.3)',
      },
    },
    smart: SMART,
    patient: PATIENT,
    introspection: choice(
      {
        description:
          '`always`: ask the issuer whether the token is still active. `never`: verify it locally. Unless given: ' +
          '`never` where all methods are safe or nobody is authenticated, otherwise `always`.',
        examples: ['never'],
      },
      ['never', 'always'],
    ),
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
    hideDeadline: duration(
      {
        description:
          'When a hidden answer is released, from arrival; `hiding.deadline` of the gateway unless given.',
        examples: ['200ms'],
      },
      '1ms',
      '1m',
    ),
    limit: limit({
      title: 'Route limit',
      description: 'Extra limit per principal (per peer when anonymous) on this route.',
    }),
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
      routes: {
        type: 'array',
        title: 'Routes',
        description: 'The rules.',
        minItems: 1,
        maxItems: 10_000,
        items: ROUTE,
      },
    },
    ['routes'],
  ),
};
