import type { Schema } from './schema.ts';
import { duration, name, object } from './values.ts';

/** What of a tenant's settings concerns sharing by consent, and emergency access. */

const SCOPE: Schema = {
  type: 'string',
  description: 'A scope.',
  pattern: '^[\\x21\\x23-\\x5B\\x5D-\\x7E]{1,256}$',
  errorMessage: 'must be one OAuth 2 scope: visible ASCII characters, no space, quote or backslash',
};

const ROLE: Schema = {
  type: 'string',
  description: 'A role.',
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$',
  errorMessage: 'must be a role of letters, digits and . _ : / @ -',
};

const PARTNER = object(
  {
    title: 'Partner',
    description:
      "Another tenant, whose people get what this tenant's patients let them have, and nothing else.",
  },
  {
    tenant: name({ description: 'Id of the other tenant.', examples: ['south'] }),
    issuers: {
      type: 'array',
      description:
        "Ids of the issuers whose tokens its people come with. The tokens carry this tenant's audience. None may be " +
        "among the tenant's own `issuers`.",
      examples: [['south-sso']],
      minItems: 1,
      uniqueItems: true,
      items: name({ description: 'Id of an issuer.' }),
    },
  },
  ['tenant', 'issuers'],
);

export const SHARING: Schema = object(
  {
    title: 'Sharing',
    description:
      'Patients grant persons, roles and organisations access to parts of their record, see and withdraw it, at ' +
      '`/.chartgate/consents` and, where people sign in, on the page `/.chartgate/sharing`. Needs `state`. Which routes ' +
      'reach what is shared the policy says (`sharing: consent`).',
  },
  {
    partners: {
      type: 'array',
      description: 'Other organisations that patients can share with.',
      default: [],
      maxItems: 1000,
      items: PARTNER,
    },
    longest: duration(
      {
        description: 'The longest that a consent may last.',
        default: '8784h',
        examples: ['8784h'],
      },
      '24h',
      '43920h',
      '1s',
    ),
  },
);

export const EMERGENCY: Schema = object(
  {
    title: 'Emergency access',
    description:
      'Somebody who may not see a record, and must now, breaks the glass: types why, gets more scopes for a short time, ' +
      'and is looked into afterwards (45 CFR 164.312(a)(2)(ii)). It raises an alarm at once; every request is marked in ' +
      'the activity log; `chartgate emergency` lists and reviews. Needs `state`.',
  },
  {
    roles: {
      type: 'array',
      description: 'Whoever has one of these roles may. `roles`, `holders` or both must be given.',
      examples: [['physician', 'nurse']],
      minItems: 1,
      uniqueItems: true,
      items: ROLE,
    },
    holders: {
      type: 'array',
      description: 'Whoever has one of these scopes may, for issuers that tell no roles.',
      examples: [['chartgate/emergency']],
      minItems: 1,
      uniqueItems: true,
      items: SCOPE,
    },
    scopes: {
      type: 'array',
      description: 'What it gives besides what its holder has.',
      examples: [['user/*.rs']],
      minItems: 1,
      uniqueItems: true,
      items: SCOPE,
    },
    duration: duration(
      {
        description: 'When it ends by itself, and a session that it was begun in with it.',
        default: '30m',
        examples: ['30m'],
      },
      '1m',
      '1h',
      '1s',
    ),
    factorMaxAge: duration(
      {
        description:
          'How long ago the second factor may have been given when it is begun. Unless given: any time since the sign-in.',
        examples: ['10m'],
      },
      '1s',
      '24h',
      '1s',
    ),
  },
  ['scopes'],
);
