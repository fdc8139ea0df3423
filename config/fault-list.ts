import { ConfigurationError, type Fault } from '../contracts/errors.ts';
import { stepsOf } from './pointer.ts';
import type { TextFault, YamlText } from './yaml-text.ts';

/** Collects the faults of one file, each at a place of its document. */
export class FaultList {
  readonly #file: string;
  readonly #text: Pick<YamlText, 'position'>;
  readonly #faults: Fault[] = [];
  readonly #places = new Set<string>();

  /**
   * @param file the file as the user named it
   * @param known faults found in reading the text
   */
  constructor(file: string, text: Pick<YamlText, 'position'>, known: readonly TextFault[] = []) {
    this.#file = file;
    this.#text = text;
    for (const { pointer, ...fault } of known) {
      this.#places.add(pointer);
      this.#faults.push({ file, ...fault });
    }
  }

  /** Another list of the same file, which begins with the same faults. */
  again(): FaultList {
    const list = new FaultList(this.#file, this.#text);
    list.#faults.push(...this.#faults);
    for (const place of this.#places) list.#places.add(place);
    return list;
  }

  /**
   * @param pointer RFC 6901
   * @param key the key itself is at fault, not its value
   */
  add(pointer: string, message: string, key = false): void {
    this.#places.add(pointer);
    const { line, column, path } = this.#text.position(stepsOf(pointer), key);
    this.#faults.push({ file: this.#file, line, column, path, message });
  }

  /** Whether exactly this place has a fault, so that nothing more need be said of it. */
  has(pointer: string): boolean {
    return this.#places.has(pointer);
  }

  /** As the user named it. */
  get file(): string {
    return this.#file;
  }

  /** The line of a place, for messages that point at another. */
  line(pointer: string): number {
    return this.#text.position(stepsOf(pointer)).line;
  }

  /** In the order of the text. */
  get all(): readonly Fault[] {
    return this.#faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }
}

/** A fault of a whole file. */
export function fileFault(file: string, message: string): Fault {
  return { file, line: 0, column: 0, path: '', message };
}

/** Throws when there is any fault; otherwise does nothing. */
export function refuseFaults(faults: readonly Fault[]): void {
  if (faults.length > 0) throw new ConfigurationError(faults.map((fault) => Object.freeze(fault)));
}
