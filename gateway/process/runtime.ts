import { faultsOf, type PolicyRules, type Sources, settingsFrom } from '../../config/index.ts';
import type { Clock } from '../../contracts/clock.ts';
import { ChartgateError, ConfigurationError, type PointedFault } from '../../contracts/errors.ts';
import type { DatabaseId } from '../../contracts/identifiers.ts';
import type { IntegrityOracle } from '../../contracts/integrity.ts';
import type { Revocation } from '../../contracts/issuer-link.ts';
import type { PolicySet } from '../../contracts/policy.ts';
import type { GatewaySettings } from '../../contracts/settings.ts';
import { createAuthenticator, createOtherCallers } from '../../identity/index.ts';
import { payloadFaults } from '../../inspection/index.ts';
import { type Bundle, compilePolicy, verifyBundle } from '../../policies/index.ts';
import type { TenantRouter } from '../../tenant-router/index.ts';
import { Inspection } from '../content/inspection.ts';
import { CONTENT_LIMITS } from '../content/limits.ts';
import { createEmbeddedIssuers, type EmbeddedIssuers } from '../embedded-issuer.ts';
import { Guard, guardKey, guardSettings } from '../guard/index.ts';
import { createOracle } from '../integrity/oracle.ts';
import { createLimits, type DeskLine, type Limits } from '../limits/index.ts';
import { type Browsers, browserSettings, createBrowsers } from '../own-pages/browsers.ts';
import type { Runtime } from '../pipeline/exchange.ts';
import { createSharing, type Sharing, sharingSettings } from '../sharing/sharing.ts';
import { createInspectors, inspectionSettings } from './inspectors.ts';
import { Kept } from './kept.ts';
import { LaterStore } from './later-store.ts';

/** A runtime that can be put away once nothing uses it any more. */
export interface OwnedRuntime extends Runtime {
  readonly databases: readonly DatabaseId[];
  readonly parts: {
    readonly authenticator: Kept<ReturnType<typeof createAuthenticator>>;
    readonly oracle: Kept<IntegrityOracle>;
    readonly limits: Kept<Limits>;
    readonly guard: Kept<Guard>;
    readonly embedded: Kept<EmbeddedIssuers | undefined>;
    readonly browsers: Kept<Browsers | undefined>;
    readonly inspection: Kept<Inspection>;
    readonly sharing: Kept<Sharing | undefined>;
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
 * @throws ConfigurationError with every fault
 */
export function readSettings(sources: Sources): GatewaySettings {
  const settings = settingsFrom(sources, { policyRules });
  const policies = compilePolicies(settings);
  const faults = [
    ...unanswerable(settings, policies),
    ...unreachable(settings, policies),
    ...unapproved(settings, policies),
  ];
  if (faults.length > 0) throw new ConfigurationError(faultsOf(settings, faults));
  return settings;
}

/** Routes that ask the issuer about each token, in a tenant none of whose issuers may be asked: they could only fail. */
function unanswerable(settings: GatewaySettings, policies: ReadonlyMap<string, PolicySet>): PointedFault[] {
  const asked = new Set(
    settings.issuers.filter((issuer) => issuer.introspection !== undefined).map(({ id }) => id),
  );
  return settings.tenants.flatMap((tenant, index) => {
    const route = policies
      .get(tenant.policy)
      ?.routes.find((each) => each.credential === 'bearer' && each.introspection === 'always');
    if (route === undefined || tenant.issuers.some((id) => asked.has(id))) return [];
    const message = `route "${route.id}" of policy "${tenant.policy}" asks the issuer about each token, and no issuer of this tenant has "introspection"; give one, or say "introspection: never" on the routes`;
    return [{ pointer: `/tenants/${index}/issuers`, message }];
  });
}

/** Routes for people who signed in, in a tenant where nobody can. */
function unreachable(settings: GatewaySettings, policies: ReadonlyMap<string, PolicySet>): PointedFault[] {
  return settings.tenants.flatMap((tenant, index) => {
    const route = policies.get(tenant.policy)?.routes.find((each) => each.credential === 'session');
    if (route === undefined || tenant.signIn !== undefined) return [];
    const message = `route "${route.id}" of policy "${tenant.policy}" is for people who signed in at a browser, and this tenant has no "signIn"`;
    return [{ pointer: `/tenants/${index}/policy`, message }];
  });
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
): OwnedRuntime {
  const policies = compilePolicies(settings);
  const { issuers, integrity, limits } = settings;
  const state = Kept.from(
    former?.parts.state,
    settings.state ?? null,
    () => (settings.state === undefined ? undefined : new LaterStore(settings.state, clock)),
    (store) => store?.close(),
  );
  const databases = [...new Set(settings.tenants.map((tenant) => tenant.database))];
  const limiting = Kept.from(
    former?.parts.limits,
    { limits, tenants: settings.tenants.map((tenant) => [tenant.id, tenant.limits]) },
    () => createLimits({ limits, tenants: settings.tenants, workers, desk, clock }),
    (each) => each.close(),
  );
  const parts = {
    authenticator: Kept.from(
      former?.parts.authenticator,
      {
        issuers,
        state: settings.state ?? null,
        tenants: settings.tenants.map(({ id, clientCertificates, apiClients, sharing }) => ({
          id,
          clientCertificates,
          apiClients,
          partners: sharing?.partners,
        })),
      },
      () =>
        createAuthenticator({
          issuers,
          clock,
          state: state.value,
          alone: workers === 1,
          others: createOtherCallers(settings.tenants, state.value, clock),
          onRevocation: revoked,
        }),
      (authenticator) => authenticator.close(),
    ),
    oracle: Kept.from<IntegrityOracle>(
      former?.parts.oracle,
      { integrity, databases },
      () => createOracle({ ...integrity, databases, clock }),
      (oracle) => oracle.close(),
    ),
    guard: Kept.from(
      former?.parts.guard,
      // With other limits there is another connection to Redis.
      [guardSettings(settings), settings.tenants.map((tenant) => [tenant.id, tenant.limits])],
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
    embedded: Kept.from(
      former?.parts.embedded,
      issuers.map(({ issuer, embedded }) => ({ issuer, embedded })),
      () => createEmbeddedIssuers(issuers),
      (embedded) => embedded?.close(),
    ),
    browsers: Kept.from(
      former?.parts.browsers,
      browserSettings(settings),
      () => createBrowsers(settings, state.value, clock),
      (browsers) => browsers?.close(),
    ),
    inspection: Kept.from(
      former?.parts.inspection,
      inspectionSettings(settings),
      () => new Inspection(createInspectors(settings)),
      (inspection) => inspection.close(),
    ),
    sharing: Kept.from(
      former?.parts.sharing,
      sharingSettings(settings),
      () => createSharing(settings, state.value, clock),
      (sharing) => sharing?.close(),
    ),
    // Last: what uses it is put away before it.
    state,
  };
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
    decisionContext: decisionContextOf(parts.sharing.value),
    browsers: parts.browsers.value,
    embedded: parts.embedded.value,
    async close() {
      for (const part of Object.values(parts)) await part.release();
    },
  };
}

/** Undefined where patients cannot share anything. */
function decisionContextOf(sharing: Sharing | undefined): Runtime['decisionContext'] {
  return sharing === undefined ? undefined : Object.freeze({ consents: sharing.view });
}
