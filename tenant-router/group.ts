import type { BalancingMethod } from '../contracts/balancing.ts';
import type { Clock } from '../contracts/clock.ts';
import { GRADES, type PooledBackend } from './backend.ts';
import { hashOf, mix } from './hash.ts';

export interface GroupSettings {
  readonly method: BalancingMethod;
  readonly queueLength: number;
  readonly slowStartMs: number;
  readonly clock: Clock;
  /** Whether others can do what these do, as primaries can for replicas. */
  readonly replaceable: boolean;
}

/**
 * Back ends of which any one will do. The best ones that there are share the requests: those that are sound, without
 * these the doubtful ones, and without these those that fail their checks, because checks may be wrong.
 */
export class Group {
  readonly backends: readonly PooledBackend[];
  readonly #settings: GroupSettings;
  #next = 0;
  #full = false;

  constructor(backends: readonly PooledBackend[], settings: GroupSettings) {
    this.backends = backends;
    this.#settings = settings;
  }

  /** Whether the last choice left one out only because too many wait for it. */
  get full(): boolean {
    return this.#full;
  }

  /**
   * Of all that may be asked, in one pass; undefined when none may.
   * @param key for `sticky`: whoever is to meet the same back end again; empty: nobody
   * @param sure it cannot be sent again, so that it goes where nothing is in doubt
   * @param not one that was tried already
   * @param least grade of what is good enough
   */
  choose(
    key: string,
    sure: boolean,
    not: PooledBackend | undefined,
    least: number = GRADES.unhealthy,
  ): PooledBackend | undefined {
    const { backends } = this;
    const [only] = backends;
    this.#full = false;
    if (only === undefined) return undefined;
    return backends.length === 1 && !this.#settings.replaceable
      ? this.#alone(only, not)
      : this.#best(key, sure, not, least);
  }

  /** Whether `choose` would find one now; changes nothing. */
  get reachable(): boolean {
    for (const backend of this.backends) {
      if (backend.circuit.available() && !backend.full(this.#settings.queueLength)) return true;
    }
    return false;
  }

  #alone(only: PooledBackend, not: PooledBackend | undefined): PooledBackend | undefined {
    if (only === not || !only.circuit.available()) return undefined;
    this.#full = only.full(this.#settings.queueLength);
    if (this.#full) return undefined;
    only.circuit.take();
    return only;
  }

  #best(
    key: string,
    sure: boolean,
    not: PooledBackend | undefined,
    least: number,
  ): PooledBackend | undefined {
    const { backends } = this;
    const { method, queueLength, slowStartMs, clock } = this.#settings;
    const now = clock.monotonic();
    const start = this.#next;
    // Sticky requests of nobody in particular go round.
    const hash = method === 'sticky' && key !== '' ? hashOf(key) : undefined;
    let best: PooledBackend | undefined;
    let bestGrade: number = GRADES.none;
    let bestScore = Number.POSITIVE_INFINITY;
    for (let step = 0; step < backends.length; step += 1) {
      const backend = backends[(start + step) % backends.length] as PooledBackend;
      // Slow or broken answers eject only while another can take over: a page that is always slow
      // must not be a way to shut a tenant's only back end off.
      if (backend.circuit.wantsEjection && this.#hasOther(backend)) backend.eject();
      if (backend === not) continue;
      let grade = backend.grade(now, sure);
      // Who has a session there stays while it is there at all.
      if (hash !== undefined && grade === GRADES.doubtful && !backend.circuit.ejected) grade = GRADES.good;
      if (grade < bestGrade || grade < least) continue;
      let score: number;
      if (hash !== undefined) score = -mix(hash, backend.seed);
      else {
        // The one request that tries it is not put off.
        const warmth = backend.circuit.ejected ? 1 : backend.warmth(now, slowStartMs);
        if (method === 'least-requests') score = (backend.load + 1) / warmth;
        else score = backend.turn(warmth) ? step : step + backends.length;
      }
      if (grade === bestGrade && score >= bestScore) continue;
      if (backend.full(queueLength)) {
        this.#full = true;
        // A session is not moved because its back end is busy.
        if (hash === undefined) continue;
      }
      best = backend;
      bestGrade = grade;
      bestScore = score;
      if (hash === undefined && method !== 'least-requests' && grade === GRADES.good && score === step) break;
    }
    if (best === undefined || best.full(queueLength)) return undefined;
    this.#next = (backends.indexOf(best) + 1) % backends.length;
    this.#full = false;
    best.circuit.take();
    return best;
  }

  #hasOther(than: PooledBackend): boolean {
    if (this.#settings.replaceable) return true;
    for (const backend of this.backends) {
      if (backend !== than && !backend.circuit.ejected && backend.healthy) return true;
    }
    return false;
  }
}
