import { type Clock, systemClock } from '../../contracts/clock.ts';
import type { IssuerProcessSettings } from '../../contracts/issuer-settings.ts';
import type { StateStore } from '../../contracts/state.ts';
import { type Accounts, createAccounts } from '../accounts/index.ts';
import { createFactors } from '../factors/index.ts';
import { createSealer, openState } from '../state/index.ts';
import type { ClientDirectory } from './clients.ts';
import type { Issuer } from './issuer.ts';
import { IssuerKeys, type RotateOptions } from './keys.ts';
import { type IssuerLog, quietProvider, stderrLog } from './log.ts';
import type { IssuerPages } from './pages.ts';
import type { AdminHandler } from './server.ts';
import { serviceClients } from './service-clients.ts';
import { standBack } from './stand-back.ts';

/** What the issuer does not bring itself. */
export interface IssuerWiring {
  readonly pages: IssuerPages;
  readonly admin?: (accounts: Accounts) => AdminHandler;
  readonly directory?: (store: StateStore) => ClientDirectory;
  readonly clock?: Clock;
  readonly log?: IssuerLog;
}

export interface OpenIssuer {
  readonly issuer: Issuer;
  readonly store: StateStore;
  readonly accounts: Accounts;
  close(): Promise<void>;
}

/** Opens the state store and starts to listen. @throws ChartgateError */
export async function openIssuer(settings: IssuerProcessSettings, wiring: IssuerWiring): Promise<OpenIssuer> {
  const { pages, admin, directory, clock = systemClock, log = stderrLog } = wiring;
  quietProvider();
  const { Issuer } = await import('./issuer.ts');
  const store = await openState(settings.state, clock);
  try {
    const sealer = createSealer(settings.stateKeys);
    const accounts = createAccounts({ store, settings: settings.accounts, clock, issuer: settings.issuer });
    const label = settings.brand?.name ?? new URL(settings.issuer).hostname;
    const issuer = new Issuer({
      settings,
      store,
      sealer,
      people: accounts,
      factors: createFactors({ store, sealer, clock, issuerLabel: label }),
      pages,
      admin: admin?.(accounts),
      directory: directory?.(store) ?? serviceClients(store, clock, settings.tenants),
      clock,
      log,
    });
    await issuer.start();
    const close = async () => {
      await issuer.stop();
      await store.close();
    };
    return { issuer, store, accounts, close };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * The issuer as a process: log on stderr, one line of JSON on stdout once it listens, orderly stop on SIGTERM and
 * SIGINT. Resolves when it has stopped. @throws ChartgateError
 */
export async function runIssuer(settings: IssuerProcessSettings, wiring: IssuerWiring): Promise<void> {
  process.stderr.on('error', () => {});
  process.stdout.on('error', () => {});
  const { log = stderrLog } = wiring;
  await standBack();
  const opened = await openIssuer(settings, wiring);
  const stopped = Promise.withResolvers<void>();
  let ending = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (ending) return;
      ending = true;
      log('stopping', { signal });
      opened.close().then(stopped.resolve, stopped.reject);
    });
  }
  process.stdout.write(
    `${JSON.stringify({ event: 'ready', socket: settings.socket, issuer: settings.issuer, pid: process.pid })}\n`,
  );
  await stopped.promise;
}

/**
 * Makes a new signing key and a new cookie key. Running issuers take notice by themselves.
 * @returns the new key's id and when it begins to sign (wall-clock milliseconds)
 */
export async function rotateKeys(
  settings: IssuerProcessSettings,
  options: RotateOptions,
  clock: Clock = systemClock,
): Promise<{ readonly kid: string; readonly signsFrom: number }> {
  const store = await openState(settings.state, clock);
  try {
    return await new IssuerKeys(store, createSealer(settings.stateKeys), clock).rotate(options);
  } finally {
    await store.close();
  }
}
