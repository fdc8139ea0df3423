import { type ChainHead, FORMAT, fileName, GENESIS, type ParsedLine, parseLine } from './format.ts';
import type { Line } from './lines.ts';

/** What is wrong with a chain. Stable codes. */
export const CHAIN_FAULTS = [
  /** Not a line that the writer can have written. */
  'line-malformed',
  /** The line's bytes do not give its hash: it was edited. */
  'hash-mismatch',
  /** The line follows another line than the one before it: one of them was replaced. */
  'link-broken',
  /** Records between this line and the one before it are gone. */
  'records-missing',
  /** The line belongs further up: it was moved, repeated or inserted. */
  'out-of-order',
  /** A file ends in the middle of a line though a later file exists, or the file is empty. */
  'file-truncated',
  'file-missing',
  /** A file does not begin with the record that belongs there, or such a record stands elsewhere. */
  'header-wrong',
  /** The record that was noted down elsewhere is not there, or is another one. */
  'head-missing',
  'head-different',
] as const;
export type ChainFaultCode = (typeof CHAIN_FAULTS)[number];

export interface ChainFault {
  readonly code: ChainFaultCode;
  readonly chain: string;
  /** File name without its directory. */
  readonly file: string;
  /** 1-based; 0 when the file as a whole is meant. */
  readonly line: number;
  /** The record's number, or the number that belongs there; 0 when unknown. */
  readonly seq: number;
  readonly message: string;
}

export interface ChainWarning {
  /** `time-back`: the clock went back. `tail-incomplete`: the newest file's last line has no end yet. */
  readonly code: 'time-back' | 'tail-incomplete';
  readonly chain: string;
  readonly file: string;
  readonly line: number;
  readonly seq: number;
  readonly message: string;
}

export interface ChainObserver {
  fault(fault: ChainFault): void;
  warning(warning: ChainWarning): void;
  /** Called for each line in canonical form, sound or not. */
  record?(record: ParsedLine): void;
}

/** A record that may come next. Without `prev`, any. */
interface Continuation {
  readonly seq: number;
  readonly prev?: string;
}

/**
 * Follows one chain line by line. After a fault it goes on from whatever may have been there before,
 * so that one tamper gives one or two faults at its place and not one for each line below it.
 */
export class ChainCheck {
  readonly #chain: string;
  readonly #observer: ChainObserver;
  #id: string | undefined;
  #file = 0;
  #lastFile = 0;
  /** What may come next, the likeliest first; undefined: anything. */
  #next: readonly Continuation[] | undefined = [{ seq: 1, prev: GENESIS }];
  #time = '';
  #records = 0;
  #head: (ChainHead & { readonly time: string }) | undefined;

  constructor(chain: string, observer: ChainObserver) {
    this.#chain = chain;
    this.#observer = observer;
  }

  get records(): number {
    return this.#records;
  }

  /** The last record read; undefined before the first. */
  get head(): (ChainHead & { readonly time: string }) | undefined {
    return this.#head;
  }

  /** The chain's random id, once its first header was read. */
  get id(): string | undefined {
    return this.#id;
  }

  /** Starts in the middle, after `file`. What comes next must follow `from`; anything may when that is not given. */
  resume(file: number, from: { readonly head: ChainHead; readonly id: string } | undefined): void {
    this.#lastFile = file;
    this.#next = from && [{ seq: from.head.seq + 1, prev: from.head.hash }];
    this.#id = from?.id;
  }

  startFile(file: number): void {
    const missing = file - this.#lastFile - 1;
    if (missing > 0) {
      const first = fileName(this.#chain, this.#lastFile + 1);
      const range = missing === 1 ? first : `${first} to ${fileName(this.#chain, file - 1)}`;
      this.#fault('file-missing', this.#lastFile + 1, 0, this.#expected, `${range} is missing.`);
      this.#next = undefined;
    }
    this.#file = file;
    this.#lastFile = file;
  }

  line(line: Line): void {
    const parsed = line.overlong ? undefined : parseLine(line.bytes);
    if (parsed === undefined) {
      this.#fault(
        'line-malformed',
        this.#file,
        line.number,
        this.#expected,
        'The line is not a record of this log.',
      );
      this.#mayHaveStoodFor(undefined);
      return;
    }
    this.#records += 1;
    this.#observer.record?.(parsed);
    if (parsed.computed !== parsed.hash) {
      const seq = this.#expected || parsed.seq;
      this.#fault('hash-mismatch', this.#file, line.number, seq, 'The record was changed: its hash differs.');
      this.#mayHaveStoodFor(parsed);
      return;
    }
    this.#place(parsed, line.number);
    this.#header(parsed, line.number);
    this.#clock(parsed, line.number);
    this.#head = { seq: parsed.seq, hash: parsed.hash, time: parsed.time };
  }

  /** @param incomplete what followed the last newline, if anything did */
  endFile(lines: number, incomplete: Line | undefined, newest: boolean): void {
    const number = incomplete?.number ?? 0;
    if (newest && !incomplete?.overlong) {
      if (incomplete !== undefined || lines === 0) {
        this.#observer.warning({
          code: 'tail-incomplete',
          ...this.#at(this.#file, number, this.#expected),
          message:
            'The last line has no end: it is being written, or the process was killed while writing it.',
        });
      }
      return;
    }
    if (incomplete !== undefined || lines === 0) {
      this.#fault(
        'file-truncated',
        this.#file,
        number,
        this.#expected,
        'The file ends before its last record does.',
      );
    }
  }

  get #expected(): number {
    return this.#next?.[0]?.seq ?? 0;
  }

  #place(parsed: ParsedLine, line: number): void {
    const next = this.#next;
    const after: Continuation = { seq: parsed.seq + 1, prev: parsed.hash };
    this.#next = [after];
    if (next === undefined) return;
    if (next.some((c) => c.seq === parsed.seq && (c.prev === undefined || c.prev === parsed.prev))) return;
    const expected = next[0]?.seq ?? 0;
    if (next.some((c) => c.seq === parsed.seq)) {
      this.#fault(
        'link-broken',
        this.#file,
        line,
        parsed.seq,
        'The record does not follow the one before it.',
      );
    } else if (parsed.seq > expected) {
      const last = parsed.seq - 1;
      const which = last === expected ? `Record ${expected} is` : `Records ${expected} to ${last} are`;
      this.#fault('records-missing', this.#file, line, parsed.seq, `${which} missing before this line.`);
    } else {
      this.#fault(
        'out-of-order',
        this.#file,
        line,
        parsed.seq,
        `Record ${parsed.seq} stands where record ${expected} belongs.`,
      );
      this.#next = [after, ...next.slice(0, 2)];
    }
  }

  #header(parsed: ParsedLine, line: number): void {
    const { kind, event, chain, id, format, file } = parsed.entry;
    const isHeader = kind === 'chain' && (event === 'begin' || event === 'continue');
    if (line !== 1 && !isHeader) return;
    const right =
      line === 1 &&
      isHeader &&
      event === (this.#file === 1 ? 'begin' : 'continue') &&
      chain === this.#chain &&
      file === this.#file &&
      format === FORMAT &&
      typeof id === 'string' &&
      (this.#id === undefined || this.#id === id);
    if (right) this.#id = id;
    else {
      const message =
        line === 1
          ? `The file does not begin as file ${this.#file} of the chain ${this.#chain}.`
          : 'A record that may only begin a file stands inside one.';
      this.#fault('header-wrong', this.#file, line, parsed.seq, message);
    }
  }

  #clock(parsed: ParsedLine, line: number): void {
    // Both are of one fixed form, so their order as text is their order in time.
    if (parsed.time < this.#time) {
      this.#observer.warning({
        code: 'time-back',
        ...this.#at(this.#file, line, parsed.seq),
        message: `The time goes back from ${this.#time} to ${parsed.time}.`,
      });
    }
    this.#time = parsed.time;
  }

  /** A faulty line was either the next record, changed, or was put in between. */
  #mayHaveStoodFor(parsed: ParsedLine | undefined): void {
    const next = this.#next;
    const first = next?.[0];
    if (next === undefined || first === undefined) return;
    const after =
      parsed === undefined
        ? [{ seq: first.seq + 1 }]
        : [parsed.hash, parsed.computed].map((prev) => ({ seq: first.seq + 1, prev }));
    this.#next = [...after, ...next.slice(0, 2)];
  }

  #at(file: number, line: number, seq: number) {
    return { chain: this.#chain, file: fileName(this.#chain, file), line, seq };
  }

  #fault(code: ChainFaultCode, file: number, line: number, seq: number, message: string): void {
    this.#observer.fault({ code, ...this.#at(file, line, seq), message });
  }
}
