import { METHODS, PATH_ODDITIES } from '../../contracts/facts.ts';
import { FHIR_VERSIONS, HIDE_CLASSES } from '../../contracts/policy.ts';
import { INJECTION_RULES } from '../../contracts/route-inspection.ts';
import { ROUTE_LIMITS } from './limits.ts';
import { PAYLOAD } from './payload.ts';
import { EXTENDS, ROLES, SEPARATE } from './policy-wide.ts';
import { DRAFT, type Schema } from './schema.ts';
import { choice, duration, flag, name, object, size } from './values.ts';

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
      description: 'Whose scopes count. `patient` needs the key `patient` or `fhir` of the route as well.',
      examples: [['patient', 'user']],
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', enum: ['patient', 'user', 'system'] },
    },
    resource: {
      type: 'string',
      description:
        'A resource type, or the captured segment it is taken from; `*` on routes with `fhir` that are of no type.',
      examples: ['{resourceType}'],
      pattern: '^([A-Z][A-Za-z]{0,63}|\\{[A-Za-z][A-Za-z0-9]{0,31}\\}|\\*)$',
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

const FHIR = object(
  {
    title: 'FHIR interaction',
    description:
      'What the route does in FHIR. With it, `patient/` scopes reach the own compartment alone and the search ' +
      'restrictions of v2 scopes are enforced: searches are narrowed, bodies and answers judged (docs/fhir.md).',
  },
  {
    version: choice({ description: 'Version of FHIR.', examples: ['R4'] }, FHIR_VERSIONS),
    interaction: {
      type: 'string',
      description:
        'A RESTful interaction by its name in the standard: `read`, `vread`, `update`, `patch`, `delete`, `create`, ' +
        '`search-type`, `search-post`, `compartment-search`, `history-instance`, `batch`, `capabilities` …; ' +
        '`operation:NAME` for `$NAME`.',
      examples: ['read'],
      pattern: '^[a-z]+(-[a-z]+)*$|^operation:[a-z][A-Za-z0-9-]{0,63}$',
      errorMessage: 'must be an interaction of FHIR such as read or search-type, or operation:everything',
    },
  },
  ['version', 'interaction'],
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

const INJECTION = object(
  {
    title: 'Injection',
    description:
      'The search for injected SQL, script, commands, paths and templates. Unless given, every route blocks and ' +
      'has no exception.',
  },
  {
    mode: choice(
      {
        description:
          '`block`: a request with a finding is refused. `report`: it is recorded and counted, and goes on to the ' +
          'back end.',
        default: 'block',
        examples: ['report'],
      },
      ['block', 'report'],
    ),
    except: {
      type: 'array',
      title: 'Exceptions',
      description: 'Each one place of the request in which one rule does not count.',
      maxItems: 256,
      items: object(
        { title: 'Exception', description: 'One place and one rule.' },
        {
          place: {
            type: 'string',
            description:
              'As a finding names it: `query:NAME`, `form:NAME`, `part:NAME`, `file:NAME`, `header:NAME`, ' +
              '`cookie:NAME`, `path:N`, or a pointer into the body, in which `*` is any one step.',
            examples: ['form:note'],
            minLength: 1,
            maxLength: 512,
          },
          rule: choice(
            { description: 'The rule, as a finding names it.', examples: ['sql-quote'] },
            INJECTION_RULES,
          ),
        },
        ['place', 'rule'],
      ),
    },
    prose: {
      type: 'array',
      title: 'Prose',
      description:
        'Places, as in exceptions, in which people write prose, such as a note of an old web form. They are read like ' +
        'clinical text in FHIR resources: whole statements, running markup and commands are found, fragments are not.',
      examples: [['form:note']],
      maxItems: 256,
      uniqueItems: true,
      items: {
        type: 'string',
        description: 'One place.',
        examples: ['form:note'],
        minLength: 1,
        maxLength: 512,
      },
    },
  },
);

const ROUTE = object(
  { title: 'Route', description: 'One rule of the table. What no route permits is denied.' },
  {
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
    roles: {
      type: 'array',
      description:
        'Roles of the policy, one of which is needed (of a deny rule: those it is for), besides everything else.',
      examples: [['nurse', 'physician']],
      minItems: 1,
      uniqueItems: true,
      items: name({ description: 'A role under `roles`.' }),
    },
    when: {
      type: 'object',
      title: 'Condition',
      description:
        'What else must hold: `all` and `any` of a list, `not` of one, or one of `roles`, `scopes`, `clients`, `home`, ' +
        '`credentials`, `hours`, `addresses`, `senderConstrained`, `factorMaxAge`, `clientCertificate`, `headers` ' +
        '([policies.md](policies.md#conditions)).',
      examples: [{ not: { addresses: ['192.0.2.0/24'] } }],
      'x-kind': 'condition',
      errorMessage: 'must be a condition: a mapping with one key, such as "any", "hours" or "addresses"',
    },
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
    fhir: FHIR,
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
    inspect: object(
      {
        title: 'Inspection',
        description:
          "How this route's requests are looked into. What it does not say is by default, which refuses.",
      },
      { payload: PAYLOAD, injection: INJECTION },
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
