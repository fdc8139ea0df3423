import type { PointedFault } from '../../contracts/errors.ts';
import type { PolicySet, Route } from '../../contracts/policy.ts';
import type { GatewaySettings, TenantSettings } from '../../contracts/settings.ts';

/**
 * What only a look at tenants and compiled policies together shows.
 * @param fresh of the tenants those that have not been looked at before
 */
export function tenantFaults(
  settings: GatewaySettings,
  policies: ReadonlyMap<string, PolicySet>,
  fresh: readonly TenantSettings[],
): readonly PointedFault[] {
  return [...unanswerable(settings, policies, fresh), ...unreachable(settings, policies, fresh)];
}

/** Routes that ask the issuer about each token, in a tenant none of whose issuers may be asked: they could only fail. */
function unanswerable(
  settings: GatewaySettings,
  policies: ReadonlyMap<string, PolicySet>,
  fresh: readonly TenantSettings[],
): PointedFault[] {
  const asked = new Set(
    settings.issuers.filter((issuer) => issuer.introspection !== undefined).map(({ id }) => id),
  );
  const asking = routeOf(policies, (each) => each.credential === 'bearer' && each.introspection === 'always');
  return fresh.flatMap((tenant) => {
    const route = asking(tenant.policy);
    if (route === undefined || tenant.issuers.some((id) => asked.has(id))) return [];
    const message = `route "${route.id}" of policy "${tenant.policy}" asks the issuer about each token, and no issuer of this tenant has "introspection"; give one, or say "introspection: never" on the routes`;
    return [{ pointer: `/tenants/${settings.tenants.indexOf(tenant)}/issuers`, message }];
  });
}

/** Routes for people who signed in, in a tenant where nobody can. */
function unreachable(
  settings: GatewaySettings,
  policies: ReadonlyMap<string, PolicySet>,
  fresh: readonly TenantSettings[],
): PointedFault[] {
  const signedIn = routeOf(policies, (each) => each.credential === 'session');
  return fresh.flatMap((tenant) => {
    const route = signedIn(tenant.policy);
    if (route === undefined || tenant.signIn !== undefined) return [];
    const message = `route "${route.id}" of policy "${tenant.policy}" is for people who signed in at a browser, and this tenant has no "signIn"`;
    return [{ pointer: `/tenants/${settings.tenants.indexOf(tenant)}/policy`, message }];
  });
}

/** The first such route of a policy, looked for once however many tenants have that policy. */
function routeOf(policies: ReadonlyMap<string, PolicySet>, which: (route: Route) => boolean) {
  const found = new Map([...policies].map(([name, { routes }]) => [name, routes.find(which)]));
  return (policy: string): Route | undefined => found.get(policy);
}
