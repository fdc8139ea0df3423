import { createHmac } from 'node:crypto';
import { createSite, type Site } from '../../console/index.ts';
import type { Clock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import type { GatewaySettings, IssuerSettings, TenantSettings } from '../../contracts/settings.ts';
import type { StateStore } from '../../contracts/state.ts';
import { createFactors, type Factors, type PasskeySite } from '../../identity/factors/index.ts';
import { hashOf } from '../../identity/lengths.ts';
import { RelyingParty } from '../../identity/relying-party/index.ts';
import { HeldForms, LogoutTokens, Sessions, SignIns } from '../../identity/sessions/index.ts';
import { createSealer } from '../../identity/state/index.ts';
import { PAGES } from './paths.ts';

/** Everything for people at browsers that outlives a request. */
export interface Browsers {
  readonly sessions: Sessions;
  readonly signIns: SignIns;
  readonly heldForms: HeldForms;
  readonly logoutTokens: LogoutTokens;
  readonly factors: Factors;
  readonly clock: Clock;
  /** Whether people sign in at this tenant. */
  serves(tenant: { readonly id: TenantId }): boolean;
  site(tenant: TenantId): Site;
  /** Of the issuers that the tenant offers, in the order of its settings. */
  parties(tenant: TenantSettings): readonly RelyingParty[];
  /** An issuer that the tenant offers; nobody else's. */
  party(tenant: TenantSettings, issuerId: string): RelyingParty | undefined;
  issuer(issuerId: string): IssuerSettings | undefined;
  /** Opaque: whether two sign-ins at this tenant were of one person. Says nothing to whoever has no key. */
  whoIs(tenant: TenantId, person: string): string;
  passkeySite(tenant: TenantId, authority: string): PasskeySite;
  close(): void;
}

/** What of the settings all of it is made from; equal settings, and it can be kept over a reload. */
export function browserSettings(settings: GatewaySettings) {
  return {
    state: settings.state,
    keys: settings.stateKeys,
    sessions: settings.sessions,
    issuers: settings.issuers,
    tenants: settings.tenants.map(({ id, hosts, signIn, brand }) => ({ id, hosts, signIn, brand })),
  };
}

/**
 * Undefined when nobody signs in at any tenant.
 * @param state opened when it is first needed. @throws ChartgateError `configuration-invalid`
 */
export function createBrowsers(
  settings: GatewaySettings,
  state: StateStore | undefined,
  clock: Clock,
): Browsers | undefined {
  const served = settings.tenants.filter((tenant) => tenant.signIn !== undefined);
  if (served.length === 0) return undefined;
  const [key] = settings.stateKeys ?? [];
  if (state === undefined || key === undefined || settings.sessions === undefined) {
    throw new ChartgateError('configuration-invalid', 'sign-in needs "state"');
  }
  const sealer = createSealer(settings.stateKeys ?? []);
  const common = { store: state, sealer, clock };
  const issuers = new Map(settings.issuers.map((issuer) => [issuer.id, issuer]));
  const parties = new Map(
    [...new Set(served.flatMap((tenant) => tenant.signIn?.issuers ?? []))].map((id) => {
      const issuer = issuers.get(id);
      if (issuer === undefined) throw new ChartgateError('configuration-invalid', `there is no issuer ${id}`);
      return [id, new RelyingParty(issuer, clock)];
    }),
  );
  const sites = new Map(
    served.map((tenant) => [
      tenant.id,
      createSite({
        brand: tenant.brand ?? { name: tenant.id },
        assetPath: PAGES.assets,
        origins: tenant.hosts.map((host) => `https://${host}`),
      }),
    ]),
  );
  const whoKey = createHmac('sha256', key.reveal()).update('chartgate who').digest();
  const browsers: Browsers = {
    sessions: new Sessions({ ...common, settings: settings.sessions }),
    signIns: new SignIns(common),
    heldForms: new HeldForms(common),
    logoutTokens: new LogoutTokens(state),
    factors: createFactors(common),
    clock,
    serves: ({ id }) => sites.has(id),
    site(tenant) {
      const site = sites.get(tenant);
      if (site === undefined) throw new ChartgateError('internal', 'nobody signs in at this tenant');
      return site;
    },
    parties: (tenant) => (tenant.signIn?.issuers ?? []).flatMap((id) => parties.get(id) ?? []),
    party: (tenant, id) => (tenant.signIn?.issuers.includes(id) === true ? parties.get(id) : undefined),
    issuer: (id) => issuers.get(id),
    whoIs: (tenant, person) =>
      createHmac('sha256', whoKey).update(hashOf(tenant, person)).digest('base64url'),
    passkeySite: (tenant, authority) => ({
      id: authority.replace(/:\d+$/, ''),
      origin: `https://${authority}`,
      name: sites.get(tenant)?.brand.name ?? tenant,
    }),
    close() {
      for (const party of parties.values()) party.close();
    },
  };
  return Object.freeze(browsers);
}
