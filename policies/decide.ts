import type { RequestFacts } from '../contracts/facts.ts';
import type { Decision, DecisionContext, PolicySet, RouteMatch } from '../contracts/policy.ts';
import type { AuthenticatedPrincipal, Principal } from '../contracts/principal.ts';
import type { Reason, ReasonCode } from '../contracts/reasons.ts';
import type { SmartRule } from './access.ts';
import { buildFhirDecider } from './fhir/index.ts';
import { patientNamed } from './patient.ts';
import { type Context, grantsOf, holds, isResourceType } from './scopes.ts';
import { isFactorFresh, isTaken, MISSING } from './standing.ts';
import type { Terms } from './terms.ts';

type Permit = Extract<Decision, { effect: 'permit' }>;
type Deny = Extract<Decision, { effect: 'deny' }>;

/** Decides the requests that a rule matched. */
export type Decider = (
  facts: RequestFacts,
  match: RouteMatch,
  principal: Principal,
  nowSeconds: number,
  context?: DecisionContext,
  /** The whole policy in force, for requests within the request. */
  self?: PolicySet,
) => Decision;

function reason(code: ReasonCode, held: boolean, detail?: string): Reason {
  return Object.freeze(detail === undefined ? { code, held } : { code, held, detail });
}

function permit(reasons: readonly Reason[]): Permit {
  return Object.freeze({ effect: 'permit', reasons: Object.freeze([...reasons]) });
}

function deny(denial: Deny['denial'], reasons: readonly Reason[], scopeNeeded?: string): Deny {
  const common = { effect: 'deny', denial, reasons: Object.freeze([...reasons]) } as const;
  return Object.freeze(scopeNeeded === undefined ? common : { ...common, scopeNeeded });
}

/** The answer to whatever no rule speaks of. */
export const ROUTE_UNKNOWN: Decision = deny('route-unknown', [reason('route-unknown', false)]);

/**
 * Builds what decides on some terms, all but the first reason: that the rule matched. Every permit there can be is
 * made here, once.
 */
export function buildDecider({ access, fhir, demands }: Terms): Decider {
  if (access.credential === 'anonymous') {
    const decision = permit([reason('anonymous-permitted', true)]);
    return () => decision;
  }
  const { credential } = access;
  const unauthenticated = deny('unauthenticated', [reason(MISSING[credential], false)]);
  const { audience } = demands;
  const elsewhere = deny('unauthenticated', [reason('token-audience', false, audience)]);
  const authenticated = [
    reason('authenticated', true),
    ...(audience === undefined ? [] : [reason('token-audience', true, audience)]),
  ];
  const stale = deny('factor-stale', [...authenticated, reason('factor-stale', false)]);
  const limited = demands.factorMaxAge !== undefined;
  const held = limited ? [...authenticated, reason('factor-fresh', true)] : authenticated;
  const plain = plainScopes(access.scopes);
  const plainHeld = [...held, ...plain.map(({ present }) => present)];
  /** The scopes that are missing, as a denial. */
  const lacking = (principal: AuthenticatedPrincipal): Deny =>
    deny(
      'insufficient-scope',
      [...held, ...plainReasons(plain, principal)],
      missing(plain, principal).join(' '),
    );

  if (fhir !== undefined) {
    const decide = buildFhirDecider(fhir, Object.freeze(plainHeld));
    return (facts, match, principal, now, context, self) => {
      if (!isTaken(credential, principal)) return unauthenticated;
      if (principal.audience !== audience) return elsewhere;
      if (!isFactorFresh(demands, principal.authentication, now)) return stale;
      if (!hasAll(plain, principal)) return lacking(principal);
      return decide({ facts, match, principal, now, context, self });
    };
  }

  if (access.smart === undefined) {
    const decision = permit(plainHeld);
    return (_facts, _match, principal, now) => {
      if (!isTaken(credential, principal)) return unauthenticated;
      if (principal.audience !== audience) return elsewhere;
      if (!isFactorFresh(demands, principal.authentication, now)) return stale;
      return hasAll(plain, principal) ? decision : lacking(principal);
    };
  }

  const { smart } = access;
  const permits = preparePermits(smart, plainHeld);
  const scopes = prepareScopes(smart);
  return (facts, match, principal, now) => {
    if (!isTaken(credential, principal)) return unauthenticated;
    if (principal.audience !== audience) return elsewhere;
    if (!isFactorFresh(demands, principal.authentication, now)) return stale;
    const type = resourceType(smart, match);
    if (type !== undefined && hasAll(plain, principal)) {
      const context = grantingContext(smart, type, facts, match, principal);
      const decision = context === undefined ? undefined : permits(type)?.[context];
      if (decision !== undefined) return decision;
    }
    return denySmart({ smart, scopes, plain, held, type, facts, match, principal });
  };
}

/** A scope and what is said of it. */
interface Told {
  readonly scope: string;
  readonly present: Reason;
  readonly missing: Reason;
}

function plainScopes(scopes: readonly string[]): readonly Told[] {
  return scopes.map((scope) => ({
    scope,
    present: reason('scope-present', true, scope),
    missing: reason('scope-missing', false, scope),
  }));
}

function hasAll(plain: readonly Told[], { scopes }: AuthenticatedPrincipal): boolean {
  for (let i = 0; i < plain.length; i += 1) if (!scopes.has((plain[i] as Told).scope)) return false;
  return true;
}

function missing(plain: readonly Told[], { scopes }: AuthenticatedPrincipal): string[] {
  return plain.filter(({ scope }) => !scopes.has(scope)).map(({ scope }) => scope);
}

function plainReasons(plain: readonly Told[], { scopes }: AuthenticatedPrincipal): readonly Reason[] {
  return plain.map(({ scope, present, missing }) => (scopes.has(scope) ? present : missing));
}

/** The resource type that the request is about; undefined when the captured text cannot be one. */
function resourceType(smart: SmartRule, match: RouteMatch): string | undefined {
  const { resource } = smart;
  if (resource.from === 'literal') return resource.type;
  const type = match.captures[resource.index];
  return type !== undefined && isResourceType(type) ? type : undefined;
}

/**
 * What a reason calls the scope. A type that the policy lists is named; one that only the request
 * named is not repeated, because reasons are written to logs.
 */
function scopeName(smart: SmartRule, context: Context, type: string | undefined): string {
  const { resource } = smart;
  const listed =
    resource.from === 'literal' || (type !== undefined && resource.types?.includes(type) === true);
  const shown = resource.from === 'literal' ? resource.type : listed ? type : `{${resource.name}}`;
  return `${context}/${shown}.${smart.permission}`;
}

/** What is said of the scope of each context, in their order: of the types that the policy lists, and of any other. */
function prepareScopes(smart: SmartRule): (type: string | undefined) => readonly Told[] {
  const make = (type: string | undefined): readonly Told[] =>
    plainScopes(smart.contexts.map((context) => scopeName(smart, context, type)));
  const { resource } = smart;
  const others = make(undefined);
  if (resource.from === 'literal' || resource.types === undefined) return () => others;
  const byType = new Map(resource.types.map((type) => [type, make(type)]));
  return (type) => (type === undefined ? others : (byType.get(type) ?? others));
}

function preparePermits(
  smart: SmartRule,
  plainHeld: readonly Reason[],
): (type: string) => Partial<Record<Context, Permit>> | undefined {
  const make = (type: string | undefined): Partial<Record<Context, Permit>> => {
    const made: Partial<Record<Context, Permit>> = {};
    for (const context of smart.contexts) {
      const reasons = [...plainHeld, reason('scope-present', true, scopeName(smart, context, type))];
      if (context === 'patient') reasons.push(reason('patient-matches', true));
      made[context] = permit(reasons);
    }
    return Object.freeze(made);
  };
  const { resource } = smart;
  if (resource.from === 'literal' || resource.types === undefined) {
    const made = make(undefined);
    return () => made;
  }
  const byType = new Map(resource.types.map((type) => [type, make(type)]));
  return (type) => byType.get(type);
}

/** The first context, as the route lists them, whose scopes count for this request and suffice. */
function grantingContext(
  smart: SmartRule,
  type: string,
  facts: RequestFacts,
  match: RouteMatch,
  principal: AuthenticatedPrincipal,
): Context | undefined {
  const grants = grantsOf(principal);
  const { contexts } = smart;
  for (let i = 0; i < contexts.length; i += 1) {
    const context = contexts[i] as Context;
    if (!holds(grants, context, type, smart.mask)) continue;
    if (context !== 'patient') return context;
    const named = patientNamed(smart.patient, facts, match);
    if (named !== undefined && isClaim(principal.patient) && named === principal.patient) return context;
  }
  return undefined;
}

function isClaim(patient: string | undefined): patient is string {
  return typeof patient === 'string' && patient !== '';
}

interface DeniedSmart {
  readonly smart: SmartRule;
  readonly scopes: (type: string | undefined) => readonly Told[];
  readonly plain: readonly Told[];
  readonly held: readonly Reason[];
  readonly type: string | undefined;
  readonly facts: RequestFacts;
  readonly match: RouteMatch;
  readonly principal: AuthenticatedPrincipal;
}

/** Says why, condition by condition. Whatever it is handed, its answer is a denial. */
function denySmart({ smart, scopes, plain, held, type, facts, match, principal }: DeniedSmart): Deny {
  const reasons: Reason[] = held.concat(plainReasons(plain, principal));
  const needed = missing(plain, principal);
  const grants = grantsOf(principal);
  const named = scopes(type);
  let first: Context | undefined;
  let mismatch = false;
  let contextNeeded = false;
  const { contexts } = smart;
  for (let i = 0; i < contexts.length; i += 1) {
    const context = contexts[i] as Context;
    const present = type !== undefined && holds(grants, context, type, smart.mask);
    const told = present ? named[i]?.present : named[i]?.missing;
    if (told !== undefined) reasons.push(told);
    if (!present) first ??= context;
    else if (context === 'patient') {
      if (!isClaim(principal.patient)) {
        contextNeeded = true;
        reasons.push(CLAIM_MISSING);
      } else {
        const patient = patientNamed(smart.patient, facts, match);
        mismatch = patient !== undefined && patient !== principal.patient;
        reasons.push(
          mismatch ? PATIENT_MISMATCH : reason('patient-context-missing', false, sourceName(smart)),
        );
      }
    }
  }
  // Only what depends on the token and the route may be said; whose record it is may not (design, existence hiding).
  if (needed.length === 0 && mismatch) return deny('record-hidden', reasons);
  if (type !== undefined && grantingContext(smart, type, facts, match, principal) === undefined) {
    // The launch context is what helps a patient's app whose token came without one.
    if (contextNeeded) needed.push('launch/patient');
    else if (first !== undefined) needed.push(`${first}/${type}.${smart.permission}`);
  }
  return deny('insufficient-scope', reasons, needed.length === 0 ? undefined : needed.join(' '));
}

const CLAIM_MISSING = reason('patient-context-missing', false, 'claim patient');
const PATIENT_MISMATCH = reason('patient-mismatch', false);

function sourceName(smart: SmartRule): string {
  return smart.patient === undefined ? '' : `${smart.patient.from} ${smart.patient.name}`;
}
