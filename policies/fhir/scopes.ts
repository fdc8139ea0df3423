import type { FhirVersion } from '../../contracts/policy.ts';
import type { AuthenticatedPrincipal } from '../../contracts/principal.ts';
import { CONTEXTS, type Context, permissionMask } from '../scopes.ts';
import { definitionsOf } from './definitions/index.ts';
import { parseRestriction, type Restriction } from './restriction.ts';

/** One resource scope of a token that counts. */
export interface Grant {
  readonly context: Context;
  /** A resource type, or `*`. */
  readonly type: string;
  readonly mask: number;
  /** SMART App Launch 2.2, "Finer-grained resource constraints using search parameters"; undefined: every resource. */
  readonly restriction: Restriction | undefined;
}

/** Why a scope that looks like a resource scope grants nothing. */
export interface InvalidScope {
  /** The scope up to its `?`: what comes after may name a record. */
  readonly scope: string;
  readonly why: string;
}

export interface ParsedScopes {
  readonly grants: readonly Grant[];
  readonly invalid: readonly InvalidScope[];
}

const V1: ReadonlyMap<string, string> = new Map([
  ['read', 'rs'],
  ['write', 'cud'],
  ['*', 'cruds'],
]);
const SHAPE = /^([a-z]+)\/([^.?]*)\.([^?]*)(\?.*)?$/;

/** Whether a scope claims to be about resources, so that it is explained when it is wrong. */
function looksLikeResourceScope(scope: string): boolean {
  return /^(?:patient|user|system)\//.test(scope);
}

export function parseScopes(scopes: Iterable<string>, version: FhirVersion): ParsedScopes {
  const grants: Grant[] = [];
  const invalid: InvalidScope[] = [];
  for (const scope of scopes) {
    if (!looksLikeResourceScope(scope)) continue;
    const parsed = parseScope(scope, version);
    if (typeof parsed === 'string')
      invalid.push({
        scope: (scope.split('?')[0] ?? '').slice(0, 96).replace(/[^\x21-\x7e]/g, '\ufffd'),
        why: parsed,
      });
    else grants.push(parsed);
  }
  return Object.freeze({ grants: Object.freeze(widen(grants)), invalid: Object.freeze(invalid) });
}

function parseScope(scope: string, version: FhirVersion): Grant | string {
  const [, context = '', type = '', permission = '', query] = SHAPE.exec(scope) ?? [];
  const known = CONTEXTS.find((name) => name === context);
  if (known === undefined) return 'is not of the form context/Type.permissions';
  if (type !== '*' && !definitionsOf(version).has(type)) return `names no resource type of ${version}`;
  const mask = permissionMask(V1.get(permission) ?? permission);
  if (mask === 0) return 'has permissions other than read, write, * or letters of cruds in that order';
  if (query === undefined) return Object.freeze({ context: known, type, mask, restriction: undefined });
  if (V1.has(permission)) return 'has a search restriction, which only v2 permissions can have';
  const restriction = parseRestriction(query.slice(1), type, version);
  if (typeof restriction === 'string') return restriction;
  return Object.freeze({ context: known, type, mask, restriction });
}

/**
 * Scopes add up: `patient/Observation.r patient/Observation.s` is `patient/Observation.rs`. What a context may do with
 * every resource of a type, it may do with those of a restricted scope too.
 */
function widen(grants: readonly Grant[]): Grant[] {
  const whole = new Map<Context, Map<string, number>>(CONTEXTS.map((context) => [context, new Map()]));
  for (const { context, type, mask, restriction } of grants) {
    const masks = whole.get(context);
    if (restriction === undefined) masks?.set(type, (masks.get(type) ?? 0) | mask);
  }
  const added = (context: Context, type: string): number =>
    (whole.get(context)?.get(type) ?? 0) | (whole.get(context)?.get('*') ?? 0);
  const result: Grant[] = [];
  for (const [context, masks] of whole) {
    for (const type of masks.keys()) {
      result.push(Object.freeze({ context, type, mask: added(context, type), restriction: undefined }));
    }
  }
  for (const grant of grants) {
    if (grant.restriction === undefined) continue;
    result.push(Object.freeze({ ...grant, mask: grant.mask | added(grant.context, grant.type) }));
  }
  return result;
}

const memo = new WeakMap<AuthenticatedPrincipal, Map<FhirVersion, ParsedScopes>>();

/** As `parseScopes`, once per principal and version: principals are frozen and live as long as their credential's cache entry. */
export function scopesOf(principal: AuthenticatedPrincipal, version: FhirVersion): ParsedScopes {
  const byVersion = memo.get(principal) ?? new Map<FhirVersion, ParsedScopes>();
  memo.set(principal, byVersion);
  const known = byVersion.get(version);
  if (known !== undefined) return known;
  const parsed = parseScopes(principal.scopes, version);
  byVersion.set(version, parsed);
  return parsed;
}
