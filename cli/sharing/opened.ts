import { resolve } from 'node:path';
import { loadGatewaySettings } from '../../config/index.ts';
import { systemClock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import { parseTenantId, type TenantId } from '../../contracts/identifiers.ts';
import type { GatewaySettings, TenantSettings } from '../../contracts/settings.ts';
import { type ConsentRules, Consents } from '../../identity/consents/index.ts';
import { Emergencies } from '../../identity/emergency/index.ts';
import { createSealer, openState } from '../../identity/state/index.ts';
import { EXIT } from '../output.ts';

/** Options of every command about consents and emergency access. */
export interface Common {
  readonly config: string;
  readonly json?: true;
}

export interface Opened {
  readonly settings: GatewaySettings;
  readonly consents: Consents;
  readonly emergencies: Emergencies;
}

export const NOTES = `
Run it on the gateway's host as the gateway's OS user, with the gateway's settings. What is done is recorded in the
activity log by the next worker that is up.

Exit codes: ${EXIT.ok} done, ${EXIT.finding} there is no such thing, or a rule refused it, ${EXIT.usage} wrong usage, ${EXIT.configuration} faulty
settings, ${EXIT.unavailable} the store cannot be reached.`;

/** Opens the gateway's state, acts, and closes it again. @throws ChartgateError `usage` for settings without state */
export async function using(options: Common, act: (opened: Opened) => Promise<void>): Promise<void> {
  const settings = loadGatewaySettings(resolve(options.config));
  const { state, stateKeys } = settings;
  if (state === undefined || stateKeys === undefined)
    throw new ChartgateError('usage', `${options.config}: these settings have no "state"`);
  const store = await openState(state);
  try {
    const clock = systemClock;
    await act({
      settings,
      consents: new Consents(store, clock),
      emergencies: new Emergencies({ store, clock, sealer: createSealer(stateKeys) }),
    });
  } finally {
    await store.close();
  }
}

/** @throws ChartgateError `usage` for a tenant that the settings do not have */
export function tenantNamed(settings: GatewaySettings, text: string): TenantSettings {
  const id: TenantId | undefined = parseTenantId(text);
  const tenant = settings.tenants.find((each) => each.id === id);
  if (tenant === undefined)
    throw new ChartgateError(
      'usage',
      `--tenant: there is no such tenant; there are ${settings.tenants.map((each) => each.id).join(', ')}`,
    );
  return tenant;
}

/** @throws ChartgateError `usage` where the tenant's patients share nothing */
export function rulesFor(settings: GatewaySettings, tenant: TenantSettings): ConsentRules {
  const { sharing } = tenant;
  if (sharing === undefined)
    throw new ChartgateError('usage', `the tenant "${tenant.id}" has no "sharing" in its settings`);
  const names = new Map(settings.issuers.map(({ id, issuer }) => [id, issuer]));
  const ids = [...tenant.issuers, ...sharing.partners.flatMap(({ issuers }) => issuers)];
  return {
    tenant: tenant.id,
    partners: sharing.partners.map((partner) => partner.tenant),
    issuers: ids.flatMap((id) => names.get(id) ?? []),
    longestMs: sharing.longestMs,
  };
}

/** Seconds as people read them, in UTC. */
export const moment = (seconds: number): string =>
  `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
