import { createHmac, timingSafeEqual } from 'node:crypto';
import { createSite, type Site } from '../../console/index.ts';
import type { Clock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import type { GatewaySettings, IssuerSettings, TenantSettings } from '../../contracts/settings.ts';
import type { StateStore } from '../../contracts/state.ts';
import { type TenantLookup, tenantLookup } from '../../contracts/tenants.ts';
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
  /** Whether `whoIs` made this for somebody at this tenant: nobody else can make such a text up. */
  wasHere(tenant: TenantId, who: string): boolean;
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
    // Who signs in where, it looks up.
    some: settings.tenants.some(signsIn),
  };
}

/** Bytes of a name that says nothing, and of the mark that shows whose it is. */
const WHO_HALF = 16;

function signsIn({ signIn }: TenantSettings): boolean {
  return signIn !== undefined;
}

/**
 * Undefined when nobody signs in at any tenant.
 * @param state opened when it is first needed
 * @param tenants those served at the moment, whatever the settings said when it was made
 * @throws ChartgateError `configuration-invalid`
 */
export function createBrowsers(
  settings: GatewaySettings,
  state: StateStore | undefined,
  clock: Clock,
  tenants: TenantLookup<TenantSettings> = tenantLookup(settings.tenants),
): Browsers | undefined {
  if (!settings.tenants.some(signsIn)) return undefined;
  const [key] = settings.stateKeys ?? [];
  if (state === undefined || key === undefined || settings.sessions === undefined) {
    throw new ChartgateError('configuration-invalid', 'sign-in needs "state"');
  }
  const sealer = createSealer(settings.stateKeys ?? []);
  const common = { store: state, sealer, clock };
  const issuers = new Map(settings.issuers.map((issuer) => [issuer.id, issuer]));
  const parties = new Map<string, RelyingParty>();
  const partyOf = (id: string): RelyingParty | undefined => {
    const known = parties.get(id);
    const issuer = issuers.get(id);
    if (known !== undefined || issuer?.relyingParty === undefined) return known;
    const party = new RelyingParty(issuer, clock);
    parties.set(id, party);
    return party;
  };
  for (const { signIn } of settings.tenants) for (const id of signIn?.issuers ?? []) partyOf(id);
  const sites = new WeakMap<TenantSettings, Site>();
  const siteOf = (id: TenantId): Site | undefined => {
    const tenant = tenants.get(id);
    if (tenant?.signIn === undefined) return undefined;
    let site = sites.get(tenant);
    if (site === undefined) {
      site = createSite({
        brand: tenant.brand ?? { name: tenant.id },
        assetPath: PAGES.assets,
        origins: tenant.hosts.map((host) => `https://${host}`),
      });
      sites.set(tenant, site);
    }
    return site;
  };
  const whoKey = createHmac('sha256', key.reveal()).update('chartgate who').digest();
  const who = (text: string): Buffer =>
    createHmac('sha256', whoKey).update(text).digest().subarray(0, WHO_HALF);
  const markOf = (tenant: TenantId, name: Buffer): Buffer =>
    who(hashOf('mark', tenant, name.toString('base64url')));
  const browsers: Browsers = {
    sessions: new Sessions({ ...common, settings: settings.sessions }),
    signIns: new SignIns(common),
    heldForms: new HeldForms(common),
    logoutTokens: new LogoutTokens(state),
    factors: createFactors(common),
    clock,
    serves: ({ id }) => tenants.get(id)?.signIn !== undefined,
    site(tenant) {
      const site = siteOf(tenant);
      if (site === undefined) throw new ChartgateError('internal', 'nobody signs in at this tenant');
      return site;
    },
    parties: (tenant) => (tenant.signIn?.issuers ?? []).flatMap((id) => partyOf(id) ?? []),
    party: (tenant, id) => (tenant.signIn?.issuers.includes(id) === true ? partyOf(id) : undefined),
    issuer: (id) => issuers.get(id),
    whoIs(tenant, person) {
      const name = who(hashOf('name', tenant, person));
      return Buffer.concat([name, markOf(tenant, name)]).toString('base64url');
    },
    wasHere(tenant, text) {
      const bytes = Buffer.from(text, 'base64url');
      const [name, mark] = [bytes.subarray(0, WHO_HALF), bytes.subarray(WHO_HALF)];
      return mark.length === WHO_HALF && timingSafeEqual(mark, markOf(tenant, name));
    },
    passkeySite: (tenant, authority) => ({
      id: authority.replace(/:\d+$/, ''),
      origin: `https://${authority}`,
      name: siteOf(tenant)?.brand.name ?? tenant,
    }),
    close() {
      for (const party of parties.values()) party.close();
    },
  };
  return Object.freeze(browsers);
}
