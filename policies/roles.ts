import { NAME_PATTERN } from '../contracts/identifiers.ts';
import { type Decision, FHIR_VERSIONS, type Route } from '../contracts/policy.ts';
import type { AuthenticatedPrincipal, Principal } from '../contracts/principal.ts';
import type { Reason } from '../contracts/reasons.ts';
import type { PolicyDocument } from '../contracts/settings.ts';
import { type FaultList, token } from './faults.ts';
import { parseScopes } from './fhir/index.ts';
import { rolesHere } from './roles-here.ts';
import { isScopeToken } from './scopes.ts';
import { Shared } from './shared.ts';

const ROLE = new RegExp(NAME_PATTERN);
const RESOURCE_SCOPE_PREFIX = /^(?:patient|user|system)\//;
/** SMART App Launch 2.2, v1 and v2, with or without a search restriction. */
const RESOURCE_SCOPE =
  /^(?:patient|user|system)\/(?:\*|[A-Z][A-Za-z]{0,63})\.(?:read|write|\*|(?=[cruds])c?r?u?d?s?)(?:\?[^?]+)?$/;

/** The roles of a policy, compiled. */
export interface Roles {
  readonly names: ReadonlySet<string>;
  readonly separate: readonly ReadonlySet<string>[];
  /** The principal with the scopes of its roles; itself when they give none. */
  withScopes(principal: Principal): Principal;
  /** The denial of whoever holds two roles that exclude each other. */
  conflict(principal: Principal, route: Pick<Route, 'id'>): Extract<Decision, { effect: 'deny' }> | undefined;
}

const known = new Shared<Roles>();

export function compileRoles(document: PolicyDocument, faults: FaultList): Roles | undefined {
  const key = JSON.stringify([document.roles ?? null, document.separate ?? null]);
  const same = known.get(key);
  if (same !== undefined) return same;
  const before = faults.size;
  const written = Object.entries(document.roles ?? {});
  const scopes = new Map<string, readonly string[]>();
  for (const [name, given] of written) {
    const at = `/roles/${token(name)}`;
    if (!ROLE.test(name)) faults.add(at, `must be a name that matches ${NAME_PATTERN}`);
    given.forEach((scope, i) => {
      const fault = scopeFault(scope);
      if (fault !== undefined) faults.add(`${at}/${i}`, fault);
      else if (given.indexOf(scope) !== i) faults.add(`${at}/${i}`, 'is listed twice');
    });
    scopes.set(name, given);
  }
  const names = new Set(scopes.keys());
  const separate = (document.separate ?? []).map((list, i) => {
    const at = `/separate/${i}`;
    if (list.length < 2) faults.add(at, 'must list at least two roles, of which nobody may hold two');
    list.forEach((name, j) => {
      if (!names.has(name)) faults.add(`${at}/${j}`, unknownRole(names));
      else if (list.indexOf(name) !== j) faults.add(`${at}/${j}`, 'is listed twice');
    });
    return new Set(list);
  });
  if (names.size === 0) return undefined;
  const roles = { names, separate, withScopes: granting(scopes), conflict: excluding(separate) };
  return faults.size > before ? roles : known.keep(key, roles);
}

export function unknownRole(names: ReadonlySet<string>): string {
  const known =
    names.size === 0 ? 'it has none; declare it under "roles"' : `it has ${[...names].join(', ')}`;
  return `is not a role of this policy; ${known}`;
}

/** Why a text gives nobody anything as a scope; undefined when it may. */
function scopeFault(scope: string): string | undefined {
  if (!isScopeToken(scope)) return 'is not a scope (RFC 6749 section 3.3: visible ASCII without " and \\)';
  if (RESOURCE_SCOPE_PREFIX.test(scope) && !RESOURCE_SCOPE.test(scope))
    return 'is not a SMART resource scope, such as user/Observation.rs or patient/*.read, and would give nothing';
  if (!scope.includes('?')) return undefined;
  // A restriction that no version of FHIR can judge grants nothing anywhere.
  const whys = FHIR_VERSIONS.map((version) => parseScopes([scope], version).invalid[0]?.why);
  return whys.every((why) => why !== undefined) ? `would give nothing: it ${whys[0]}` : undefined;
}

/** The same principal object for the same principal, so that what is worked out of its scopes is kept. */
function granting(scopes: ReadonlyMap<string, readonly string[]>): Roles['withScopes'] {
  const made = new WeakMap<Principal, Principal>();
  return (principal) => {
    if (principal.kind === 'anonymous' || rolesHere(principal).size === 0) return principal;
    let widened = made.get(principal);
    if (widened === undefined) {
      widened = widen(principal, scopes);
      made.set(principal, widened);
    }
    return widened;
  };
}

function widen(
  principal: AuthenticatedPrincipal,
  scopes: ReadonlyMap<string, readonly string[]>,
): AuthenticatedPrincipal {
  const given = [...rolesHere(principal)].flatMap((role) => scopes.get(role) ?? []);
  if (given.every((scope) => principal.scopes.has(scope))) return principal;
  // The same verified somebody, who may do what the policy says of their roles: the proof stays with the copy.
  return Object.freeze({ ...principal, scopes: new Set([...principal.scopes, ...given]) });
}

function excluding(separate: readonly ReadonlySet<string>[]): Roles['conflict'] {
  return (principal, route) => {
    const roles = rolesHere(principal);
    if (roles.size < 2) return undefined;
    for (const apart of separate) {
      const held = [...roles].filter((role) => apart.has(role));
      if (held.length < 2) continue;
      const detail = held.join(' with ');
      const reasons: readonly Reason[] = [
        { code: 'route-matched', held: true, detail: route.id },
        { code: 'roles-conflict', held: false, detail },
      ];
      return Object.freeze({ effect: 'deny', denial: 'forbidden', reasons: Object.freeze(reasons) });
    }
    return undefined;
  };
}
