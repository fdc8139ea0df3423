import { channel } from 'node:diagnostics_channel';
import type { GuardEvent } from '../../contracts/activity.ts';
import type { Clock } from '../../contracts/clock.ts';
import { type AlarmEvent, CHANNELS } from '../../contracts/events.ts';
import type { GuardSettings } from '../../contracts/limits.ts';
import type { AuthenticatedPrincipal } from '../../contracts/principal.ts';
import type { StateStore } from '../../contracts/state.ts';
import type { DeskLine, RedisStore } from '../limits/index.ts';
import type { Exchange, Step } from '../pipeline/exchange.ts';
import { Counts, MOST_NAMED, type Seen } from './counts.ts';
import { guardKeyOf, Locks, lockId } from './locks.ts';
import { type Fared, Outages } from './outages.ts';
import { patientsNamed, patientsOfContent } from './patients.ts';
import { ReleasedPatients } from './released.ts';
import { LEVELS, type Level, levelOf, thresholdsOf } from './thresholds.ts';

const alarms = channel(CHANNELS.alarm);

/** Requests of one slowed principal that may wait here at a time. */
const MOST_WAITING = 8;
const JSON_TYPE = /^(?:application|text)\/(?:[a-z0-9.-]+\+)?json(?:\+fhir)?\b/i;
/** Milliseconds for which a first look at the locks is waited for. */
const FIRST_LOOK_MS = 1000;

const EVENT = Object.freeze({
  slow: 'slowed',
  'step-up': 'step-up',
  lock: 'locked',
} as const satisfies Record<Exclude<Level, 'none'>, GuardEvent>);

/** What a request that did not get what it asked for was told. */
export type Miss = 'hidden' | 'told' | undefined;

export interface GuardOptions {
  readonly settings: GuardSettings;
  /** Makes the hashes of patients; the same at every worker. */
  readonly key: Buffer;
  /** Joins the workers of this gateway; undefined where there is one. */
  readonly desk: DeskLine | undefined;
  /** Joins several gateways. */
  readonly redis: RedisStore | undefined;
  /** Where locks are kept; undefined: they end with the process. */
  readonly state: StateStore | undefined;
  readonly clock: Clock;
}

/**
 * The enumeration guard: somebody who meets unusually many absent or forbidden records, or names unusually many
 * patients, is slowed, asked for a fresh second factor, locked. It counts refusals whatever their cause and patients
 * before anybody looked for them, so that what it does tells nobody whether a record is there. Of patients it keeps
 * keyed hashes, in memory, for one window.
 */
export class Guard {
  readonly #options: GuardOptions;
  readonly #locks: Locks;
  readonly #counts: Counts;
  readonly #outages: Outages;
  readonly #forget: () => void;
  /** Whom an administrator unlocked, until it is said with their next request. */
  readonly #released = new Set<string>();

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#locks = new Locks(
      options.settings.mode === 'enforce' ? options.state : undefined,
      options.clock,
      (id) => this.#release(id),
    );
    this.#counts = new Counts({ ...options, windowMs: options.settings.windowMs });
    this.#outages = new Outages({
      ...options,
      begun: (tenant) => {
        if (alarms.hasSubscribers) alarms.publish({ alarm: 'guard-outage', tenant } satisfies AlarmEvent);
      },
    });
    this.#forget =
      options.desk?.onNews((news) => {
        if (news.kind === 'tally') this.#counts.learn(news.tally);
        else if (news.kind === 'lock') this.#locks.learned(news.key, news.forMs);
        else if (news.kind === 'fared') this.#outages.learn(news.tenant, news.key, news.badly);
        else this.#counts.asked(news.key, news.since);
      }) ?? (() => {});
  }

  /** Before the policy decides: whether this principal goes on, and how fast. */
  enter(x: Exchange): Step | Promise<Step> {
    const { principal } = x;
    const { settings } = this.#options;
    if (principal.kind === 'anonymous' || settings.mode === 'off') return undefined;
    const key = keyOf(principal);
    const first = this.#locks.first;
    if (first !== undefined) return this.#afterFirst(x, principal, key, first);
    return this.#judge(x, principal, key);
  }

  /**
   * Once it is known how a request ended.
   *
   * @param miss `hidden`: counts unless the EMR fails for most people; `told`: a refusal that says so, and counts
   * @param fared how it fared at the back end
   */
  observe(x: Exchange, miss: Miss, fared?: Fared): void {
    const principal = x.knownPrincipal;
    if (principal === undefined || principal.kind === 'anonymous' || this.#options.settings.mode === 'off')
      return;
    const key = keyOf(principal);
    if (fared !== undefined) this.#outages.fared(principal.tenant, key, fared === 'badly');
    const missed = miss === 'told' || (miss === 'hidden' && !this.#outages.excuses(principal.tenant, key));
    const content = x.content?.content;
    const named = content === undefined ? [] : patientsOfContent(content, x.facts.path.segments);
    if (x.ending === undefined) this.#watch(x, key);
    if (!missed && x.patients === undefined && named.length === 0) return;
    this.#counts.report(key, missed ? 1 : 0, [...named, ...(x.patients ?? [])]);
  }

  close(): void {
    this.#counts.close();
    this.#outages.close();
    this.#forget();
    this.#locks.close();
  }

  /** Patients in an answer that is released are touched, whether or not they were named. */
  #watch(x: Exchange, key: string): void {
    const { backend } = x;
    if (backend === undefined || !JSON_TYPE.test(String(backend.headers['content-type'] ?? ''))) return;
    const released = new ReleasedPatients((id) => this.#counts.report(key, 0, [id]));
    if (x.replacedBody !== undefined) released.add(x.replacedBody);
    else backend.watch((chunk) => released.add(chunk));
  }

  async #afterFirst(
    x: Exchange,
    principal: AuthenticatedPrincipal,
    key: string,
    first: Promise<void>,
  ): Promise<Step> {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      first,
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, FIRST_LOOK_MS);
      }),
    ]);
    clearTimeout(timer);
    return this.#judge(x, principal, key);
  }

  /** An administrator took the lock away at the store: what had been counted counts no more. */
  #release(id: string): void {
    if (this.#released.size < MOST_NAMED) this.#released.add(id);
    this.#counts.forget((key) => lockId(key) === id);
  }

  #judge(x: Exchange, principal: AuthenticatedPrincipal, key: string): Step | Promise<Step> {
    const { settings } = this.#options;
    const enforce = settings.mode === 'enforce';
    const lockedMs = this.#locks.leftMs(key);
    if (lockedMs > 0 && enforce) return refused(x, 'guard-locked', lockedMs);
    if (this.#released.size > 0 && this.#released.delete(lockId(key)))
      this.#write(x, principal, 'unlocked', { misses: 0, patients: 0 });
    const named = patientsNamed(x.facts, x.match);
    if (named.length > 0) this.#counts.report(key, 0, named);
    const seen = this.#counts.of(key);
    if (seen === undefined) return undefined;
    const level = levelOf(seen, thresholdsOf(principal, settings));
    if (level === 'none') return undefined;
    if (LEVELS.indexOf(level) > LEVELS.indexOf(seen.said)) this.#say(x, principal, key, seen, level);
    if (!enforce) return undefined;
    if (level === 'lock') return refused(x, 'guard-locked', settings.lockMs);
    if (level === 'step-up') {
      const since = seen.stepUpSince ?? Number.POSITIVE_INFINITY;
      if ((principal.authentication?.factorAt ?? 0) <= since) return this.#stepUp(x, principal, seen);
    }
    return this.#slow(x, seen);
  }

  /** Whoever never gave a second factor cannot give a fresh one: it waits until the window is over. */
  #stepUp(x: Exchange, principal: AuthenticatedPrincipal, seen: Seen): Step {
    if (principal.authentication?.factorAt === undefined)
      return refused(x, 'guard-step-up', seen.until - this.#options.clock.monotonic());
    x.failed('guard-step-up');
    return { kind: 'factor-stale', reason: 'guard-step-up' };
  }

  /** Each request waits for as long, whatever becomes of it; not more of them than would do harm by waiting. */
  async #slow(x: Exchange, seen: Seen): Promise<Step> {
    const { settings } = this.#options;
    if (seen.waiting >= MOST_WAITING) return refused(x, 'guard-slowed', settings.slowMs);
    seen.waiting += 1;
    await new Promise((resolve) => setTimeout(resolve, settings.slowMs));
    seen.waiting -= 1;
    if (x.client.gone) {
      x.failed('client-gone');
      return { kind: 'unavailable', reason: 'client-gone', closeConnection: true };
    }
    x.held('guard-slowed');
    return undefined;
  }

  #say(x: Exchange, principal: AuthenticatedPrincipal, key: string, seen: Seen, level: Level): void {
    const { settings, clock, desk } = this.#options;
    seen.said = level;
    if (level === 'none') return;
    if (level !== 'slow' && seen.stepUpSince === undefined) {
      seen.stepUpSince = Math.floor(clock.wall() / 1000);
      desk?.asked(key, seen.stepUpSince);
    }
    const tell = () => {
      const event = EVENT[level];
      if (alarms.hasSubscribers)
        alarms.publish({ alarm: `guard-${event}`, tenant: x.tenant.id } satisfies AlarmEvent);
      this.#write(x, principal, event, seen);
    };
    if (level !== 'lock' || settings.mode !== 'enforce') {
      tell();
      return;
    }
    desk?.lock(key, settings.lockMs);
    const { misses, patients } = seen;
    const { issuer, subject } = principal;
    const about = { tenant: x.tenant.id, issuer, subject, misses, patients };
    void this.#locks.lock(key, settings.lockMs, about).then((first) => {
      if (first) tell();
    });
  }

  #write(
    x: Exchange,
    principal: AuthenticatedPrincipal,
    event: GuardEvent,
    { misses, patients }: { readonly misses: number; readonly patients: number },
  ): void {
    x.services.activity
      .append({
        kind: 'guard',
        event,
        enforced: this.#options.settings.mode === 'enforce',
        request: x.facts.id,
        tenant: x.tenant.id,
        issuer: principal.issuer,
        subject: principal.subject,
        misses,
        patients,
      })
      .catch(() => {
        // The sink is unhealthy and says so itself; the request's own record fails too.
      });
  }
}

const keys = new WeakMap<AuthenticatedPrincipal, string>();

/** Of a principal at its tenant. A token's principal is the same object as long as the token is known. */
function keyOf(principal: AuthenticatedPrincipal): string {
  let key = keys.get(principal);
  if (key === undefined) {
    key = guardKeyOf(principal.tenant, principal.limitKey);
    keys.set(principal, key);
  }
  return key;
}

function refused(
  x: Exchange,
  reason: 'guard-locked' | 'guard-step-up' | 'guard-slowed',
  waitMs: number,
): Step {
  x.failed(reason);
  return { kind: 'limited', reason, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
}
