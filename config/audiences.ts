import type { PointedFault } from '../contracts/errors.ts';
import type { GatewaySettings, PolicyDocument } from '../contracts/settings.ts';

/** Tenants that lack an audience which a route of their policy asks for: no token would ever be good there. */
export function audienceFaults({
  tenants,
  policies,
}: Pick<GatewaySettings, 'tenants' | 'policies'>): readonly PointedFault[] {
  const named = new Map<PolicyDocument, readonly string[]>();
  const faults: PointedFault[] = [];
  tenants.forEach((tenant, index) => {
    const document = policies.get(tenant.policy);
    if (document === undefined) return;
    let wanted = named.get(document);
    if (wanted === undefined) {
      wanted = audiencesOf(document);
      named.set(document, wanted);
    }
    for (const name of wanted) {
      if (tenant.audiences?.has(name) === true) continue;
      faults.push({
        pointer: `/tenants/${index}/policy`,
        message: `names a policy with routes for the audience "${name}", which the tenant does not have under "audiences"`,
      });
    }
  });
  return faults;
}

function audiencesOf({ routes, override = [] }: PolicyDocument): readonly string[] {
  return [...new Set([...routes, ...override].flatMap(({ audience }) => audience ?? []))];
}
