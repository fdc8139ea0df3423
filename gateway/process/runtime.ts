import { faultsOf } from '../../config/index.ts';
import type { Clock } from '../../contracts/clock.ts';
import { ConfigurationError, type Fault } from '../../contracts/errors.ts';
import type { DatabaseId } from '../../contracts/identifiers.ts';
import type { IntegrityOracle } from '../../contracts/integrity.ts';
import type { PolicySet } from '../../contracts/policy.ts';
import type { GatewaySettings } from '../../contracts/settings.ts';
import { createAuthenticator } from '../../identity/index.ts';
import { compilePolicy } from '../../policies/index.ts';
import type { TenantRouter } from '../../tenant-router/index.ts';
import { createOracle } from '../integrity/oracle.ts';
import { createLimits } from '../limits.ts';
import type { Runtime } from '../pipeline/exchange.ts';

/** A runtime that can be put away once nothing uses it any more. */
export interface OwnedRuntime extends Runtime {
  readonly databases: readonly DatabaseId[];
  close(): Promise<void>;
}

/** Compiles every policy of a configuration; throws with the faults of all of them. */
export function compilePolicies(settings: GatewaySettings): ReadonlyMap<string, PolicySet> {
  const compiled = new Map<string, PolicySet>();
  const faults: Fault[] = [];
  for (const [name, document] of settings.policies) {
    const result = compilePolicy(name, document, { hideDeadlineMs: settings.hiding.deadlineMs });
    if (result.ok) compiled.set(name, result.policy);
    else faults.push(...faultsOf(document, result.faults));
  }
  if (faults.length > 0) throw new ConfigurationError(faults);
  return compiled;
}

/**
 * Compiles a whole configuration, or throws without having changed anything. Nothing of it serves before
 * the caller swaps the reference. The router outlives configurations, so that back ends that did not change
 * keep their connections; the caller gives it the new tenants in the moment of the swap.
 */
export function createRuntime(
  settings: GatewaySettings,
  router: TenantRouter,
  clock: Clock,
  workers: number,
): OwnedRuntime {
  const policies = compilePolicies(settings);
  const databases = [...new Set(settings.tenants.map((tenant) => tenant.database))];
  const authenticator = createAuthenticator({ issuers: settings.issuers, clock });
  const oracle: IntegrityOracle = createOracle({ ...settings.integrity, databases, clock });
  return {
    settings,
    policies,
    router,
    authenticator,
    oracle,
    databases,
    limits: createLimits(settings.limits, workers),
    async close() {
      authenticator.close();
      await oracle.close();
    },
  };
}
