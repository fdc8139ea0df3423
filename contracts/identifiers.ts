/**
 * Branded identifiers. Each can be made only by its own parser, so that a string from
 * the network never passes for one by accident.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A tenant (clinic, hospital, organisation): 1–63 characters of `a-z 0-9 -`, starting with a letter. */
export type TenantId = Branded<'TenantId'>;
/** An attested EMR database, as the checker's configuration names it. Same form as a tenant. */
export type DatabaseId = Branded<'DatabaseId'>;
/** A route of a policy: 1–63 characters of `a-z 0-9 -`, starting with a letter. */
export type RouteId = Branded<'RouteId'>;
/** The gateway's own id of one request: exactly 26 characters of Crockford base 32. */
export type RequestId = Branded<'RequestId'>;

const NAME = /^[a-z][a-z0-9-]{0,62}$/;
const REQUEST_ID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

function parser<T extends string>(pattern: RegExp): (text: string) => T | undefined {
  return (text) => (pattern.test(text) ? (text as T) : undefined);
}

/** The pattern of tenant, database and route names, for schemas. */
export const NAME_PATTERN: string = NAME.source;

export const parseTenantId: (text: string) => TenantId | undefined = parser<TenantId>(NAME);
export const parseDatabaseId: (text: string) => DatabaseId | undefined = parser<DatabaseId>(NAME);
export const parseRouteId: (text: string) => RouteId | undefined = parser<RouteId>(NAME);
export const parseRequestId: (text: string) => RequestId | undefined = parser<RequestId>(REQUEST_ID);
