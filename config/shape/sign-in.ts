import type { Schema } from './schema.ts';
import { choice, duration, flag, name, object, path, secret } from './values.ts';

/** What of the settings concerns people at browsers. */

export const SESSIONS: Schema = object(
  {
    title: 'Sessions',
    description: 'How long somebody who signed in at a browser stays so (NIST SP 800-63B-4, AAL2).',
    default: {},
  },
  {
    idle: duration(
      {
        description: 'Without a request for this long, a session ends; it may end up to a tenth earlier.',
        default: '5m',
        examples: ['5m'],
      },
      '1m',
      '1h',
      '1s',
    ),
    absolute: duration(
      {
        description: 'After this time it ends in any case.',
        default: '12h',
        examples: ['12h'],
      },
      '5m',
      '24h',
      '1s',
    ),
  },
);

/** RFC 6749 §3.3, and RFC 8176 or OpenID values, which are as plain. */
const scope = (description: string): Schema => ({
  type: 'string',
  description,
  pattern: '^[\\x21\\x23-\\x5B\\x5D-\\x7E]{1,256}$',
  errorMessage: 'must be visible ASCII characters without space, quote or backslash',
});

const texts = (description: string, examples: readonly string[]): Schema => ({
  type: 'array',
  description,
  examples: [examples],
  minItems: 1,
  uniqueItems: true,
  items: scope(description),
});

const GRANTS = object(
  {
    title: 'Grants',
    description:
      'Scopes by the values of one claim of the ID token, for issuers whose access tokens are not made for this ' +
      'gateway. The access token is then not looked at.',
  },
  {
    claim: {
      type: 'string',
      description: 'Claim that holds a text or a list of texts.',
      examples: ['groups'],
      minLength: 1,
      maxLength: 128,
      pattern: '^[!-~]+$',
      errorMessage: 'must be the name of a claim: 1 to 128 visible ASCII characters',
    },
    values: {
      type: 'object',
      title: 'Granted scopes',
      description: 'Values of the claim, and the scopes that each grants.',
      examples: [{ clinicians: ['emr', 'user/*.rs'] }],
      minProperties: 1,
      additionalProperties: texts('Scopes granted.', ['emr', 'user/*.rs']),
    },
  },
  ['claim', 'values'],
);

export const RELYING_PARTY: Schema = object(
  {
    title: 'Sign-in',
    description:
      'The gateway as a client of this issuer, so that people at browsers can sign in (OpenID Connect Core 1.0). ' +
      'Redirect URI: `https://HOST/.chartgate/callback/ID` for every host of a tenant, with the id of the issuer; ' +
      'after signing out: `https://HOST/.chartgate/signed-out`; back-channel sign-out: ' +
      '`https://HOST/.chartgate/back-channel-logout`. Exactly one of `clientSecret` and `clientKey`.',
  },
  {
    clientId: {
      type: 'string',
      description: 'Client id of the gateway at the issuer.',
      examples: ['chartgate'],
      minLength: 1,
      maxLength: 512,
    },
    name: {
      type: 'string',
      description: "What people choose it by, where there are several; the issuer's host unless given.",
      examples: ['Riverside staff'],
      minLength: 1,
      maxLength: 80,
    },
    clientSecret: secret({ description: 'Its client secret.', examples: ['secrets/sign-in'] }),
    clientKey: path({
      description:
        'PEM file with the private key (P-256, Ed25519, or RSA) with which it proves itself (RFC 7523), readable by its owner alone.',
      examples: ['secrets/sign-in.pem'],
    }),
    clientKeyId: {
      type: 'string',
      description: 'Id under which the issuer knows the key, when it wants one.',
      examples: ['gateway-1'],
      minLength: 1,
      maxLength: 256,
    },
    scopes: {
      ...texts('Scopes asked for besides `openid`.', ['profile']),
      minItems: 0,
      default: [],
    },
    resourceIndicator: flag({
      description:
        "Ask for the tenant's audience by `resource` (RFC 8707). `false` for issuers that refuse it; the access " +
        "token's audience must then be right by other means, or `grants` be used.",
      default: true,
      examples: [true],
    }),
    grants: GRANTS,
    rolesClaim: {
      type: 'string',
      description:
        'Claim of the ID token that lists the roles of whoever signs in, for `roles` of policies. Unless given, `roles` ' +
        'of the access token, where that one grants the scopes.',
      examples: ['groups'],
      minLength: 1,
      maxLength: 128,
      pattern: '^[!-~]+$',
      errorMessage: 'must be the name of a claim: 1 to 128 visible ASCII characters',
    },
  },
  ['clientId'],
);

export const SECOND_FACTOR: Schema = object(
  {
    title: 'Second factor',
    description:
      'Who gives the second factor to those who sign in at this issuer. Without it, nothing that the issuer says ' +
      'counts as one, and nobody can sign in with it at a browser.',
  },
  {
    by: choice(
      {
        description:
          '`issuer`: it says so by one of the values below. `gateway`: the gateway asks for a code or passkey itself.',
        examples: ['gateway'],
      },
      ['issuer', 'gateway'],
    ),
    acr: texts('Values of `acr` that mean two factors. With `by: issuer`.', ['urn:chartgate:aal2']),
    amr: texts('Values of `amr` of which one means two factors. With `by: issuer`.', ['mfa']),
    administrators: {
      type: 'array',
      description:
        "Subjects (`sub`) of this issuer who may reset other people's second factors, two of them together " +
        '(`chartgate factor`). With `by: gateway`. Without it nobody may.',
      examples: [['4f1c2d', '9a7e30']],
      minItems: 2,
      maxItems: 100,
      uniqueItems: true,
      items: {
        type: 'string',
        description: 'Subject of a person.',
        minLength: 1,
        maxLength: 255,
        pattern: '^[^\\x00-\\x1f\\x7f]+$',
        errorMessage: 'must be a subject: 1 to 255 characters without control characters',
      },
    },
    singleFactorInsecurely: flag({
      description:
        'Dangerous: `true`, in place of `by`, lets people in who gave one factor only. Causes a warning.',
      default: false,
    }),
  },
);

export const EMBEDDED: Schema = object(
  {
    title: 'Embedded issuer',
    description:
      "The issuer is this installation's own (`chartgate issuer`): requests for its host are forwarded to its " +
      'socket, and it is asked over the socket alone.',
  },
  {
    socket: path(
      {
        description: "The issuer's Unix socket, at most 107 bytes long.",
        examples: ['/run/chartgate-issuer/issuer.sock'],
      },
      'socket',
    ),
    secret: secret({
      description: 'Shared with the issuer, at least 16 bytes: proves that it is the gateway that speaks.',
      examples: ['secrets/issuer'],
    }),
  },
  ['socket', 'secret'],
);

export const SIGN_IN: Schema = object(
  {
    title: 'Sign-in at browsers',
    description:
      'Lets people at browsers sign in, for routes with `credential: session`. Needs `state`. The pages are below ' +
      "`/.chartgate/` of the tenant's hosts.",
  },
  {
    issuers: {
      type: 'array',
      description:
        'Ids of the issuers to choose from; each is one that the tenant trusts, with `relyingParty` and `secondFactor`.',
      examples: [['clinic-sso']],
      minItems: 1,
      maxItems: 16,
      uniqueItems: true,
      items: name({ description: 'Id of an issuer.' }),
    },
  },
  ['issuers'],
);
