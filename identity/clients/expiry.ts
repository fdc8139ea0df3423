import { channel } from 'node:diagnostics_channel';
import type { Clock } from '../../contracts/clock.ts';
import { type AlarmEvent, CHANNELS, type ClientSecretsEvent } from '../../contracts/events.ts';
import type { StateStore } from '../../contracts/state.ts';
import type { Client } from './model.ts';
import { ClientRepository } from './repository.ts';

const DAY_MS = 86_400_000;
/** How long before the end of a client's last secret somebody is told. */
export const WARN_BEFORE_MS: number = 14 * DAY_MS;
const LOOK_MS = 3_600_000;

/** A client whose last secret ends soon, or has ended. */
export interface Expiring {
  readonly client: Client;
  /** Wall-clock milliseconds. */
  readonly expiresAt: number;
}

const events = channel(CHANNELS.alarm);
const secrets = channel(CHANNELS.clientSecrets);

/** Active clients without a secret that is good for longer than the warning time. Soonest first. */
export async function expiringClients(store: StateStore, clock: Clock): Promise<readonly Expiring[]> {
  return (await allExpiring(store)).filter(({ expiresAt }) => expiresAt - clock.wall() < WARN_BEFORE_MS);
}

/** Every active client with a secret, and when the last of its secrets ends. Soonest first. */
async function allExpiring(store: StateStore): Promise<readonly Expiring[]> {
  const repository = new ClientRepository(store);
  const expiring: Expiring[] = [];
  for (const client of await repository.all(undefined)) {
    if (!client.active || client.method !== 'secret') continue;
    const secrets = await repository.secrets(client.clientId);
    const expiresAt = Math.max(0, ...secrets.map((secret) => secret.expiresAt));
    expiring.push({ client, expiresAt });
  }
  return expiring.toSorted((a, b) => a.expiresAt - b.expiresAt);
}

/**
 * Looks once an hour and says which clients will be locked out: to the operator, by `warn`, and to the metrics.
 * @param current the store of the configuration that serves; undefined: nobody's secrets are taken
 * @returns ends it
 */
export function watchExpiry(
  current: () => StateStore | undefined,
  clock: Clock,
  warn: (clientId: string, tenant: string, daysLeft: number) => void,
): () => void {
  const told = new Set<string>();
  const tell = (all: readonly Expiring[]): void => {
    const soonest = new Map<string, number>();
    for (const { client, expiresAt } of all)
      if (!soonest.has(client.tenant)) soonest.set(client.tenant, expiresAt);
    for (const tenant of soonest.keys()) told.add(tenant);
    for (const tenant of told)
      secrets.publish({ tenant, expiresAt: soonest.get(tenant) } satisfies ClientSecretsEvent);
  };
  const look = async (): Promise<void> => {
    try {
      const store = current();
      const all = store === undefined ? [] : await allExpiring(store);
      if (secrets.hasSubscribers) tell(all);
      const expiring = all.filter(({ expiresAt }) => expiresAt - clock.wall() < WARN_BEFORE_MS);
      for (const { client, expiresAt } of expiring) {
        const left = expiresAt - clock.wall();
        warn(client.clientId, client.tenant, Math.floor(left / DAY_MS));
        if (events.hasSubscribers)
          events.publish({ alarm: 'client-secret-expires', tenant: client.tenant } satisfies AlarmEvent);
      }
    } catch {
      // The store says itself that it cannot be asked; an hour later it is asked again.
    }
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  void look();
  return () => clearInterval(timer);
}
