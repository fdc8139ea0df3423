import type { Schema } from './schema.ts';
import { EMBEDDED, RELYING_PARTY, SECOND_FACTOR } from './sign-in.ts';
import { duration, integer, name, object, path, secret } from './values.ts';

/** Signature algorithms of tokens (RFC 8725 §3.1): asymmetric ones only. */
export const ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
] as const;

export const ISSUERS: Schema = {
  type: 'array',
  title: 'Issuers',
  description:
    'OAuth 2 / OpenID Connect issuers whose tokens are believed. Each tenant says which of them it trusts.',
  minItems: 1,
  items: object(
    { title: 'Issuer', description: 'One issuer of access tokens.' },
    {
      id: name({ description: 'Name that tenants refer to.', examples: ['clinic-sso'] }),
      issuer: {
        type: 'string',
        description:
          "The issuer's identifier, exactly as in the tokens' `iss`. Its metadata is read below this URL " +
          '(OpenID Connect Discovery 1.0 §4, RFC 8414).',
        examples: ['https://sso.clinic.example'],
        pattern: '^https://',
        maxLength: 2048,
        errorMessage: 'must be an https:// URL',
        'x-kind': 'https URL',
      },
      authority: path({
        description:
          "PEM file with the authority of the issuer's own TLS certificate; without it, the system's.",
        examples: ['tls/sso-authority.pem'],
      }),
      algorithms: {
        type: 'array',
        description: 'Signature algorithms accepted. `none` and the HMAC ones (`HS256`…) are never allowed.',
        default: ['ES256', 'EdDSA', 'PS256', 'RS256'],
        examples: [['ES256', 'EdDSA']],
        minItems: 1,
        uniqueItems: true,
        items: {
          type: 'string',
          enum: ALGORITHMS,
          errorMessage: `must be one of ${ALGORITHMS.join(', ')}; never "none" or an HMAC algorithm, with which whoever can verify a token could make one (RFC 8725 section 3.1)`,
        },
      },
      skew: duration(
        {
          description: "Difference allowed between the issuer's clock and this one, whole seconds.",
          default: '30s',
          examples: ['30s'],
        },
        '0s',
        '2m',
        '1s',
      ),
      cache: object(
        {
          title: 'Token cache',
          description: 'Bounds of what is remembered of verified tokens.',
          default: {},
        },
        {
          maxTokens: integer(
            { description: 'Tokens remembered per worker.', default: 10_000, examples: [10_000] },
            1,
            1_000_000,
          ),
          maxAge: duration(
            {
              description:
                'Longest time an answer of the issuer is believed without asking again, whole seconds. On routes ' +
                'with introspection it is the time a revoked token may still work.',
              default: '60s',
              examples: ['60s'],
            },
            '1s',
            '10m',
            '1s',
          ),
        },
      ),
      introspection: object(
        {
          title: 'Introspection',
          description:
            'Credentials to ask the issuer whether a token is still active (RFC 7662), for routes that want it.',
        },
        {
          clientId: {
            type: 'string',
            description: 'Client id of the gateway at the issuer.',
            examples: ['chartgate'],
            minLength: 1,
            maxLength: 512,
          },
          clientSecret: secret({ description: 'Its client secret.', examples: ['secrets/introspection'] }),
        },
        ['clientId', 'clientSecret'],
      ),
      relyingParty: RELYING_PARTY,
      secondFactor: SECOND_FACTOR,
      embedded: EMBEDDED,
    },
    ['id', 'issuer'],
  ),
};
