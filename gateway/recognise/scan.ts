import type { Automaton } from './automaton.ts';

/** Bytes around a find in which it is proved. */
const BEFORE = 400;
const AFTER = 1000;

/** One part of a body with what came before, as somebody who proves a find sees it. */
export interface Sight<Found> {
  /**
   * @param needle its number
   * @param window bytes (latin1) around the find
   * @param from where in the window the needle begins
   * @param end where it has ended
   */
  prove(needle: number, window: string, from: number, end: number): Found | undefined;
}

/** What is looked for: texts, and what proves that one of them means something. */
export interface Matcher<Found> extends Sight<Found> {
  readonly automaton: Automaton;
  /**
   * Whether the proof of a needle looks at the whole window, wherever in it the needle stands. One that failed has then
   * spoken for those that follow closely too, so that a text full of needles costs no more than others.
   */
  wide(needle: number): boolean;
  /** Bytes of each needle. */
  readonly lengths: readonly number[];
}

interface Candidate {
  readonly needle: number;
  /** Counted from the beginning of the body. */
  readonly end: number;
}

/**
 * Looks through one body, which may come in parts. A find is proved with what is there, and once more when what follows
 * it has come. Time is linear in the length of the body; what is kept of it is at most `BEFORE + AFTER` bytes.
 */
export class Scan<Found> {
  readonly #matcher: Matcher<Found>;
  #state = 0;
  #tail: Buffer = EMPTY;
  /** Bytes of the body before the tail. */
  #gone = 0;
  #pending: Candidate[] = [];
  /** Where the last proof of a needle failed that had everything to see. */
  readonly #failed = new Map<number, number>();

  constructor(matcher: Matcher<Found>) {
    this.#matcher = matcher;
  }

  /** @param last nothing follows */
  add(part: Buffer, last: boolean): Found | undefined {
    const seen = this.#tail.length;
    // Never joined: a copy of each part would be as much memory again until it is collected.
    const length = seen + part.length;
    for (const candidate of this.#pending) {
      const found = this.#prove(candidate, part, last);
      if (found !== undefined) return found;
    }
    const open: Candidate[] = [];
    let found: Found | undefined;
    this.#state = this.#matcher.automaton.read(part, this.#state, (needle, end) => {
      const candidate = { needle, end: this.#gone + seen + end };
      found = this.#prove(candidate, part, last);
      if (found !== undefined) return true;
      if (!last && seen + end + AFTER > length) open.push(candidate);
      return false;
    });
    if (found !== undefined) return found;
    if (last) return undefined;
    const behind = this.#pending.filter(({ end }) => end - this.#gone + AFTER > length);
    this.#pending = [...behind, ...open];
    const kept = Math.min(length, BEFORE + AFTER);
    this.#gone += length - kept;
    // A copy, so that a tail of a few bytes does not hold a whole part in memory.
    this.#tail =
      part.length >= kept
        ? Buffer.from(part.subarray(part.length - kept))
        : Buffer.concat([this.#tail.subarray(length - kept), part]);
    return undefined;
  }

  /** Of the tail and what follows it, as latin1. */
  #text(part: Buffer, from: number, to: number): string {
    const seen = this.#tail.length;
    if (from >= seen) return part.toString('latin1', from - seen, to - seen);
    const before = this.#tail.toString('latin1', from, Math.min(seen, to));
    return to <= seen ? before : before + part.toString('latin1', 0, to - seen);
  }

  #prove({ needle, end }: Candidate, part: Buffer, last: boolean): Found | undefined {
    const { wide, lengths } = this.#matcher;
    const isWide = wide(needle);
    if (isWide && end < (this.#failed.get(needle) ?? -BEFORE) + BEFORE) return undefined;
    const here = end - this.#gone;
    const start = here - (lengths[needle] ?? 0);
    const first = Math.max(0, start - BEFORE);
    const length = this.#tail.length + part.length;
    const window = this.#text(part, first, Math.min(length, here + AFTER));
    const found = this.#matcher.prove(needle, window, start - first, here - first);
    if (isWide && found === undefined && (last || here + AFTER <= length)) this.#failed.set(needle, end);
    return found;
  }
}

const EMPTY = Buffer.alloc(0);
