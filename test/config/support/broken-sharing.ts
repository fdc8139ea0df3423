import type { BrokenFile } from './broken.ts';

const at = (text: string): readonly [string, string] => [
  '    database: north-emr',
  `    sharing: ${text}\n    database: north-emr`,
];
const emergency = (text: string): readonly [string, string] => [
  '    database: north-emr',
  `    emergency: ${text}\n    database: north-emr`,
];

/** Faults of sharing by consent and of emergency access. */
export const BROKEN_SHARING: readonly BrokenFile[] = [
  {
    because: 'sharing, and nowhere to keep it',
    change: at('{}'),
    faults: ['35:5: tenants[0].sharing: needs "state", in which consents are kept'],
  },
  {
    because: 'partners that are the tenant itself, nobody, and there twice',
    change: at(
      '{ partners: [{ tenant: north, issuers: [sso] }, { tenant: east, issuers: [other] }, { tenant: east, issuers: [other] }] }',
    ),
    faults: [
      '35:5: tenants[0].sharing: needs "state", in which consents are kept',
      '35:37: tenants[0].sharing.partners[0].tenant: is the tenant itself; partners are others',
      "35:54: tenants[0].sharing.partners[0].issuers[0]: is one of the tenant's own issuers: it could not be told whose people its tokens are",
      '35:72: tenants[0].sharing.partners[1].tenant: names no tenant of these settings',
      '35:88: tenants[0].sharing.partners[1].issuers[0]: names no issuer of "issuers"',
      '35:108: tenants[0].sharing.partners[2].tenant: names no tenant of these settings',
      '35:124: tenants[0].sharing.partners[2].issuers[0]: names no issuer of "issuers"',
    ],
  },
  {
    because: 'a consent for an hour',
    change: at('{ partners: [{ tenant: south }], longest: 1h }'),
    faults: [
      '35:5: tenants[0].sharing: needs "state", in which consents are kept',
      '35:27: tenants[0].sharing.partners[0].issuers: is missing: Ids of the issuers whose tokens its people come with',
      '35:56: tenants[0].sharing.longest: must be a duration from 24h to 43920h in whole seconds',
    ],
  },
  {
    because: 'an emergency for nobody, of two hours',
    change: emergency('{ scopes: [a], duration: 2h }'),
    faults: [
      '35:5: tenants[0].emergency: needs "roles" or "holders": who may break the glass',
      '35:41: tenants[0].emergency.duration: must be a duration from 1m to 1h in whole seconds',
    ],
  },
  {
    because: 'an emergency for nobody',
    change: emergency('{ scopes: [user/*.rs] }'),
    faults: ['35:5: tenants[0].emergency: needs "roles" or "holders": who may break the glass'],
  },
  {
    because: 'an emergency that gives nothing, to a role that is none',
    change: emergency('{ roles: ["a role"], scopes: [], colour: red }'),
    faults: [
      '35:5: tenants[0].emergency: needs "state", in which each emergency access is kept',
      '35:26: tenants[0].emergency.roles[0]: must be a role of letters, digits and . _ : / @ -',
      '35:37: tenants[0].emergency.scopes: must have at least one entry',
      '35:49: tenants[0].emergency.colour: is not a known key. Allowed here: roles, holders, scopes, duration, factorMaxAge',
    ],
  },
];
