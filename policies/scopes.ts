import type { AuthenticatedPrincipal } from '../contracts/principal.ts';

/** SMART App Launch 2.2 §scopes-for-requesting-fhir-resources: who the access is on behalf of. */
export const CONTEXTS = ['patient', 'user', 'system'] as const;
export type Context = (typeof CONTEXTS)[number];

/** Interactions in the order in which a v2 scope must write them. */
const LETTERS = 'cruds';
/** v1 permissions in terms of v2 (SMART App Launch 2.2, "Scopes for requesting FHIR Resources": backward compatibility). */
const V1: ReadonlyMap<string, string> = new Map([
  ['read', 'rs'],
  ['write', 'cud'],
  ['*', 'cruds'],
]);

/** FHIR resource types: a capital letter, then letters. Nothing else is looked up as one. */
const RESOURCE_TYPE = /^[A-Z][A-Za-z]{0,63}$/;
/**
 * A resource scope that counts. One with a search restriction (`?category=…`) does not: honouring it
 * without enforcing the restriction would grant more than was consented to, so until restrictions
 * are enforced such a scope grants nothing.
 */
const RESOURCE_SCOPE = /^(patient|user|system)\/(\*|[A-Z][A-Za-z]{0,63})\.(read|write|\*|c?r?u?d?s?)$/;
/** RFC 6749 §3.3 scope-token. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

export function isResourceType(text: string): boolean {
  return RESOURCE_TYPE.test(text);
}

export function isScopeToken(text: string): boolean {
  return SCOPE_TOKEN.test(text);
}

/** Letters → bits; 0 when empty, unknown, repeated or out of order. */
export function permissionMask(letters: string): number {
  let mask = 0;
  let next = 0;
  for (const letter of letters) {
    const position = LETTERS.indexOf(letter, next);
    if (position < 0) return 0;
    mask |= 1 << position;
    next = position + 1;
  }
  return mask;
}

/** What a token's resource scopes grant: context → resource type or `*` → interactions. */
export type ResourceGrants = Readonly<Record<Context, ReadonlyMap<string, number>>>;

/** Reads the resource scopes out of a token's scopes; everything else is no business of this function. */
export function parseResourceScopes(scopes: Iterable<string>): ResourceGrants {
  const grants = {
    patient: new Map<string, number>(),
    user: new Map<string, number>(),
    system: new Map<string, number>(),
  };
  for (const scope of scopes) {
    const parts = RESOURCE_SCOPE.exec(scope);
    if (parts === null) continue;
    const [, context, resource = '', permission = ''] = parts;
    const mask = permissionMask(V1.get(permission) ?? permission);
    if (mask === 0) continue;
    const map = grants[context as Context];
    map.set(resource, (map.get(resource) ?? 0) | mask);
  }
  return grants;
}

const memo = new WeakMap<AuthenticatedPrincipal, ResourceGrants>();

/** As `parseResourceScopes`, once per principal: principals are frozen and live as long as their token's cache entry. */
export function grantsOf(principal: AuthenticatedPrincipal): ResourceGrants {
  let grants = memo.get(principal);
  if (grants === undefined) {
    grants = parseResourceScopes(principal.scopes);
    memo.set(principal, grants);
  }
  return grants;
}

/** Whether the grants of one context hold every interaction of `mask` on the type; several scopes may add up to it. */
export function holds(grants: ResourceGrants, context: Context, type: string, mask: number): boolean {
  if (mask === 0 || !isResourceType(type)) return false;
  const map = grants[context];
  return (((map.get(type) ?? 0) | (map.get('*') ?? 0)) & mask) === mask;
}
