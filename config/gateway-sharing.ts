import { parseTenantId } from '../contracts/identifiers.ts';
import type { EmergencySettings, SharingSettings } from '../contracts/settings.ts';
import { refuseRepeats } from './unique.ts';
import type { View } from './view.ts';

/** Settings of sharing by consent and of emergency access. */

export function sharingOf(view: View): SharingSettings | undefined {
  if (!view.exists) return undefined;
  const partners = view.at('partners').items;
  refuseRepeats(
    partners.map((partner) => partner.at('tenant')),
    (line) => `is a partner already (line ${line})`,
  );
  return {
    partners: partners.flatMap((partner) => {
      const tenant = parseTenantId(partner.at('tenant').text ?? '');
      return tenant === undefined ? [] : [{ tenant, issuers: partner.at('issuers').texts }];
    }),
    longestMs: view.at('longest').milliseconds ?? 0,
  };
}

export function emergencyOf(view: View): EmergencySettings | undefined {
  if (!view.exists) return undefined;
  const [roles, holders] = [view.at('roles'), view.at('holders')];
  const factorMaxAge = view.at('factorMaxAge').milliseconds;
  return {
    roles: roles.texts,
    holders: holders.texts,
    scopes: view.at('scopes').texts,
    durationMs: view.at('duration').milliseconds ?? 0,
    factorMaxAge: factorMaxAge === undefined ? undefined : factorMaxAge / 1000,
  };
}

/** What only a look at tenants, issuers and state together shows. */
export function judgeSharing(root: View): void {
  const tenants = root.at('tenants').items;
  const issuers = new Set(root.at('issuers').items.map((view) => view.at('id').text));
  const ids = new Set(tenants.map((tenant) => tenant.at('id').text));
  const kept = root.at('state').exists;
  for (const tenant of tenants) {
    const [sharing, emergency] = [tenant.at('sharing'), tenant.at('emergency')];
    // First: what is at fault itself is looked into no further.
    judgePartners(tenant, { issuers, ids });
    if (emergency.exists && !emergency.at('roles').exists && !emergency.at('holders').exists)
      emergency.fault('needs "roles" or "holders": who may break the glass');
    if (sharing.exists && !kept) sharing.fault('needs "state", in which consents are kept', true);
    if (emergency.exists && !kept)
      emergency.fault('needs "state", in which each emergency access is kept', true);
  }
}

function judgePartners(
  tenant: View,
  known: {
    readonly issuers: ReadonlySet<string | undefined>;
    readonly ids: ReadonlySet<string | undefined>;
  },
): void {
  const own = tenant.at('issuers').texts;
  const taken = new Set<string>();
  for (const partner of tenant.at('sharing').at('partners').items) {
    const place = partner.at('tenant');
    if (place.text !== undefined && place.text === tenant.at('id').text)
      place.fault('is the tenant itself; partners are others');
    else if (place.text !== undefined && !known.ids.has(place.text))
      place.fault('names no tenant of these settings');
    for (const issuer of partner.at('issuers').items) {
      const { text } = issuer;
      if (text === undefined) continue;
      if (!known.issuers.has(text)) issuer.fault('names no issuer of "issuers"');
      else if (own.includes(text))
        issuer.fault("is one of the tenant's own issuers: it could not be told whose people its tokens are");
      else if (taken.has(text)) issuer.fault('is an issuer of another partner already');
      taken.add(text);
    }
  }
}
