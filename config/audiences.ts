import type { PointedFault } from '../contracts/errors.ts';
import type { GatewaySettings, PolicyDocument, TenantSettings } from '../contracts/settings.ts';

/**
 * Tenants that lack an audience which a route of their policy asks for: no token would ever be good there.
 * @param fresh of the tenants those that have not been looked at before
 */
export function audienceFaults(
  { tenants, policies }: Pick<GatewaySettings, 'tenants' | 'policies'>,
  fresh: readonly TenantSettings[] = tenants,
): readonly PointedFault[] {
  const named = new Map<PolicyDocument, readonly string[]>();
  const faults: PointedFault[] = [];
  for (const tenant of fresh) {
    const document = policies.get(tenant.policy);
    if (document === undefined) continue;
    let wanted = named.get(document);
    if (wanted === undefined) {
      wanted = audiencesOf(document);
      named.set(document, wanted);
    }
    for (const name of wanted) {
      if (tenant.audiences?.has(name) === true) continue;
      faults.push({
        pointer: `/tenants/${tenants.indexOf(tenant)}/policy`,
        message: `names a policy with routes for the audience "${name}", which the tenant does not have under "audiences"`,
      });
    }
  }
  return faults;
}

function audiencesOf({ routes, override = [] }: PolicyDocument): readonly string[] {
  return [...new Set([...routes, ...override].flatMap(({ audience }) => audience ?? []))];
}
