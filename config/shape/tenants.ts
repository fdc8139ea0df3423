import { NAME_PATTERN } from '../../contracts/identifiers.ts';
import { BACKEND_TRANSPORT } from './backend.ts';
import { BACKEND_ROLE, BALANCING } from './balancing.ts';
import { BRAND } from './brand.ts';
import { TENANT_CERTIFICATES } from './client-certificates.ts';
import { TENANT_LIMITS } from './limits.ts';
import type { Schema } from './schema.ts';
import { EMERGENCY, SHARING } from './sharing.ts';
import { SIGN_IN } from './sign-in.ts';
import { TENANCY } from './tenancy.ts';
import { choice, flag, integer, name, object, path, secret } from './values.ts';

const BACKENDS: Schema = {
  type: 'array',
  title: 'Back ends',
  description: "The tenant's EMR servers.",
  minItems: 1,
  maxItems: 64,
  items: object(
    { title: 'Back end', description: 'One EMR server.' },
    {
      origin: {
        type: 'string',
        description:
          'Scheme, host and port. Plain `http://` only to a loopback address or over a Unix socket.',
        examples: ['https://emr.clinic.example:8080'],
        pattern: '^https?://[^/]+/?$',
        maxLength: 300,
        errorMessage: 'must be an origin such as http://127.0.0.1:9001 or https://emr.clinic.example',
        'x-kind': 'origin',
      },
      ...BACKEND_TRANSPORT,
      connections: integer(
        { description: 'Connections kept to it, per worker.', default: 64, examples: [64] },
        1,
        1024,
      ),
      role: BACKEND_ROLE,
    },
    ['origin'],
  ),
};

/** One of `tenants`, and what a file of `tenantsFolder` holds. */
export const TENANT: Schema = object(
  { title: 'Tenant', description: 'One clinic, hospital or organisation.' },
  {
    id: name({ description: 'Name in logs and metrics.', examples: ['riverside'] }),
    paused: flag({
      description:
        'Whoever asks for it is told that it is closed; its back ends are left alone (`chartgate tenant pause`).',
      default: false,
      examples: [false],
    }),
    hosts: {
      type: 'array',
      description:
        'Exact hosts it is reached at: lower case, with the port unless it is 443. A host belongs to one tenant.',
      examples: [['riverside.example', 'riverside.example:8443']],
      minItems: 1,
      maxItems: 256,
      items: {
        type: 'string',
        pattern:
          '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*(:[1-9][0-9]{0,4})?$',
        maxLength: 259,
        errorMessage:
          'must be an exact host in its canonical form: lower case, no wildcard, no trailing dot, no scheme or path, ' +
          'such as riverside.example or riverside.example:8443',
        'x-kind': 'host',
      },
    },
    audience: {
      type: 'string',
      description:
        "Audience a token must carry to be good for this tenant (RFC 9068 §4). Unlike every other tenant's.",
      examples: ['https://riverside.example'],
      minLength: 1,
      maxLength: 512,
      pattern: '^[!-~]+$',
      errorMessage:
        'must be 1 to 512 visible ASCII characters without spaces, such as https://riverside.example',
    },
    audiences: {
      type: 'object',
      title: 'Further audiences',
      description:
        'Further audiences by the names that routes of the policy have for them (`audience` there). A token that carries ' +
        "one is good for those routes alone. Unlike every other audience of any tenant's.",
      examples: [{ research: 'https://riverside.example/research' }],
      minProperties: 1,
      propertyNames: { pattern: NAME_PATTERN },
      errorMessage: 'must be a mapping of names to audiences',
      additionalProperties: {
        type: 'string',
        description: 'Audience a token must carry.',
        minLength: 1,
        maxLength: 512,
        pattern: '^[!-~]+$',
        errorMessage:
          'must be 1 to 512 visible ASCII characters without spaces, such as https://riverside.example/research',
      },
    },
    issuers: {
      type: 'array',
      description: 'Ids of the issuers it trusts.',
      examples: [['clinic-sso']],
      minItems: 1,
      uniqueItems: true,
      items: name({ description: 'Id of an issuer.' }),
    },
    database: name({
      description: 'Id of its EMR database in the settings of the checker.',
      examples: ['riverside-emr'],
    }),
    policy: name({ description: 'Name of its policy in `policies`.', examples: ['clinic'] }),
    identityHeader: {
      type: 'string',
      description:
        'Header that tells the EMR who is asking. Whatever a client sends under this name is dropped. ' +
        'Without it the EMR is told nothing.',
      examples: ['X-Forwarded-User'],
      pattern: '^[A-Za-z][A-Za-z0-9-]{0,62}$',
      errorMessage: 'must be a header name of letters, digits and "-", such as X-Forwarded-User',
      'x-kind': 'header name',
    },
    signIn: SIGN_IN,
    sharing: SHARING,
    emergency: EMERGENCY,
    brand: BRAND,
    clientCertificates: TENANT_CERTIFICATES,
    apiClients: object(
      {
        title: 'API clients',
        description: 'Clients made with `chartgate client`, where they do not ask an issuer for tokens.',
      },
      {
        acceptSecretPerRequestInsecurely: flag({
          description:
            'Must be `true` before an API client may send its id and secret with each request ' +
            '(`Authorization: Basic`), as old programs do. Unlike a token it is good until it expires, and everything ' +
            'on its way sees it. Needs `state`. Causes a warning.',
          default: false,
          examples: [false],
        }),
      },
    ),
    limits: TENANT_LIMITS,
    balancing: BALANCING,
    backendAuthorization: object(
      {
        title: 'Authorization at the back end',
        description:
          "A token or password of the EMR's own interface, sent in `Authorization` with every request of somebody (never with " +
          'those of nobody). Callers’ own tokens are never sent on. It acts for everybody: what each may do is up to the ' +
          'policy, and the EMR is told who asks by `identityHeader`.',
      },
      {
        scheme: choice(
          {
            description: '`Bearer`: the file holds a token; `Basic`: a name, a colon and a password.',
            default: 'Bearer',
            examples: ['Bearer'],
          },
          ['Bearer', 'Basic'],
        ),
        secret: secret({
          description:
            'Read again with each reload: whoever renews a token that expires writes the file and sends SIGHUP.',
          examples: ['secrets/emr-token'],
        }),
      },
      ['secret'],
    ),
    ...TENANCY,
    backends: BACKENDS,
  },
  ['id', 'hosts', 'audience', 'issuers', 'database', 'policy', 'backends'],
);

export const TENANTS: Schema = {
  type: 'array',
  title: 'Tenants',
  description:
    'The clinics, hospitals or organisations served, each with its own hosts, audience, policy and EMR. They may also ' +
    'stand in files of their own (`tenantsFolder`).',
  minItems: 1,
  items: TENANT,
};

export const TENANTS_FOLDER: Schema = path(
  {
    description:
      'Folder with a file for each tenant, `ID.yaml`, that holds what an entry of `tenants` does; `chartgate tenant` ' +
      'writes them. Relative paths in such a file start at the folder. A new file is taken while the gateway serves.',
    examples: ['tenants.d'],
  },
  'folder',
);
