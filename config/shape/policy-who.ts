import { FHIR, PATIENT, SMART } from './policy-scopes.ts';
import type { Schema } from './schema.ts';
import { choice, duration, name } from './values.ts';

/** Who may: what a route asks of whoever sends a request, and of how they came. */
export const ROUTE_WHO = {
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
  audience: name({
    description:
      "Tokens must carry this one of the tenant's further `audiences`, and no other, in place of the tenant's own: for " +
      'what another program than the portal is to reach, with tokens that are good for nothing else. Only with ' +
      '`credential: bearer`; secrets and certificates of API clients carry no audience and are not enough.',
    examples: ['research'],
  }),
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
    description: 'Plain scopes; the token must hold every one. A bearer route needs these, `smart`, or both.',
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
} as const satisfies Readonly<Record<string, Schema>>;
