import type { Clock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { StateSettings, StateStore } from '../../contracts/state.ts';
import { openState } from '../../identity/state/index.ts';
import { log } from './log.ts';

/** Milliseconds between two tries to open what could not be opened. */
const RETRY_MS = 1000;
const PURGE_MS = 60_000;

/**
 * The state store of a worker, opened at once and tried again until it is there: a database that is away must not
 * keep tokens from being served, which need none. Until then every method fails as one whose store is gone does.
 */
export class LaterStore implements StateStore {
  readonly #settings: StateSettings;
  readonly #clock: Clock;
  #store: StateStore | undefined;
  #opening: Promise<StateStore> | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #closed = false;
  readonly #purging: NodeJS.Timeout;

  constructor(settings: StateSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#open().catch(() => {});
    this.#purging = setInterval(() => {
      if (this.#store === undefined) this.#open().catch(() => {});
      else this.#store.purge().catch(() => {});
    }, PURGE_MS);
    this.#purging.unref();
  }

  /** Whether it was opened; says nothing of how it is now. */
  get opened(): boolean {
    return this.#store !== undefined;
  }

  // What is open is asked directly: a look-up for each request must not wait for one more promise.
  get: StateStore['get'] = (...a) => this.#store?.get(...a) ?? this.#open().then((store) => store.get(...a));
  find: StateStore['find'] = (...a) =>
    this.#store?.find(...a) ?? this.#open().then((store) => store.find(...a));
  list: StateStore['list'] = (...a) =>
    this.#store?.list(...a) ?? this.#open().then((store) => store.list(...a));
  insert: StateStore['insert'] = (...a) =>
    this.#store?.insert(...a) ?? this.#open().then((store) => store.insert(...a));
  replace: StateStore['replace'] = (...a) =>
    this.#store?.replace(...a) ?? this.#open().then((store) => store.replace(...a));
  remove: StateStore['remove'] = (...a) =>
    this.#store?.remove(...a) ?? this.#open().then((store) => store.remove(...a));
  take: StateStore['take'] = (...a) =>
    this.#store?.take(...a) ?? this.#open().then((store) => store.take(...a));
  removeAll: StateStore['removeAll'] = (...a) =>
    this.#store?.removeAll(...a) ?? this.#open().then((store) => store.removeAll(...a));
  commit: StateStore['commit'] = (...a) =>
    this.#store?.commit(...a) ?? this.#open().then((store) => store.commit(...a));
  purge: StateStore['purge'] = () => this.#store?.purge() ?? this.#open().then((store) => store.purge());

  async healthy(): Promise<boolean> {
    try {
      return await (await this.#open()).healthy();
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#purging);
    const store = this.#store ?? (await this.#opening?.catch(() => undefined));
    await store?.close();
  }

  #open(): Promise<StateStore> {
    if (this.#store !== undefined) return Promise.resolve(this.#store);
    if (this.#closed)
      return Promise.reject(new ChartgateError('state-unavailable', 'The state store is closed.'));
    if (this.#opening !== undefined) return this.#opening;
    const now = this.#clock.monotonic();
    if (now - this.#triedAt < RETRY_MS)
      return Promise.reject(new ChartgateError('state-unavailable', 'The state store could not be opened.'));
    this.#triedAt = now;
    this.#opening = openState(this.#settings, this.#clock)
      .then((store) => {
        this.#store = store;
        return store;
      })
      .catch((error: unknown) => {
        const known = error instanceof ChartgateError;
        log('error', 'state-unavailable', { message: known ? error.message : 'unexpected' });
        throw known ? error : new ChartgateError('state-unavailable', 'The state store could not be opened.');
      })
      .finally(() => {
        this.#opening = undefined;
      });
    return this.#opening;
  }
}
