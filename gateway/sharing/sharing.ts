import { setTimeout as sleep } from 'node:timers/promises';
import type { ActivitySink } from '../../contracts/activity.ts';
import type { Clock } from '../../contracts/clock.ts';
import type { ConsentView } from '../../contracts/consent.ts';
import type { Emergency } from '../../contracts/emergency.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import type { AuthenticatedPrincipal } from '../../contracts/principal.ts';
import type { EmergencySettings, GatewaySettings, TenantSettings } from '../../contracts/settings.ts';
import type { StateStore } from '../../contracts/state.ts';
import { type TenantLookup, tenantLookup } from '../../contracts/tenants.ts';
import { ConsentIndex, type ConsentRules, Consents, consentView } from '../../identity/consents/index.ts';
import { Emergencies, EmergencyIndex } from '../../identity/emergency/index.ts';
import { Follower, POLL_MS } from '../../identity/sharing/follower.ts';
import { createSealer } from '../../identity/state/index.ts';

/** Two rounds of whoever has just missed it. */
const SETTLED_MS = POLL_MS * 2;

/** Consents and emergency access of every tenant that has either, in one worker. */
export interface Sharing {
  /** For policies. */
  readonly view: ConsentView;
  readonly consents: Consents;
  readonly emergencies: Emergencies;
  /** By issuer, whom each vouches for; undefined where the tenant has no partners. */
  partnersOf(tenant: TenantId): ReadonlyMap<string, TenantId> | undefined;
  /** Undefined where the tenant's patients share nothing. */
  rulesOf(tenant: TenantId): ConsentRules | undefined;
  emergencyOf(tenant: TenantId): EmergencySettings | undefined;
  /** What is in force for this person's credential now; nothing while that is not known. @param at seconds */
  inForce(principal: AuthenticatedPrincipal, at: number): Emergency | undefined;
  /** After a change of one's own: when it returns, every worker that is up has had the time to see it. Never rejects. */
  settle(): Promise<void>;
  /** Where to record what was done by command. */
  recordIn(activity: ActivitySink): void;
  close(): void;
}

/** What of the settings it is made from; equal settings, and it can be kept over a reload. */
export function sharingSettings(settings: GatewaySettings) {
  return {
    state: settings.state,
    keys: settings.stateKeys,
    issuers: settings.issuers.map(({ id, issuer }) => ({ id, issuer })),
    // Which tenants have which of it, it looks up.
    some: settings.tenants.some(shares),
  };
}

function shares({ sharing, emergency }: TenantSettings): boolean {
  return sharing !== undefined || emergency !== undefined;
}

interface SharingOfTenant {
  readonly partners: ReadonlyMap<string, TenantId> | undefined;
  readonly rules: ConsentRules | undefined;
}

const NOTHING: SharingOfTenant = Object.freeze({ partners: undefined, rules: undefined });

function sharingOf(
  { id, issuers, sharing }: TenantSettings,
  names: ReadonlyMap<string, string>,
): SharingOfTenant {
  if (sharing === undefined) return NOTHING;
  const pairs = sharing.partners.flatMap((each) =>
    each.issuers.map((issuer) => [issuer, each.tenant] as const),
  );
  return {
    partners: pairs.length > 0 ? new Map(pairs) : undefined,
    rules: Object.freeze({
      tenant: id,
      partners: sharing.partners.map(({ tenant }) => tenant),
      issuers: [...issuers, ...pairs.map(([issuer]) => issuer)].flatMap((issuer) => names.get(issuer) ?? []),
      longestMs: sharing.longestMs,
    }),
  };
}

/**
 * Undefined when no tenant has anything of it.
 * @param tenants those served at the moment, whatever the settings said when it was made
 */
export function createSharing(
  settings: GatewaySettings,
  state: StateStore | undefined,
  clock: Clock,
  tenants: TenantLookup<TenantSettings> = tenantLookup(settings.tenants),
): Sharing | undefined {
  if (state === undefined || !settings.tenants.some(shares)) return undefined;
  const names = new Map(settings.issuers.map(({ id, issuer }) => [id, issuer]));
  const made = new WeakMap<TenantSettings, SharingOfTenant>();
  const ofTenant = (id: TenantId): SharingOfTenant | undefined => {
    const tenant = tenants.get(id);
    if (tenant === undefined) return undefined;
    let found = made.get(tenant);
    if (found === undefined) {
      found = sharingOf(tenant, names);
      made.set(tenant, found);
    }
    return found;
  };
  const emergency = (id: TenantId) => tenants.get(id)?.emergency;
  let activity: ActivitySink | undefined;
  const follower = new Follower({
    store: state,
    clock,
    fresh: () => ({ consent: new ConsentIndex(), emergency: new EmergencyIndex() }),
    async note({ event, tenant, record }) {
      if (activity?.healthy !== true) throw new TypeError('nothing is recorded at the moment');
      await activity.append({
        kind: 'sharing',
        event,
        request: '',
        tenant,
        issuer: '',
        subject: '',
        record,
      });
    },
  });
  return Object.freeze({
    view: consentView(follower),
    consents: new Consents(state, clock),
    emergencies: new Emergencies({ store: state, clock, sealer: createSealer(settings.stateKeys ?? []) }),
    partnersOf: (tenant: TenantId) => ofTenant(tenant)?.partners,
    rulesOf: (tenant: TenantId) => ofTenant(tenant)?.rules,
    emergencyOf: emergency,
    inForce(principal: AuthenticatedPrincipal, at: number) {
      if (emergency(principal.tenant) === undefined || !follower.fresh) return undefined;
      return follower.kept.emergency.of(principal, at);
    },
    async settle() {
      await Promise.all([follower.look(), sleep(SETTLED_MS)]);
    },
    recordIn(sink: ActivitySink) {
      activity = sink;
    },
    close: () => follower.close(),
  });
}
