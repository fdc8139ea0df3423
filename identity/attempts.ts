import { setImmediate as othersFirst } from 'node:timers/promises';
import type { Clock } from '../contracts/clock.ts';
import { ChartgateError } from '../contracts/errors.ts';
import type { StateOperation, StateStore } from '../contracts/state.ts';
import { type Counter, createCounter } from './attempt-counter.ts';
import { hashOf } from './lengths.ts';

/** Failures after which somebody has to wait, and how long from the last of them, in milliseconds. */
export interface AttemptLimit {
  readonly failures: number;
  readonly lockMs: number;
}

export interface AttemptLimits {
  readonly account: AttemptLimit;
  readonly source: AttemptLimit & {
    /**
     * Whether a success forgets the failures that came from the same source. Only where a success is costly:
     * with passwords alone somebody who has an account could clear it after every fourth guess.
     */
    readonly clearedBySuccess: boolean;
  };
  /**
   * Failures in a row, over any time, after which the account is closed until an administrator opens it
   * (NIST SP 800-63B-4 §3.2.2: no more than 100). Forgotten `keepMs` after the last one. Undefined: no such limit.
   */
  readonly consecutive: { readonly failures: number; readonly keepMs: number } | undefined;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

export const DEFAULT_ATTEMPT_LIMITS: AttemptLimits = Object.freeze({
  account: Object.freeze({ failures: 5, lockMs: 15 * MINUTE }),
  source: Object.freeze({ failures: 5, lockMs: 15 * MINUTE, clearedBySuccess: true }),
  consecutive: Object.freeze({ failures: 100, keepMs: 400 * DAY }),
});

/** Who tries, in whatever words the caller has; only hashes are kept. */
export interface Attempt {
  readonly account: string;
  /** The client's address: `sourceOf`. */
  readonly source: string;
}

/** Leave to check one guess; counted as a failure from the start. Call at most one of the two, once. */
export interface ReservedAttempt {
  readonly ok: true;
  /** Should this one fail too: this many for the account, this many in a row, and what that leads to. */
  readonly failures: number;
  readonly consecutive: number;
  readonly locks: boolean;
  readonly closes: boolean;
  /** The guess was right: forgets the account's failures. */
  succeeded(): Promise<void>;
  /** Nothing was checked (too busy, say): it was no attempt. */
  abandoned(): Promise<void>;
}

export interface RefusedAttempt {
  readonly ok: false;
  /** `account`, `source`: wait. `closed`: an administrator must act. */
  readonly by: 'account' | 'source' | 'closed';
  /** Whole seconds, at least 1; undefined for `closed`. */
  readonly retryAfter: number | undefined;
}

export interface AttemptStatus {
  readonly failures: number;
  /** Seconds until the lock ends; undefined when there is none. */
  readonly lockedFor: number | undefined;
  readonly consecutive: number;
  readonly closed: boolean;
}

/**
 * Counts failed attempts in the state store, for all processes that share it. A guess is counted before it is
 * checked: however many are made at the same time, no more than the limit are ever checked. Rejects with
 * `state-unavailable`; then nothing may be checked.
 */
export interface Attempts {
  reserve(attempt: Attempt): Promise<ReservedAttempt | RefusedAttempt>;
  status(account: string): Promise<AttemptStatus>;
  /** For an administrator: ends the lock and opens what was closed. What comes from a source stays counted. */
  unlock(account: string): Promise<void>;
}

/**
 * What counts as one source: an IPv4 address, or the /64 of an IPv6 address, which is what one customer gets
 * (RFC 6177). An IPv4 address written as IPv6 is the IPv4 address. Anything else is its own source.
 */
export function sourceOf(address: string): string {
  const bare = (address.split('%')[0] ?? '').toLowerCase();
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/.exec(bare);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!bare.includes(':')) return bare;
  const [head = '', tail] = bare.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  const groups = [...left, ...zeros, ...right].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${groups.join(':')}::/64`;
}

const keyOf = (purpose: string, counter: 'account' | 'source' | 'consecutive', value: string): string =>
  hashOf('attempts', purpose, counter, value);

/** What ends a lock and opens what was closed as part of a larger change; `unlock` does it by itself. */
export async function unlockSteps(
  store: StateStore,
  purpose: string,
  account: string,
): Promise<readonly StateOperation[]> {
  const steps: StateOperation[] = [];
  for (const counter of ['account', 'consecutive'] as const) {
    const id = keyOf(purpose, counter, account);
    const found = await store.get('attempts', id);
    if (found !== undefined) steps.push({ do: 'remove', kind: 'attempts', id, version: found.version });
  }
  return steps;
}

const seconds = (milliseconds: number): number => Math.max(1, Math.ceil(milliseconds / 1000));

function validLimit(name: string, limit: { failures: number }, milliseconds: number): void {
  if (!Number.isSafeInteger(limit.failures) || limit.failures < 1)
    throw new ChartgateError('usage', `attempts: ${name}.failures must be a whole number from 1`);
  if (!Number.isFinite(milliseconds) || milliseconds < 1)
    throw new ChartgateError('usage', `attempts: ${name} must last at least a millisecond`);
}

export interface AttemptOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  /** What is tried, such as `password` or `second-factor`: each has counts of its own. */
  readonly purpose: string;
  readonly limits?: AttemptLimits;
}

/** @throws ChartgateError `usage` for limits that limit nothing */
export function createAttempts(options: AttemptOptions): Attempts {
  const { store, clock, purpose } = options;
  const limits = options.limits ?? DEFAULT_ATTEMPT_LIMITS;
  validLimit('account', limits.account, limits.account.lockMs);
  validLimit('source', limits.source, limits.source.lockMs);
  if (limits.consecutive) validLimit('consecutive', limits.consecutive, limits.consecutive.keepMs);

  const account = createCounter(store, clock, limits.account.failures, limits.account.lockMs);
  const source = createCounter(store, clock, limits.source.failures, limits.source.lockMs);
  const row =
    limits.consecutive && createCounter(store, clock, limits.consecutive.failures, limits.consecutive.keepMs);

  const refusal = async (
    counter: Counter,
    key: string,
    by: 'account' | 'source',
  ): Promise<RefusedAttempt> => {
    const { msBeforeNext } = await counter.peek(key);
    return { ok: false, by, retryAfter: seconds(msBeforeNext) };
  };
  const CLOSED: RefusedAttempt = Object.freeze({ ok: false, by: 'closed', retryAfter: undefined });

  async function reserve(attempt: Attempt): Promise<ReservedAttempt | RefusedAttempt> {
    const accountKey = keyOf(purpose, 'account', attempt.account);
    const sourceKey = keyOf(purpose, 'source', attempt.source);
    const rowKey = keyOf(purpose, 'consecutive', attempt.account);
    // Looked at before it is counted: what may not be tried is not written, and lengthens nothing.
    const [total, fromSource, short] = await Promise.all([
      row?.peek(rowKey),
      source.peek(sourceKey),
      account.peek(accountKey),
    ]);
    if (row && total !== undefined && total.points >= row.limit) return CLOSED;
    if (fromSource.points >= source.limit) return refusal(source, sourceKey, 'source');
    if (short.points >= account.limit) return refusal(account, accountKey, 'account');

    await othersFirst();
    // Together, so that the store can put them on the disk at once.
    const [failures, bySource, consecutive] = await Promise.all([
      account.consume(accountKey),
      source.consume(sourceKey),
      row ? row.consume(rowKey) : 0,
    ]);
    if (failures === undefined || bySource === undefined || consecutive === undefined) {
      // Somebody else was quicker. Of this one nothing stays counted.
      await Promise.all([
        failures === undefined ? undefined : account.giveBack(accountKey),
        bySource === undefined ? undefined : source.giveBack(sourceKey),
        row === undefined || consecutive === undefined ? undefined : row.giveBack(rowKey),
      ]);
      if (consecutive === undefined) return CLOSED;
      return failures === undefined
        ? refusal(account, accountKey, 'account')
        : refusal(source, sourceKey, 'source');
    }

    let open = true;
    const once = async (end: () => Promise<unknown>): Promise<void> => {
      if (!open) throw new ChartgateError('internal', 'an attempt ended twice');
      open = false;
      await end();
    };
    return Object.freeze({
      ok: true,
      failures,
      consecutive,
      locks: failures >= account.limit,
      closes: row !== undefined && consecutive >= row.limit,
      succeeded: () =>
        once(() =>
          Promise.all([
            account.clear(accountKey),
            limits.source.clearedBySuccess ? source.clear(sourceKey) : source.giveBack(sourceKey),
            row?.clear(rowKey),
          ]),
        ),
      abandoned: () =>
        once(() =>
          Promise.all([account.giveBack(accountKey), source.giveBack(sourceKey), row?.giveBack(rowKey)]),
        ),
    });
  }

  return Object.freeze({
    reserve,
    status: async (name: string) => {
      const [short, total] = await Promise.all([
        account.peek(keyOf(purpose, 'account', name)),
        row?.peek(keyOf(purpose, 'consecutive', name)),
      ]);
      return {
        failures: short.points,
        lockedFor: short.points >= account.limit ? seconds(short.msBeforeNext) : undefined,
        consecutive: total?.points ?? 0,
        closed: row !== undefined && (total?.points ?? 0) >= row.limit,
      };
    },
    unlock: async (name: string) => {
      await Promise.all([
        account.clear(keyOf(purpose, 'account', name)),
        row?.clear(keyOf(purpose, 'consecutive', name)) ?? Promise.resolve(),
      ]);
    },
  });
}
