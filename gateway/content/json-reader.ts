import type { Json, JsonObject } from '../../contracts/content.ts';
import type { InspectionStatus } from '../../contracts/inspection.ts';
import { type ContentFault, pointerOf } from './fault.ts';
import { nameAt, sameButForCase } from './json-names.ts';

/** Where an array or object stood in the text that it was read from. */
export type Spans = ReadonlyMap<object, readonly [start: number, end: number]>;

export interface ReadJson {
  readonly ok: true;
  readonly value: Json;
  readonly text: string;
  /** Of every array and object, where `spans` was asked for; else empty. */
  readonly spans: Spans;
}

export interface JsonOptions {
  readonly depth: number;
  readonly values: number;
  /**
   * Of clients: also refused is what common readers understand in different ways although the grammar is clear: names
   * that differ in case only, NUL. A back end's answer has passed no such reader.
   */
  readonly strict: boolean;
  /** Remembers where each value stood, so that what is kept of it can be written as it was. */
  readonly spans?: boolean;
}

const FAILED = Symbol('failed');
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const NO_SPANS: Spans = new Map();
/** Characters of one number; longer ones are for making readers slow. */
const NUMBER_LENGTH = 400;

const ESCAPES: Readonly<Record<string, string>> = Object.freeze(
  Object.assign(Object.create(null) as Record<string, string>, {
    '"': '"',
    '\\': '\\',
    '/': '/',
    b: '\b',
    f: '\f',
    n: '\n',
    r: '\r',
    t: '\t',
  }),
);

/** Reads one text, once. Never throws. */
export class JsonReader {
  readonly #text: string;
  readonly #options: JsonOptions;
  readonly #spans: Map<object, readonly [number, number]> | undefined;
  #at = 0;
  #left: number;
  #rule = 'syntax';
  #status: InspectionStatus = 'bad-request';
  /** Names of the objects that are being read, those of the innermost last: one list for all of them. */
  readonly #names: string[] = [];
  #namesEnd = 0;
  /** The steps to the fault, innermost first; filled on the way out. */
  readonly #steps: (string | number)[] = [];

  constructor(text: string, options: JsonOptions, locating: boolean) {
    this.#text = text;
    this.#options = options;
    this.#left = options.values;
    this.#spans = locating ? new Map() : undefined;
  }

  read(): ReadJson | (ContentFault & { ok: false }) {
    this.#space();
    const value = this.#value(0);
    if (value !== FAILED) {
      this.#space();
      if (this.#at === this.#text.length)
        return { ok: true, value, text: this.#text, spans: this.#spans ?? NO_SPANS };
      this.#fail('trailing');
    }
    return {
      ok: false,
      status: this.#status,
      rule: `json-${this.#rule}`,
      place: pointerOf(this.#steps.reverse()),
    };
  }

  #fail(rule: string, status: InspectionStatus = 'bad-request'): typeof FAILED {
    this.#rule = rule;
    this.#status = status;
    return FAILED;
  }

  /** Small, so that it costs no call where there is none: hardly any body of a program has white space. */
  #space(): void {
    if (!(this.#text.charCodeAt(this.#at) > 0x20)) this.#spaces();
  }

  #spaces(): void {
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
      this.#at += 1;
    }
  }

  #value(depth: number): Json | typeof FAILED {
    this.#left -= 1;
    if (this.#left < 0) return this.#fail('values', 'too-large');
    switch (this.#text.charCodeAt(this.#at)) {
      case 0x7b:
        return depth >= this.#options.depth ? this.#fail('depth') : this.#object(depth + 1);
      case 0x5b:
        return depth >= this.#options.depth ? this.#fail('depth') : this.#array(depth + 1);
      case 0x22:
        return this.#string();
      case 0x74:
        return this.#word('true', true);
      case 0x66:
        return this.#word('false', false);
      case 0x6e:
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #word<T extends Json>(word: string, value: T): T | typeof FAILED {
    if (!this.#text.startsWith(word, this.#at)) return this.#fail('syntax');
    this.#at += word.length;
    return value;
  }

  #number(): number | typeof FAILED {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) return this.#fail('syntax');
    const [written] = match;
    this.#at += written.length;
    if (written.length > NUMBER_LENGTH) return this.#fail('number-range');
    // Decimals of FHIR have more digits than a double holds; who reads how many of them decides nothing here.
    const value = Number(written);
    if (!Number.isFinite(value)) return this.#fail('number-range');
    return value;
  }

  #string(): string | typeof FAILED {
    const text = this.#text;
    const start = this.#at + 1;
    let at = start;
    for (;;) {
      const unit = text.charCodeAt(at);
      if (unit === 0x22) {
        this.#at = at + 1;
        return text.slice(start, at);
      }
      if (unit === 0x5c) return this.#escaped(start, at);
      // Also what comes of reading past the end: NaN is not 0x20 or more.
      if (!(unit >= 0x20)) return this.#fail(unit < 0x20 ? 'control' : 'syntax');
      at += 1;
    }
  }

  #name(): string | typeof FAILED {
    const text = this.#text;
    const start = this.#at + 1;
    let at = start;
    let mark = 0;
    for (;;) {
      const unit = text.charCodeAt(at);
      if (unit === 0x22) {
        this.#at = at + 1;
        return nameAt(text, start, at, mark);
      }
      // Escapes, and what is refused.
      if (unit === 0x5c || !(unit >= 0x20)) return this.#string();
      mark = (Math.imul(mark, 31) + unit) | 0;
      at += 1;
    }
  }

  /** A string with escapes (RFC 8259 §7), of which `at` is the first. */
  #escaped(start: number, first: number): string | typeof FAILED {
    const text = this.#text;
    const pieces = [text.slice(start, first)];
    let at = first;
    for (;;) {
      const unit = text.charCodeAt(at);
      if (unit === 0x22) break;
      if (unit === 0x5c) {
        const kind = text.charAt(at + 1);
        if (kind === 'u') {
          const digits = text.slice(at + 2, at + 6);
          if (!/^[0-9a-fA-F]{4}$/.test(digits)) return this.#fail('syntax');
          const code = Number.parseInt(digits, 16);
          // Readers written in C end the value here.
          if (code === 0 && this.#options.strict) return this.#fail('nul');
          pieces.push(String.fromCharCode(code));
          at += 6;
        } else {
          const plain = ESCAPES[kind];
          if (plain === undefined) return this.#fail('syntax');
          pieces.push(plain);
          at += 2;
        }
        continue;
      }
      if (!(unit >= 0x20)) return this.#fail(unit < 0x20 ? 'control' : 'syntax');
      const from = at;
      for (at += 1; ; at += 1) {
        const next = text.charCodeAt(at);
        if (next === 0x22 || next === 0x5c || !(next >= 0x20)) break;
      }
      pieces.push(text.slice(from, at));
    }
    this.#at = at + 1;
    const value = pieces.join('');
    return value.isWellFormed() ? value : this.#fail('surrogate');
  }

  #array(depth: number): Json[] | typeof FAILED {
    const start = this.#at;
    let array: Json[] | undefined;
    this.#at += 1;
    this.#space();
    if (this.#text.charCodeAt(this.#at) === 0x5d) {
      this.#at += 1;
      array = [];
      this.#spans?.set(array, [start, this.#at]);
      return array;
    }
    for (;;) {
      this.#space();
      const value = this.#value(depth);
      if (value === FAILED) {
        this.#steps.push(array?.length ?? 0);
        return FAILED;
      }
      // Most have one item; a list that is pushed to has room for seventeen.
      if (array === undefined) array = [value];
      else array.push(value);
      this.#space();
      const unit = this.#text.charCodeAt(this.#at);
      this.#at += 1;
      if (unit === 0x2c) continue;
      if (unit !== 0x5d) return this.#fail('syntax');
      this.#spans?.set(array, [start, this.#at]);
      return array;
    }
  }

  #object(depth: number): JsonObject | typeof FAILED {
    const start = this.#at;
    const object: Record<string, Json> = {};
    const names = this.#names;
    const firstName = this.#namesEnd;
    const { strict } = this.#options;
    this.#at += 1;
    this.#space();
    if (this.#text.charCodeAt(this.#at) === 0x7d) {
      this.#at += 1;
      this.#spans?.set(object, [start, this.#at]);
      return object;
    }
    for (;;) {
      this.#space();
      if (this.#text.charCodeAt(this.#at) !== 0x22) return this.#fail('syntax');
      const name = this.#name();
      if (name === FAILED) return FAILED;
      this.#space();
      if (this.#text.charCodeAt(this.#at) !== 0x3a) return this.#fail('syntax');
      this.#at += 1;
      // Where names that differ in case only are refused, those that do not differ are found with them.
      if (name === '__proto__' || (!strict && Object.hasOwn(object, name))) {
        this.#steps.push(name);
        // No record has it; scripts that copy members take it for what an object is.
        return this.#fail(name === '__proto__' ? 'name' : 'duplicate-name');
      }
      this.#space();
      const value = this.#value(depth);
      if (value === FAILED) {
        this.#steps.push(name);
        return FAILED;
      }
      object[name] = value;
      if (strict) {
        names[this.#namesEnd] = name;
        this.#namesEnd += 1;
      }
      this.#space();
      const unit = this.#text.charCodeAt(this.#at);
      this.#at += 1;
      if (unit === 0x2c) continue;
      if (unit !== 0x7d) return this.#fail('syntax');
      break;
    }
    const twin = strict ? sameButForCase(names, firstName, this.#namesEnd) : undefined;
    this.#namesEnd = firstName;
    if (twin !== undefined) {
      this.#steps.push(twin);
      return this.#fail('duplicate-name');
    }
    this.#spans?.set(object, [start, this.#at]);
    return object;
  }
}
