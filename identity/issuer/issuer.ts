import type { Server } from 'node:http';
import { type Clock, systemClock } from '../../contracts/clock.ts';
import type { IssuerProcessSettings } from '../../contracts/issuer-settings.ts';
import type { StateStore } from '../../contracts/state.ts';
import type { Sealer } from '../state/index.ts';
import { AccountWatch } from './account-watch.ts';
import { backChannelFetch } from './back-channel.ts';
import { type ClientDirectory, Clients } from './clients.ts';
import { RevocationFeed } from './feed.ts';
import { IssuerKeys } from './keys.ts';
import type { IssuerLog } from './log.ts';
import { Models } from './models.ts';
import type { IssuerPages } from './pages.ts';
import { type IssuerParts, secondsOf } from './parts.ts';
import type { People } from './people.ts';
import { createProvider } from './provider.ts';
import { revoke } from './revocations.ts';
import type { SecondFactors } from './second-factors.ts';
import { type AdminHandler, createIssuerServer, type Standing } from './server.ts';
import { listenOn } from './socket.ts';

/** Milliseconds between two looks whether other keys are in force. */
const KEYS_MS = 15_000;
const PURGE_MS = 60_000;

export interface IssuerOptions {
  readonly settings: IssuerProcessSettings;
  readonly store: StateStore;
  readonly sealer: Sealer;
  readonly people: People;
  readonly factors: SecondFactors;
  readonly pages: IssuerPages;
  readonly directory?: ClientDirectory | undefined;
  readonly admin?: AdminHandler | undefined;
  readonly clock?: Clock;
  readonly log: IssuerLog;
}

/** The embedded issuer of one process. Several may share a store. */
export class Issuer {
  readonly #options: IssuerOptions;
  readonly #parts: IssuerParts;
  readonly #keys: IssuerKeys;
  readonly #feed: RevocationFeed;
  readonly #watch: AccountWatch;
  readonly #timers: NodeJS.Timeout[] = [];
  #standing: (Standing & { readonly mark: string }) | undefined;
  #turn: NodeJS.Timeout | undefined;
  #server: Server | undefined;

  constructor(options: IssuerOptions) {
    const { settings, store, sealer, people, factors, pages, directory, log, clock = systemClock } = options;
    this.#options = options;
    this.#feed = new RevocationFeed(store, log);
    this.#parts = Object.freeze({
      settings,
      clock,
      people,
      factors,
      pages,
      log,
      models: new Models(store, sealer, clock),
      clients: new Clients(settings, directory),
      revoke: async (kind, value, until, issuedBefore = secondsOf(clock)) => {
        await revoke(store, clock, { kind, value, issuedBefore, until });
        this.#feed.look();
      },
    } satisfies IssuerParts);
    this.#keys = new IssuerKeys(store, sealer, clock);
    this.#watch = new AccountWatch(this.#parts, store);
  }

  /** @throws ChartgateError `state-unavailable`, `state-invalid`, `issuer-unavailable` */
  async start(): Promise<void> {
    await this.reloadKeys();
    await this.#watch.look();
    this.#watch.start();
    const server = createIssuerServer({
      parts: this.#parts,
      feed: this.#feed,
      admin: this.#options.admin,
      standing: () => this.#now(),
    });
    await listenOn(server, this.#options.settings.socket);
    this.#server = server;
    this.#every(KEYS_MS, 'keys-not-looked-at', () => this.reloadKeys());
    this.#every(PURGE_MS, 'purge-failed', () => this.#options.store.purge());
  }

  /** Takes the keys as they are now, and another provider when they are others. Requests under way keep theirs. */
  async reloadKeys(): Promise<void> {
    const keys = await this.#keys.load();
    clearTimeout(this.#turn);
    if (keys.changesAt !== undefined) {
      const wait = Math.min(KEYS_MS, Math.max(0, keys.changesAt - this.#parts.clock.wall()));
      this.#turn = setTimeout(
        () => this.reloadKeys().catch(() => this.#parts.log('keys-not-looked-at')),
        wait,
      );
      this.#turn.unref();
    }
    if (this.#standing?.mark === keys.mark) return;
    const former = this.#standing?.signing ?? [];
    const { settings } = this.#options;
    const provider = createProvider(this.#parts, keys, backChannelFetch(settings.backChannelAuthority));
    provider.on('server_error', (context, error) => {
      this.#parts.log('server-error', { requestId: context.get('x-request-id'), why: error.name });
    });
    for (const event of REFUSALS) {
      provider.on(`${event}.error`, (context: never, error: never) => {
        const { get } = context as { get(name: string): string };
        const { error: code, error_description: why } = error as {
          error?: string;
          error_description?: string;
        };
        this.#parts.log('refused', {
          requestId: get.call(context, 'x-request-id'),
          endpoint: event,
          code,
          // Descriptions of oidc-provider name parameters, never values of persons; cut all the same.
          why: why?.slice(0, 100),
        });
      });
    }
    this.#standing = { provider, callback: provider.callback(), signing: keys.signing, mark: keys.mark };
    // One that was given up may be known to somebody: gateways must not believe it until they look by themselves.
    if (former.some(({ kid }) => !keys.signing.some((key) => key.kid === kid))) this.#feed.interrupt();
    if (keys.signing[0] !== undefined) this.#parts.log('keys', { signing: keys.signing[0].kid });
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#turn);
    this.#watch.stop();
    this.#feed.close();
    const server = this.#server;
    if (server === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 5000).unref();
    await promise;
  }

  #now(): Standing {
    if (this.#standing === undefined) throw new TypeError('The issuer has no keys yet.');
    return this.#standing;
  }

  #every(milliseconds: number, trouble: string, work: () => Promise<unknown>): void {
    this.#timers.push(
      setInterval(() => {
        work().catch(() => this.#parts.log(trouble));
      }, milliseconds).unref(),
    );
  }
}

/** Events of `oidc-provider` that tell of a refused request. */
const REFUSALS = [
  'authorization',
  'pushed_authorization_request',
  'grant',
  'introspection',
  'revocation',
  'end_session',
  'end_session_confirm',
] as const;
