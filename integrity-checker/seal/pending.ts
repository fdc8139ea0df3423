import type { IdRange } from './checkpoint.ts';

/** How long a transaction may take from being given an id to being listed as one that writes. */
const GRACE_MS = 2_000;
/** Gaps this close to each other are read in one go. */
const MERGE_DISTANCE = 32;

/** Ids that were passed over at one time. */
interface Gap {
  ranges: [first: number, last: number][];
  readonly noticedAt: number;
  /** Leaves in the tree before anything above these ids was sealed. */
  readonly from: number;
  /** Transactions that could still fill it; undefined until they were looked up. */
  waiters: Set<string> | undefined;
}

/**
 * Which ids of a table have not been seen and may still appear. A server gives out ids before their
 * transactions commit, so a row can become visible after one with a higher id; and what is rolled back leaves
 * an id that never appears. An id is given up only when every transaction that was writing once it had been
 * passed over (and two seconds more) is over: nobody is left who was given it.
 */
export class PendingIds {
  #head: number;
  #gaps: Gap[] = [];

  /** @param head everything up to it is known */
  constructor(head: number) {
    this.#head = head;
  }

  get head(): number {
    return this.#head;
  }

  /** Up to here nothing can appear any more. */
  get settled(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const gap of this.#gaps) for (const [first] of gap.ranges) lowest = Math.min(lowest, first);
    return Math.min(this.#head, lowest - 1);
  }

  /** From which leaf on ids above `settled` may be; undefined when nothing is open. */
  get open(): number | undefined {
    return this.#gaps.length === 0 ? undefined : Math.min(...this.#gaps.map((gap) => gap.from));
  }

  get empty(): boolean {
    return this.#gaps.length === 0;
  }

  /**
   * Takes ids above the head, ascending; those in between are open from now on.
   * @param now monotonic milliseconds
   * @param size leaves in the tree before these
   */
  advance(ids: readonly number[], now: number, size: number): void {
    const ranges: [number, number][] = [];
    for (const id of ids) {
      if (id <= this.#head) throw new RangeError('ids must ascend');
      if (id > this.#head + 1) ranges.push([this.#head + 1, id - 1]);
      this.#head = id;
    }
    if (ranges.length > 0) this.#gaps.push({ ranges, noticedAt: now, from: size, waiters: undefined });
  }

  /** Whether an id at or below the head is still open. */
  isOpen(id: number): boolean {
    return this.#gaps.some((gap) => gap.ranges.some(([first, last]) => id >= first && id <= last));
  }

  /** An open id has appeared. */
  fill(id: number): void {
    for (const gap of this.#gaps) {
      const index = gap.ranges.findIndex(([first, last]) => id >= first && id <= last);
      const range = gap.ranges[index];
      if (range === undefined) continue;
      const [first, last] = range;
      const rest: [number, number][] = [];
      if (first < id) rest.push([first, id - 1]);
      if (id < last) rest.push([id + 1, last]);
      gap.ranges.splice(index, 1, ...rest);
    }
    this.#gaps = this.#gaps.filter((gap) => gap.ranges.length > 0);
  }

  /** What to read again, ascending; known ids that lie between near gaps are in it. */
  ranges(): readonly IdRange[] {
    const all = this.#gaps.flatMap((gap) => gap.ranges).sort(([a], [b]) => a - b);
    const merged: [number, number][] = [];
    for (const [first, last] of all) {
      const before = merged.at(-1);
      if (before !== undefined && first - before[1] <= MERGE_DISTANCE) before[1] = Math.max(before[1], last);
      else merged.push([first, last]);
    }
    return merged;
  }

  /**
   * Gives up what nobody can fill any more. The gaps must have been read again after `writing` was.
   * @param writing transactions that have written something, as the server listed them before that reading
   */
  settle(writing: ReadonlySet<string>, now: number): void {
    this.#gaps = this.#gaps.filter((gap) => {
      if (gap.waiters === undefined) {
        if (now - gap.noticedAt >= GRACE_MS) gap.waiters = new Set(writing);
        return true;
      }
      gap.waiters = gap.waiters.intersection(writing);
      return gap.waiters.size > 0;
    });
  }
}
