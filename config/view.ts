import type { FaultList } from './fault-list.ts';
import { below } from './pointer.ts';
import { bytes, milliseconds } from './units.ts';

/**
 * A place in a document, read with its type. What is absent or already at fault is `undefined`, so
 * that later checks stay silent about it; settings built from such gaps are never handed out, because
 * a fault list that is not empty is thrown.
 */
export class View {
  readonly pointer: string;
  readonly #value: unknown;
  readonly #faults: FaultList;

  constructor(value: unknown, faults: FaultList, pointer: string = '') {
    this.#value = value;
    this.#faults = faults;
    this.pointer = pointer;
  }

  /** The same place, with its faults in another list. */
  under(faults: FaultList): View {
    return new View(this.#value, faults, this.pointer);
  }

  /** The place below; of nothing when it is not there. */
  at(key: string): View {
    const plain = this.#plain;
    const value = isMapping(plain) && Object.hasOwn(plain, key) ? plain[key] : undefined;
    return new View(value, this.#faults, below(this.pointer, key));
  }

  get exists(): boolean {
    return this.#value !== undefined;
  }

  get text(): string | undefined {
    return typeof this.#plain === 'string' ? this.#plain : undefined;
  }

  get integer(): number | undefined {
    return typeof this.#plain === 'number' ? this.#plain : undefined;
  }

  get flag(): boolean | undefined {
    return typeof this.#plain === 'boolean' ? this.#plain : undefined;
  }

  /** Milliseconds. */
  get milliseconds(): number | undefined {
    return this.text === undefined ? undefined : milliseconds(this.text);
  }

  /** Bytes. */
  get bytes(): number | undefined {
    return this.text === undefined ? undefined : bytes(this.text);
  }

  get items(): readonly View[] {
    const plain = this.#plain;
    if (!Array.isArray(plain)) return [];
    return plain.map((item, index) => new View(item, this.#faults, below(this.pointer, index)));
  }

  /** The texts of a list that are sound. */
  get texts(): readonly string[] {
    return this.items.flatMap((item) => item.text ?? []);
  }

  get entries(): readonly (readonly [string, View])[] {
    const plain = this.#plain;
    return isMapping(plain) ? Object.keys(plain).map((key) => [key, this.at(key)]) : [];
  }

  /**
   * Adds a fault here, unless this place has one: the first is the cause of the others.
   * @param key the key is at fault, not its value
   */
  fault(message: string, key = false): void {
    if (!this.#faults.has(this.pointer)) this.#faults.add(this.pointer, message, key);
  }

  /** The file as the user named it. */
  get file(): string {
    return this.#faults.file;
  }

  /** 1-based line in the file. */
  get line(): number {
    return this.#faults.line(this.pointer);
  }

  get #plain(): unknown {
    return this.#faults.has(this.pointer) ? undefined : this.#value;
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
