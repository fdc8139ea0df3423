import type { PointedFault } from '../contracts/errors.ts';

/** Collects faults with their place, so that one run reports all of them. */
export class FaultList {
  readonly #faults: PointedFault[] = [];

  add(pointer: string, message: string): void {
    this.#faults.push(Object.freeze({ pointer, message }));
  }

  get size(): number {
    return this.#faults.length;
  }

  list(): readonly PointedFault[] {
    return Object.freeze([...this.#faults]);
  }
}

/** One reference token of a JSON pointer (RFC 6901 §3). */
export function token(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** A bound that must be a whole number of at least `least`; undefined stands for the default. */
export function wholeNumber(
  value: number | undefined,
  least: number,
  most: number,
  pointer: string,
  faults: FaultList,
): void {
  if (value === undefined) return;
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    faults.add(pointer, `must be a whole number from ${least} to ${most}`);
  }
}
