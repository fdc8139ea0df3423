import { BRAND } from './brand.ts';
import { DRAFT, type Schema } from './schema.ts';
import { STATE } from './state.ts';
import { choice, duration, flag, integer, name, object, path, secret } from './values.ts';

const URI = '^[a-z][a-z0-9+.-]*:[!-~]{1,500}$';

function uris(description: string, examples: readonly (readonly string[])[], most = 32): Schema {
  return {
    type: 'array',
    description,
    maxItems: most,
    uniqueItems: true,
    items: {
      type: 'string',
      pattern: URI,
      errorMessage: 'must be an absolute URI, such as https://app.example/callback',
      'x-kind': 'URI',
    },
    examples,
  };
}

const PASSWORDS = object(
  {
    title: 'Passwords',
    description: 'What a password must be. Without it: at least 12 characters, not guessable.',
  },
  {
    preset: choice(
      {
        description:
          '`length`: as NIST SP 800-63B-4 has it. `eight-with-four-classes`: for sites whose rules demand letters of both cases, digits and signs.',
        default: 'length',
      },
      ['length', 'eight-with-four-classes'],
    ),
    minimumLength: integer({ description: "Characters; the preset's unless given.", examples: [14] }, 8, 128),
    expireAfterDays: integer(
      { description: 'Days after which a new one is asked for; never unless given.', examples: [90] },
      1,
      3650,
    ),
    remembered: integer(
      { description: 'How many of the last ones are refused, the present one included.', default: 5 },
      1,
      24,
    ),
  },
);

const LOCKOUT = object(
  { title: 'Lockout', description: 'What failed sign-ins lead to, whether or not the account exists.' },
  {
    failures: integer(
      { description: 'Failures after which an account name has to wait.', default: 5 },
      3,
      20,
    ),
    duration: duration({ description: 'For how long.', default: '15m' }, '1m', '24h'),
    sourceFailures: integer(
      { description: 'Failures of one client address over all names; a clinic may share one.', default: 50 },
      5,
      10_000,
    ),
  },
);

const SECOND_FACTOR = object(
  { title: 'Second factor', description: 'Who has to show one. Without it: everybody.' },
  {
    exemptRoles: {
      type: 'array',
      description: 'Roles whose accounts need none.',
      maxItems: 32,
      uniqueItems: true,
      items: name({ description: 'Role.', examples: ['kiosk'] }),
      examples: [['kiosk']],
    },
    passwordAloneIsEnough: flag({
      description:
        'Dangerous: `true` asks nobody for a second factor but those who enrolled one. A guessed password is then all it takes.',
      default: false,
    }),
  },
);

const TOKENS = object(
  { title: 'Tokens', description: 'How long things last.' },
  {
    access: duration({ description: 'An access or ID token.', default: '5m' }, '30s', '5m', '1s'),
    session: duration(
      { description: 'A sign-in at the issuer, however often it is used.', default: '12h' },
      '5m',
      '24h',
      '1s',
    ),
    refresh: duration(
      { description: 'A refresh token and its successors, together.', default: '720h' },
      '1h',
      '8760h',
      '1s',
    ),
    refreshIdle: duration(
      { description: 'A refresh token that nobody uses.', default: '168h' },
      '5m',
      '8760h',
      '1s',
    ),
  },
);

const TENANTS: Schema = {
  type: 'array',
  title: 'Tenants',
  description: 'Those whom tokens are for, as in the gateway’s settings.',
  minItems: 1,
  items: object(
    { title: 'Tenant', description: 'One clinic, hospital or organisation.' },
    {
      id: name({ description: 'Name that clients refer to.', examples: ['riverside'] }),
      name: {
        type: 'string',
        description: 'What people know it as.',
        examples: ['Riverside Clinic'],
        minLength: 1,
        maxLength: 80,
      },
      audience: {
        type: 'string',
        description: "`aud` of its tokens; the tenant's `audience` in `gateway.yaml`.",
        examples: ['https://riverside.example'],
        pattern: URI,
        errorMessage: 'must be an absolute URI, such as https://riverside.example',
        'x-kind': 'URI',
      },
      fhir: {
        type: 'string',
        description: 'Base URL of its FHIR interface, which SMART apps send as `aud`.',
        examples: ['https://riverside.example/fhir'],
        pattern: '^https://[!-~]{1,500}$',
        errorMessage: 'must be an https:// URL',
        'x-kind': 'https URL',
      },
    },
    ['id', 'name', 'audience'],
  ),
};

const CLIENTS: Schema = {
  type: 'array',
  title: 'Clients',
  description:
    'Gateways and apps that people sign in to. Clients that act for themselves are made with `chartgate client`.',
  items: object(
    { title: 'Client', description: 'One gateway or app.' },
    {
      id: {
        type: 'string',
        description: '`client_id`.',
        examples: ['growth-chart'],
        pattern: '^[A-Za-z0-9._~-]{1,100}$',
        errorMessage: 'must be 1 to 100 letters, digits or any of . _ ~ -',
        'x-kind': 'client id',
      },
      name: {
        type: 'string',
        description: 'What people know it as.',
        examples: ['Growth Chart'],
        minLength: 1,
        maxLength: 80,
      },
      kind: choice(
        {
          description:
            "`gateway`: the relying party of a tenant's own gateway, which asks for no consent and may introspect. `app`: everything else.",
          default: 'app',
        },
        ['gateway', 'app'],
      ),
      tenants: {
        type: 'array',
        description: 'Tenants that it may get tokens for; the first one where a request names none.',
        minItems: 1,
        maxItems: 256,
        uniqueItems: true,
        items: name({ description: 'Tenant.', examples: ['riverside'] }),
        examples: [['riverside']],
      },
      redirectUris: uris('Where a sign-in may lead back to, each exactly as the client sends it.', [
        ['https://app.example/callback'],
      ]),
      postLogoutRedirectUris: uris('Where a sign-out may lead to.', [['https://app.example/goodbye']]),
      backChannelLogout: {
        type: 'string',
        description: 'Where it wants to be told of sign-outs (OpenID Connect Back-Channel Logout 1.0).',
        examples: ['https://app.example/signed-out'],
        pattern: '^https://[!-~]{1,500}$',
        errorMessage: 'must be an https:// URL',
        'x-kind': 'https URL',
      },
      secret: secret({
        description: 'Its secret, at least 16 bytes. Excludes `keys`.',
        examples: ['secrets/portal'],
      }),
      keys: path({
        description: 'JSON file with its public keys (RFC 7517), for `private_key_jwt`. Excludes `secret`.',
        examples: ['clients/portal.jwks.json'],
      }),
      scopes: {
        type: 'array',
        description: 'What it may ask for; a SMART scope covers narrower ones.',
        minItems: 1,
        maxItems: 200,
        uniqueItems: true,
        items: {
          type: 'string',
          pattern: '^[!#-\\[\\]-~]{1,200}$',
          errorMessage:
            'must be a scope: 1 to 200 printable characters without spaces, quotes or backslashes',
          'x-kind': 'scope',
        },
        examples: [['patient/*.rs']],
      },
      dpop: flag({ description: '`true`: tokens only with proof of a key (RFC 9449).', default: false }),
    },
    ['id', 'name', 'tenants', 'redirectUris', 'scopes'],
  ),
};

/** `issuer.yaml`, of the embedded issuer. It has its own user and its own state. */
export const ISSUER_SCHEMA: Schema = {
  $schema: DRAFT,
  $id: 'urn:chartgate:schema:issuer',
  ...object(
    {
      title: 'Issuer settings',
      description: 'Settings of the embedded OpenID provider, `chartgate issuer`.',
    },
    {
      issuer: {
        type: 'string',
        description: 'Its identifier (`iss`), an https origin; the gateway makes it reachable there.',
        examples: ['https://id.riverside.example'],
        pattern: '^https://[a-z0-9.-]{1,253}(:[1-9][0-9]{0,4})?$',
        errorMessage: 'must be an https:// origin without a path, such as https://id.riverside.example',
        'x-kind': 'https origin',
      },
      issuerSocket: path(
        {
          description:
            'Unix socket to listen on, at most 107 bytes long; its folder is reachable for the gateway alone.',
          examples: ['/run/chartgate-issuer/issuer.sock'],
        },
        'socket',
      ),
      gatewaySecret: secret({
        description: 'Shared with the gateway, at least 16 bytes.',
        examples: ['secrets/issuer'],
      }),
      state: STATE,
      brand: BRAND,
      passwords: PASSWORDS,
      lockout: LOCKOUT,
      secondFactor: SECOND_FACTOR,
      tokens: TOKENS,
      tenants: TENANTS,
      clients: CLIENTS,
      backChannelAuthority: path({
        description:
          "PEM file with the authority of the clients that are told of sign-outs; without it, the system's.",
        examples: ['tls/clients-authority.pem'],
      }),
    },
    ['issuer', 'issuerSocket', 'gatewaySecret', 'state', 'tenants'],
  ),
};
