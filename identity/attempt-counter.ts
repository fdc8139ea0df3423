// The package is built from its entry points: what declares, but is not imported, must be named.
/// <reference path="./rate-limiter-store.d.ts" />
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { RateLimiterRes } from 'rate-limiter-flexible';
import RateLimiterStoreAbstract from 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js';
import type { Clock } from '../contracts/clock.ts';
import { ChartgateError } from '../contracts/errors.ts';
import type { StateStore } from '../contracts/state.ts';

/** What a counter says. */
export interface Count {
  readonly points: number;
  /** Until the counter is forgotten; 0 for one that is not there. */
  readonly msBeforeNext: number;
}

interface Stored {
  readonly points: number;
  readonly expiresAt: number | undefined;
}

/** More than the processes that may share a store; within one process they queue. */
const TRIES = 40;

function pointsOf(body: unknown): number {
  const points = (body as { points?: unknown }).points;
  // A document that we did not write counts as full: what cannot be read must not let anybody guess.
  return typeof points === 'number' && Number.isSafeInteger(points) && points >= 0
    ? points
    : Number.MAX_SAFE_INTEGER;
}

/**
 * The storage of `rate-limiter-flexible` over the state store, so that a count holds for all processes.
 *
 * It differs from the library's own stores in three things. Every point renews the duration, so that a lock
 * lasts its full time from the last guess that was let through. A full counter is not written any more:
 * guessing on cannot lengthen a lock for ever, nor wear out the disk. And time is the `Clock`'s.
 */
class StateLimiter extends RateLimiterStoreAbstract {
  readonly #store: StateStore;
  readonly #clock: Clock;
  /** Of each counter the last change under way in this process. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(store: StateStore, clock: Clock, points: number, seconds: number) {
    // Keys are hashes already: no prefix.
    super({ storeClient: store, points, duration: seconds, keyPrefix: '' });
    this.#store = store;
    this.#clock = clock;
  }

  // The names below are those that the library's abstract class calls.

  async _upsert(key: string, points: number, milliseconds: number, force: boolean): Promise<Stored> {
    const before = this.#turns.get(key) ?? Promise.resolve();
    const mine = before.then(
      () => this.#change(key, points, milliseconds, force),
      () => this.#change(key, points, milliseconds, force),
    );
    this.#turns.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#turns.get(key) === mine) this.#turns.delete(key);
    }
  }

  async _get(key: string): Promise<Stored | null> {
    const found = await this.#store.get('attempts', key);
    return found === undefined ? null : { points: pointsOf(found.body), expiresAt: found.expiresAt };
  }

  _delete(key: string): Promise<boolean> {
    return this.#store.remove('attempts', key);
  }

  _getRateLimiterRes(_key: string, changed: number, stored: Stored): RateLimiterRes {
    const left = stored.expiresAt === undefined ? -1 : Math.max(1, stored.expiresAt - this.#clock.wall());
    return new RateLimiterRes(
      Math.max(0, this.points - stored.points),
      left,
      stored.points,
      stored.points === changed,
    );
  }

  /** Read, count, write if nobody else wrote in between: of two at once both count, or one tries again. */
  async #change(key: string, points: number, milliseconds: number, force: boolean): Promise<Stored> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const found = await this.#store.get('attempts', key);
      const present = found === undefined ? 0 : pointsOf(found.body);
      const expiresAt = found?.expiresAt;
      if (!force && points > 0 && present >= this.points) return { points: present + points, expiresAt };
      if (points < 0 && found === undefined) return { points: 0, expiresAt: undefined };
      const next: Stored = {
        points: force ? points : Math.max(0, present + points),
        expiresAt: points < 0 ? expiresAt : this.#clock.wall() + milliseconds,
      };
      const document = { body: { points: next.points }, expiresAt: next.expiresAt };
      const written =
        found === undefined
          ? await this.#store.insert('attempts', key, document)
          : await this.#store.replace('attempts', key, found.version, document);
      if (written) return next;
      await pause(randomInt(1, 4 + tries));
    }
    throw new ChartgateError('state-unavailable', 'too many processes count the same attempts at once');
  }
}

/** Counts up to a limit; one more is refused. Rejects with `state-unavailable`, never otherwise. */
export interface Counter {
  readonly limit: number;
  /** Undefined when the limit was reached before; otherwise the count, this one included. */
  consume(key: string): Promise<number | undefined>;
  /** Takes one back. */
  giveBack(key: string): Promise<void>;
  peek(key: string): Promise<Count>;
  clear(key: string): Promise<void>;
}

/** @param milliseconds from the last point until all are forgotten */
export function createCounter(store: StateStore, clock: Clock, limit: number, milliseconds: number): Counter {
  const limiter = new StateLimiter(store, clock, limit, milliseconds / 1000);
  return Object.freeze({
    limit,
    consume: async (key: string) => {
      try {
        return (await limiter.consume(key)).consumedPoints;
      } catch (thrown) {
        // The library rejects with a result for "no more", with an error when the store failed.
        if (thrown instanceof RateLimiterRes) return undefined;
        throw thrown;
      }
    },
    giveBack: async (key: string) => {
      await limiter.reward(key);
    },
    peek: async (key: string) => {
      const found = await limiter.get(key);
      return { points: found?.consumedPoints ?? 0, msBeforeNext: found?.msBeforeNext ?? 0 };
    },
    clear: async (key: string) => {
      await limiter.delete(key);
    },
  });
}
