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

/** What only a look at a tenant, the issuers and the state together shows. */
export function judgeTenantSharing(
  tenant: View,
  around: { readonly issuers: ReadonlyMap<string, unknown>; readonly state: boolean },
  isTenant: (id: string) => boolean,
): void {
  const [sharing, emergency] = [tenant.at('sharing'), tenant.at('emergency')];
  // First: what is at fault itself is looked into no further.
  judgePartners(tenant, around.issuers, isTenant);
  if (emergency.exists && !emergency.at('roles').exists && !emergency.at('holders').exists)
    emergency.fault('needs "roles" or "holders": who may break the glass');
  if (sharing.exists && !around.state) sharing.fault('needs "state", in which consents are kept', true);
  if (emergency.exists && !around.state)
    emergency.fault('needs "state", in which each emergency access is kept', true);
}

function judgePartners(
  tenant: View,
  issuers: ReadonlyMap<string, unknown>,
  isTenant: (id: string) => boolean,
): void {
  const own = tenant.at('issuers').texts;
  const taken = new Set<string>();
  for (const partner of tenant.at('sharing').at('partners').items) {
    const place = partner.at('tenant');
    if (place.text !== undefined && place.text === tenant.at('id').text)
      place.fault('is the tenant itself; partners are others');
    else if (place.text !== undefined && !isTenant(place.text))
      place.fault('names no tenant of these settings');
    for (const issuer of partner.at('issuers').items) {
      const { text } = issuer;
      if (text === undefined) continue;
      if (!issuers.has(text)) issuer.fault('names no issuer of "issuers"');
      else if (own.includes(text))
        issuer.fault("is one of the tenant's own issuers: it could not be told whose people its tokens are");
      else if (taken.has(text)) issuer.fault('is an issuer of another partner already');
      taken.add(text);
    }
  }
}
