/** What rules ask besides scopes: as written in a policy, checked for form, with durations in seconds. */

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof DAYS)[number];

/** Opening hours by the clock of one place. */
export interface HoursDocument {
  /** IANA name, such as `Europe/Berlin`. */
  readonly zone: string;
  /** Every day when left out. */
  readonly days?: readonly Day[];
  /** `HH:MM`, included; `00:00` when left out. */
  readonly from?: string;
  /** `HH:MM`, excluded; `24:00` when left out. Before `from`: on the next day. */
  readonly to?: string;
  /** Days on which nothing begins, `YYYY-MM-DD`. */
  readonly except?: readonly string[];
}

/** How somebody came: the ways of an API caller, and a session of a browser. */
export const CONDITION_CREDENTIALS = ['token', 'client-secret', 'certificate', 'session'] as const;
export type ConditionCredential = (typeof CONDITION_CREDENTIALS)[number];

/** One thing that holds or does not. */
export type AtomDocument =
  /** At least one of the roles. */
  | { readonly roles: readonly string[] }
  /** Every one of the scopes, literally. */
  | { readonly scopes: readonly string[] }
  /** One of the client ids. */
  | { readonly clients: readonly string[] }
  /** Whose people: ids of tenants, `own` for the tenant's own, `other` for every other one's. */
  | { readonly home: readonly string[] }
  | { readonly credentials: readonly ConditionCredential[] }
  | { readonly hours: HoursDocument }
  /** The peer is in one of the networks: `192.0.2.0/24`, `2001:db8::/32`, or a single address. */
  | { readonly addresses: readonly string[] }
  /** The token is bound to its sender, who proved it. A session never is. */
  | { readonly senderConstrained: 'any' | 'dpop' | 'certificate' }
  /** A second factor was given, at most so long ago. */
  | { readonly factorMaxAgeSeconds: number }
  /** The connection has a certificate that the tenant accepts. */
  | { readonly clientCertificate: 'required' }
  /** Each of these headers is there with one of its values. Anybody can send any header: never the only safeguard. */
  | { readonly headers: Readonly<Record<string, readonly string[]>> };

/** `all` and `any` of several, `not` of one, or one thing. Exactly one key. */
export type ConditionDocument =
  | { readonly all: readonly ConditionDocument[] }
  | { readonly any: readonly ConditionDocument[] }
  | { readonly not: ConditionDocument }
  | AtomDocument;

/** The keys, each of which excludes the others. */
export const CONDITION_KEYS = [
  'all',
  'any',
  'not',
  'roles',
  'scopes',
  'clients',
  'home',
  'credentials',
  'hours',
  'addresses',
  'senderConstrained',
  'factorMaxAge',
  'clientCertificate',
  'headers',
] as const;
