import type { Pool } from 'undici';
import type { BackendSettings } from '../contracts/settings.ts';
import { Circuit, type CircuitSettings } from './circuit.ts';
import { hashOf } from './hash.ts';
import type { BackendReport } from './outcome.ts';
import { type BackendConnect, createConnect, createPool, type PoolSettings, STREAMS } from './transport.ts';

/** A request under way that may still go to another back end. */
export interface Movable {
  move(): void;
}

export interface Backend {
  /** Origin as configured. */
  readonly origin: string;
  /** Belongs to this back end of this tenant alone. Time-outs of the answer are set per request. */
  readonly dispatcher: Pool;
  /** One connection of its own, for what does not go through the pool. */
  readonly connect: BackendConnect;
  /** Tells the breaker how a request went; call it once per request that `pick` was called for. */
  report(outcome: BackendReport): void;
  /**
   * A request got on. Each goes from `none` through some of the phases, in their order, to `over`.
   * @param movable of a request without an answer: told when this back end is left out
   */
  progress(from: Phase, to: Phase, movable?: Movable): void;
}

/** Where a request is: waiting for a connection, sent without an answer's head, answered in part. */
export const PHASES = ['none', 'waiting', 'sent', 'answering', 'over'] as const;
export type Phase = (typeof PHASES)[number];

/** How good a choice a back end is: the higher the better, 0 none at all. */
export const GRADES = { none: 0, unhealthy: 1, doubtful: 2, good: 3 } as const;

/** Milliseconds without the head of any answer, though one is due, after which others are asked rather. */
const STALL_MS = 300;
/** The least part of its requests that a back end gets when it is back. */
const COLDEST = 0.1;

/**
 * A back end with its pool, its breaker, its health and how busy it is. An idle one has neither connections nor a pool.
 */
export class PooledBackend implements Backend {
  readonly settings: BackendSettings;
  readonly origin: string;
  readonly circuit: Circuit;
  /** For choosing the same one for the same session. */
  readonly seed: number;
  readonly #pools: PoolSettings;
  readonly #clock: CircuitSettings['clock'];
  readonly #capacity: number;
  #connect: BackendConnect | undefined;
  #pool: Pool | undefined;
  #retired = false;
  #waiting = 0;
  #sent = 0;
  #answering = 0;
  /** When the last head came, or became due with nothing else sent. */
  #progressAt = 0;
  #healthy = true;
  #healthyAgainAt = 0;
  /** Saved-up part of a request, while it gets less than all. */
  #credit = 0;
  #movable: Set<Movable> | undefined;

  constructor(settings: BackendSettings, pools: PoolSettings, circuit: CircuitSettings) {
    this.settings = settings;
    this.origin = settings.origin;
    this.seed = hashOf(settings.origin);
    this.#pools = pools;
    this.#clock = circuit.clock;
    this.#capacity = settings.connections * (settings.http2 === true ? STREAMS : 1);
    this.circuit = new Circuit(circuit);
  }

  get connect(): BackendConnect {
    this.#connect ??= createConnect(this.settings, this.#pools);
    return this.#connect;
  }

  /** Made when it is first asked for. */
  get dispatcher(): Pool {
    if (this.#pool === undefined) {
      this.#pool = createPool(this.settings, this.#pools);
      // Whoever chose it long before it was taken away gets an error, and no connection that nobody closes.
      if (this.#retired) void this.#pool.destroy();
    }
    return this.#pool;
  }

  /** Undefined while nothing was ever sent. */
  get opened(): Pool | undefined {
    return this.#pool;
  }

  /** No connection is opened from now on. */
  retire(): void {
    this.#retired = true;
  }

  /** Requests given to it and not over. */
  get load(): number {
    return this.#waiting + this.#sent + this.#answering;
  }

  /** As health checks see it. */
  get healthy(): boolean {
    return this.#healthy;
  }

  set healthy(healthy: boolean) {
    if (healthy === this.#healthy) return;
    this.#healthy = healthy;
    if (healthy) this.#healthyAgainAt = this.#clock.monotonic();
    else this.#moveAll();
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Whether it is in, with room: then nothing has to be noted when a request goes to it. */
  idle(queue: number): boolean {
    return !this.circuit.ejected && !this.full(queue);
  }

  /** Whether no more may wait for a connection, when so many may. */
  full(queue: number): boolean {
    return this.load >= this.#capacity + queue;
  }

  /**
   * @param now monotonic milliseconds
   * @param sure it cannot be sent again, so that it should not be what finds out how this one is
   */
  grade(now: number, sure: boolean): number {
    const { circuit } = this;
    if (!circuit.available()) return GRADES.none;
    if (!this.#healthy) return GRADES.unhealthy;
    if (sure && circuit.suspect) return GRADES.doubtful;
    return this.#sent > 0 && now - this.#progressAt > STALL_MS ? GRADES.doubtful : GRADES.good;
  }

  /** The part of its requests that it should get: 1, less while it is not long back. */
  warmth(now: number, slowStartMs: number): number {
    const back = Math.max(this.circuit.closedAt, this.#healthyAgainAt);
    if (back === 0) return 1;
    const warm = (now - back) / slowStartMs;
    return warm >= 1 || Number.isNaN(warm) ? 1 : Math.max(COLDEST, warm);
  }

  /** Whether it is its turn, where only that part of the turns is its own. */
  turn(warmth: number): boolean {
    if (warmth >= 1) return true;
    this.#credit += warmth;
    if (this.#credit < 1) return false;
    this.#credit -= 1;
    return true;
  }

  eject(): void {
    this.circuit.eject();
    this.#moveAll();
  }

  report(outcome: BackendReport): void {
    const { ejected } = this.circuit;
    this.circuit.report(outcome);
    if (!ejected && this.circuit.ejected) this.#moveAll();
  }

  progress(from: Phase, to: Phase, movable?: Movable): void {
    if (from === 'waiting') this.#waiting -= 1;
    else if (from === 'sent') {
      this.#sent -= 1;
      this.#progressAt = this.#clock.monotonic();
    } else if (from === 'answering') this.#answering -= 1;
    if (to === 'waiting') this.#waiting += 1;
    else if (to === 'sent') {
      if (this.#sent === 0) this.#progressAt = this.#clock.monotonic();
      this.#sent += 1;
    } else if (to === 'answering') this.#answering += 1;
    if (movable === undefined) return;
    if (to === 'waiting') {
      this.#movable ??= new Set();
      this.#movable.add(movable);
    } else if (to !== 'sent') this.#movable?.delete(movable);
  }

  #moveAll(): void {
    const movable = this.#movable;
    if (movable === undefined || movable.size === 0) return;
    this.#movable = undefined;
    for (const each of movable) each.move();
  }
}
