import type { DeskLine } from './desk-line.ts';

/** How much of a limit a worker may keep for requests to come, of the 2 % that all workers together may. */
const SPARE = 0.02;

interface Seat {
  /** Requests under way. */
  inUse: number;
  /** Places that the desk gave to this worker. */
  held: number;
}

/**
 * Requests under way at once, per limit and key: counted here where this worker is the only one, else at the desk,
 * of which this worker keeps a small reserve. While the desk is away each worker has its part.
 */
export class Seats {
  readonly #desk: DeskLine | undefined;
  readonly #workers: number;
  /** By limit, then by key. */
  readonly #limits = new Map<string, Map<string, Seat>>();
  #closed = false;

  constructor(desk: DeskLine | undefined, workers: number) {
    this.#desk = workers > 1 ? desk : undefined;
    this.#workers = Math.max(1, workers);
  }

  /** Whether there was a place; every one that was taken has to be given back by `leave`. */
  take(limiter: string, key: string, most: number): boolean | Promise<boolean> {
    const seat = this.#seat(limiter, key);
    if (this.#desk === undefined) {
      const part = this.#workers === 1 ? most : Math.max(1, Math.floor(most / this.#workers));
      if (seat.inUse >= part) return false;
      seat.inUse += 1;
      return true;
    }
    if (seat.inUse < seat.held) {
      seat.inUse += 1;
      return true;
    }
    return this.#ask(this.#desk, limiter, key, most);
  }

  leave(limiter: string, key: string, most: number): void {
    const seat = this.#limits.get(limiter)?.get(key);
    if (seat === undefined || seat.inUse === 0) return;
    seat.inUse -= 1;
    this.#tidy(limiter, key, seat, this.#reserve(most));
  }

  /** Gives back what is kept for nobody. */
  sweep(): void {
    for (const [limiter, keys] of this.#limits) {
      for (const [key, seat] of keys) if (seat.inUse === 0) this.#tidy(limiter, key, seat, 0);
      if (keys.size === 0) this.#limits.delete(limiter);
    }
  }

  /** Keeps nothing back any more: what is still under way gives its place back by itself. */
  close(): void {
    this.#closed = true;
    for (const [limiter, keys] of this.#limits) {
      for (const [key, seat] of keys) this.#tidy(limiter, key, seat, 0);
    }
  }

  inUse(limiter: string, key: string): number {
    return this.#limits.get(limiter)?.get(key)?.inUse ?? 0;
  }

  async #ask(desk: DeskLine, limiter: string, key: string, most: number): Promise<boolean> {
    let granted: number | undefined;
    try {
      granted = await desk.occupy(limiter, key, most, 1 + this.#reserve(most));
    } catch {
      granted = undefined;
    }
    const seat = this.#seat(limiter, key);
    if (granted !== undefined) {
      seat.held += granted;
      // Others that waited may have taken what came, and left what this one may have.
      if (seat.inUse >= seat.held) {
        this.#tidy(limiter, key, seat, 0);
        return false;
      }
    } else if (seat.inUse >= Math.max(1, Math.floor(most / this.#workers))) {
      this.#tidy(limiter, key, seat, 0);
      return false;
    }
    seat.inUse += 1;
    return true;
  }

  #reserve(most: number): number {
    return this.#closed ? 0 : Math.floor((most * SPARE) / this.#workers);
  }

  #tidy(limiter: string, key: string, seat: Seat, reserve: number): void {
    const spare = seat.held - seat.inUse - reserve;
    if (spare > 0) {
      seat.held -= spare;
      this.#desk?.vacate(limiter, key, spare);
    }
    if (seat.inUse === 0 && seat.held <= 0) this.#limits.get(limiter)?.delete(key);
  }

  #seat(limiter: string, key: string): Seat {
    let keys = this.#limits.get(limiter);
    if (keys === undefined) {
      keys = new Map();
      this.#limits.set(limiter, keys);
    }
    let seat = keys.get(key);
    if (seat === undefined) {
      seat = { inUse: 0, held: 0 };
      keys.set(key, seat);
    }
    return seat;
  }
}
