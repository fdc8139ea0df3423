import type { Reading } from './rule.ts';

/** One text of a request, where it was and how it is read. */
export interface Sample {
  /** As findings name places. */
  readonly place: string;
  readonly reading: Reading;
  readonly text: string;
}

/** Takes the texts of a request in. */
export type Sink = (place: string, reading: Reading, text: string) => void;

/** A name that only the request gave, cut to what may be told: 64 characters of `[A-Za-z0-9_.:-]`. */
export function tellable(name: string): string {
  return name.slice(0, 64).replace(/[^A-Za-z0-9_.:-]/g, '_');
}

/** One step of a pointer into the body. */
export function step(pointer: string, name: string | number): string {
  // Deep enough to find the place by; a pointer is told to people.
  if (pointer.length > 256) return pointer;
  return `${pointer}/${typeof name === 'number' ? name : tellable(name)}`;
}
