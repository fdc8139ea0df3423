import { faultsOf, freshTenants, type PolicyRules, type Sources, settingsFrom } from '../../config/index.ts';
import type { Clock } from '../../contracts/clock.ts';
import { ChartgateError, ConfigurationError, type PointedFault } from '../../contracts/errors.ts';
import type { DatabaseId } from '../../contracts/identifiers.ts';
import type { Revocation } from '../../contracts/issuer-link.ts';
import type { PolicySet } from '../../contracts/policy.ts';
import type { GatewaySettings, TenantSettings } from '../../contracts/settings.ts';
import { createAuthenticator, createOtherCallers } from '../../identity/index.ts';
import { payloadFaults } from '../../inspection/index.ts';
import { type Bundle, compilePolicy, verifyBundle } from '../../policies/index.ts';
import type { TenantRouter } from '../../tenant-router/index.ts';
import { Inspection } from '../content/inspection.ts';
import { CONTENT_LIMITS } from '../content/limits.ts';
import { createEmbeddedIssuers, type EmbeddedIssuers } from '../embedded-issuer.ts';
import { Guard, guardKey, guardSettings } from '../guard/index.ts';
import { Incidents } from '../incidents/store.ts';
import { createOracle, type Oracle } from '../integrity/oracle.ts';
import { createLimits, type DeskLine, type Limits } from '../limits/index.ts';
import { type Browsers, browserSettings, createBrowsers } from '../own-pages/browsers.ts';
import type { Runtime } from '../pipeline/exchange.ts';
import { createSharing, type Sharing, sharingSettings } from '../sharing/sharing.ts';
import { createInspectors, inspectionSettings } from './inspectors.ts';
import { Kept } from './kept.ts';
import { LaterStore } from './later-store.ts';
import { TenantBook } from './tenant-book.ts';
import { tenantFaults } from './tenant-faults.ts';

/** A runtime that can be put away once nothing uses it any more. */
export interface OwnedRuntime extends Runtime {
  readonly databases: readonly DatabaseId[];
  readonly parts: {
    readonly authenticator: Kept<ReturnType<typeof createAuthenticator>>;
    readonly oracle: Kept<Oracle>;
    readonly limits: Kept<Limits>;
    readonly guard: Kept<Guard>;
    readonly embedded: Kept<EmbeddedIssuers | undefined>;
    readonly browsers: Kept<Browsers | undefined>;
    readonly inspection: Kept<Inspection>;
    readonly sharing: Kept<Sharing | undefined>;
    readonly incidents: Kept<Incidents | undefined>;
    readonly state: Kept<LaterStore | undefined>;
  };
  close(): Promise<void>;
}

/** What only the compiler of policies can find; given to `config` here, because the two do not know each other. */
export const policyRules: PolicyRules = (document, hideDeadlineMs) => {
  const compiled = compilePolicy('policy', document, { hideDeadlineMs });
  return [...(compiled.ok ? [] : compiled.faults), ...payloadFaults(document)];
};

/**
 * Settings out of sources, whole: form, references, policies, and what only both together show.
 * @param former settings of which is kept what was made of the same sources
 * @throws ConfigurationError with every fault
 */
export function readSettings(sources: Sources, former?: GatewaySettings): GatewaySettings {
  const settings = settingsFrom(sources, { policyRules }, former);
  const policies = compilePolicies(settings);
  const faults = [
    ...tenantFaults(settings, policies, freshTenants(settings, former) ?? settings.tenants),
    ...unapproved(settings, policies),
  ];
  if (faults.length > 0) throw new ConfigurationError(faultsOf(settings, faults));
  return settings;
}

/** What administrators sign. */
export function bundleOf(settings: GatewaySettings, policies: ReadonlyMap<string, PolicySet>): Bundle {
  return {
    policies: [...policies.values()].map(({ name, digest }) => ({ name, digest })),
    tenants: settings.tenants.map(({ id, policy }) => ({ id, policy })),
  };
}

/** Policies that not enough administrators signed, where the settings demand it. */
function unapproved(settings: GatewaySettings, policies: ReadonlyMap<string, PolicySet>): PointedFault[] {
  const approval = settings.policyApproval;
  if (approval === undefined) return [];
  try {
    verifyBundle(bundleOf(settings, policies), approval);
    return [];
  } catch (error) {
    if (!(error instanceof ChartgateError)) throw error;
    return [{ pointer: '/policyApproval/signatures', message: error.message }];
  }
}

/** The policies of settings that `readSettings` found to be whole. */
export function compilePolicies(settings: GatewaySettings): ReadonlyMap<string, PolicySet> {
  const known = compiledPolicies.get(settings.policies);
  if (known !== undefined && known.deadlineMs === settings.hiding.deadlineMs) return known.policies;
  const policies = compile(settings);
  compiledPolicies.set(settings.policies, { deadlineMs: settings.hiding.deadlineMs, policies });
  return policies;
}

/** Documents are frozen: compiled once, they stay so as long as somebody has them. */
const compiledPolicies = new WeakMap<
  GatewaySettings['policies'],
  { readonly deadlineMs: number; readonly policies: ReadonlyMap<string, PolicySet> }
>();

function compile(settings: GatewaySettings): ReadonlyMap<string, PolicySet> {
  const compiled = new Map<string, PolicySet>();
  for (const [name, document] of settings.policies) {
    const result = compilePolicy(name, document, { hideDeadlineMs: settings.hiding.deadlineMs });
    if (!result.ok) throw new ConfigurationError(faultsOf(document, result.faults));
    compiled.set(name, result.policy);
  }
  return compiled;
}

/**
 * Compiles a whole configuration, or throws without having changed anything. Nothing of it serves before
 * the caller swaps the reference. The router outlives configurations, so that back ends that did not change
 * keep their connections; the caller gives it the new tenants in the moment of the swap. Of the `former`
 * configuration, what was made from the same settings is kept.
 *
 * @param desk where the workers of this gateway count together
 * @param book the tenants that are served at the moment; the caller gives it the new ones in the moment of the swap
 * @param revoked told of whatever an embedded issuer revokes, so that sessions end with it
 */
export function createRuntime(
  settings: GatewaySettings,
  router: TenantRouter,
  clock: Clock,
  workers: number,
  former?: OwnedRuntime,
  revoked: (issuer: string, revocation: Revocation) => void = () => {},
  desk?: DeskLine,
  book: TenantBook = new TenantBook(settings.tenants),
): OwnedRuntime {
  // What parts are made from but for the tenants, which they look up: where it is the same, all of them are kept.
  const same = former !== undefined && onlyTenantsDiffer(former.settings, settings);
  const policies = compilePolicies(settings);
  const { issuers, integrity, limits } = settings;
  const keep = <T>(
    known: Kept<T> | undefined,
    from: () => unknown,
    make: () => T,
    close: (value: T) => unknown,
  ): Kept<T> => (same ? known?.again() : undefined) ?? Kept.from(known, from(), make, close);
  const state = keep(
    former?.parts.state,
    () => settings.state ?? null,
    () => (settings.state === undefined ? undefined : new LaterStore(settings.state, clock)),
    (store) => store?.close(),
  );
  const databases = [...new Set(settings.tenants.map((tenant) => tenant.database))];
  const limiting = keep(
    former?.parts.limits,
    () => limits,
    () => createLimits({ limits, tenants: book, workers, desk, clock }),
    (each) => each.close(),
  );
  const parts = {
    authenticator: Kept.from(
      former?.parts.authenticator,
      { issuers, state: settings.state ?? null, partners: partnersOf(settings.tenants) },
      () =>
        createAuthenticator({
          issuers,
          clock,
          state: state.value,
          alone: workers === 1 && (limits.redis?.gateways ?? 1) === 1,
          others: createOtherCallers(book, state.value, clock),
          onRevocation: revoked,
        }),
      (authenticator) => authenticator.close(),
    ),
    oracle: keep<Oracle>(
      former?.parts.oracle,
      () => integrity,
      () => createOracle({ ...integrity, databases, clock }),
      (oracle) => oracle.close(),
    ),
    guard: keep(
      former?.parts.guard,
      // With other limits, which are among them, there is another connection to Redis.
      () => guardSettings(settings),
      () =>
        new Guard({
          settings: settings.guard,
          key: guardKey(settings),
          desk: workers > 1 ? desk : undefined,
          redis: limiting.value.redis,
          state: state.value,
          clock,
        }),
      (guard) => guard.close(),
    ),
    limits: limiting,
    embedded: keep(
      former?.parts.embedded,
      () => issuers.map(({ issuer, embedded }) => ({ issuer, embedded })),
      () => createEmbeddedIssuers(issuers),
      (embedded) => embedded?.close(),
    ),
    browsers: Kept.from(
      former?.parts.browsers,
      browserSettings(settings),
      () => createBrowsers(settings, state.value, clock, book),
      (browsers) => browsers?.close(),
    ),
    inspection: keep(
      former?.parts.inspection,
      () => inspectionSettings(settings),
      () => new Inspection(createInspectors(settings)),
      (inspection) => inspection.close(),
    ),
    sharing: Kept.from(
      former?.parts.sharing,
      sharingSettings(settings),
      () => createSharing(settings, state.value, clock, book),
      (sharing) => sharing?.close(),
    ),
    incidents: keep(
      former?.parts.incidents,
      () => settings.incidents ?? null,
      () => (settings.incidents === undefined ? undefined : new Incidents(settings.incidents, clock)),
      (each) => each?.close(),
    ),
    // Last: what uses it is put away before it.
    state,
  };
  parts.oracle.value.add(databases);
  return {
    settings,
    policies,
    router,
    databases,
    parts,
    authenticator: parts.authenticator.value,
    oracle: parts.oracle.value,
    inspection: parts.inspection.value,
    contentLimits: settings.content ?? CONTENT_LIMITS,
    limits: parts.limits.value,
    guard: parts.guard.value,
    state: parts.state.value,
    sharing: parts.sharing.value,
    incidents: parts.incidents.value,
    decisionContext: decisionContextOf(parts.sharing.value),
    browsers: parts.browsers.value,
    embedded: parts.embedded.value,
    async close() {
      for (const part of Object.values(parts)) await part.release();
    },
  };
}

/** Whose people are known by a token depends on it, and tokens are remembered. */
function partnersOf(tenants: readonly TenantSettings[]): unknown {
  return tenants.flatMap(({ id, sharing }) =>
    sharing === undefined || sharing.partners.length === 0 ? [] : [{ id, partners: sharing.partners }],
  );
}

function onlyTenantsDiffer(a: GatewaySettings, b: GatewaySettings): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof GatewaySettings>;
  return [...keys].every((key) => key === 'tenants' || a[key] === b[key]);
}

/** Undefined where patients cannot share anything. */
function decisionContextOf(sharing: Sharing | undefined): Runtime['decisionContext'] {
  return sharing === undefined ? undefined : Object.freeze({ consents: sharing.view });
}
