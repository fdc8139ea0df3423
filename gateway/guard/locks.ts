import { hash } from 'node:crypto';
import type { Clock } from '../../contracts/clock.ts';
import type { StateStore } from '../../contracts/state.ts';

/** Milliseconds between looks at locks that others made. */
const POLL_MS = 1000;
const PAGE = 1000;

/**
 * Who is locked until when. Kept in the state where there is one, so that a lock outlives this process and holds at
 * every gateway; what was last read counts while it cannot be reached.
 */
export class Locks {
  /** Wall-clock milliseconds, by hash of tenant and principal. */
  #until = new Map<string, number>();
  readonly #own = new Map<string, number>();
  readonly #store: StateStore | undefined;
  readonly #clock: Clock;
  readonly #unlocked: (id: string) => void;
  readonly #polling: NodeJS.Timeout | undefined;
  #first: Promise<void> | undefined;

  /** @param unlocked told of whoever was unlocked at the store before the lock had ended */
  constructor(store: StateStore | undefined, clock: Clock, unlocked: (id: string) => void = () => {}) {
    this.#store = store;
    this.#unlocked = unlocked;
    this.#clock = clock;
    if (store === undefined) return;
    this.#first = this.#read().finally(() => {
      this.#first = undefined;
    });
    this.#polling = setInterval(() => void this.#read(), POLL_MS);
    this.#polling.unref();
  }

  /** Resolves once the locks were looked for; undefined when they were. */
  get first(): Promise<void> | undefined {
    return this.#first;
  }

  /** Milliseconds until somebody is not locked any more; 0: is not. */
  leftMs(key: string): number {
    if (this.#own.size === 0 && this.#until.size === 0) return 0;
    const id = lockId(key);
    return Math.max(
      0,
      (this.#own.get(id) ?? 0) - this.#clock.wall(),
      (this.#until.get(id) ?? 0) - this.#clock.wall(),
    );
  }

  /**
   * @param about who it is, for an administrator
   * @returns whether nobody had said so before
   */
  async lock(key: string, forMs: number, about: Omit<Lock, 'until'>): Promise<boolean> {
    const id = lockId(key);
    const until = this.#clock.wall() + forMs;
    this.#own.set(id, until);
    try {
      return (
        (await this.#store?.insert('guard-lock', id, { body: { ...about, until }, expiresAt: until })) ?? true
      );
    } catch {
      // It holds here; it is said here.
      return true;
    }
  }

  /** Another worker of this gateway did. */
  learned(key: string, forMs: number): void {
    const id = lockId(key);
    this.#own.set(id, Math.max(this.#own.get(id) ?? 0, this.#clock.wall() + forMs));
  }

  close(): void {
    clearInterval(this.#polling);
  }

  async #read(): Promise<void> {
    const now = this.#clock.wall();
    for (const [id, until] of this.#own) if (until <= now) this.#own.delete(id);
    if (this.#store === undefined) return;
    let until: Map<string, number>;
    try {
      until = new Map((await readLocks(this.#store)).map(({ id, lock }) => [id, lock.until]));
    } catch {
      return;
    }
    const former = this.#until;
    this.#until = until;
    for (const [id, ends] of former) {
      if (until.has(id)) continue;
      this.#own.delete(id);
      if (ends > this.#clock.wall()) this.#unlocked(id);
    }
  }
}

/** A lock as it is kept. */
export interface Lock {
  readonly tenant: string;
  readonly issuer: string;
  readonly subject: string;
  /** What had been counted. */
  readonly misses: number;
  readonly patients: number;
  /** Wall-clock milliseconds. */
  readonly until: number;
}

/** Every lock in force. @throws ChartgateError `state-unavailable` */
export async function readLocks(
  store: Pick<StateStore, 'list'>,
): Promise<readonly { readonly id: string; readonly lock: Lock }[]> {
  const found: { readonly id: string; readonly lock: Lock }[] = [];
  let after: string | undefined;
  do {
    const page = await store.list('guard-lock', { limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const { id, body } of page) {
      const text = (name: string) => (typeof body[name] === 'string' ? body[name] : '');
      const number = (name: string) => (typeof body[name] === 'number' ? body[name] : 0);
      found.push({
        id,
        lock: {
          tenant: text('tenant'),
          issuer: text('issuer'),
          subject: text('subject'),
          misses: number('misses'),
          patients: number('patients'),
          until: number('until'),
        },
      });
    }
    after = page.length === PAGE ? page.at(-1)?.id : undefined;
  } while (after !== undefined);
  return found;
}

/** Of a principal at its tenant: `limitKey` is the hash of issuer and subject. */
export const guardKeyOf = (tenant: string, limitKey: string): string => JSON.stringify([tenant, limitKey]);

export function lockId(key: string): string {
  return hash('sha256', key, 'base64url');
}
