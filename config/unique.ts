import type { View } from './view.ts';

/** Adds a fault wherever a text occurs that occurred before; the message names the first one's line. */
export function refuseRepeats(places: Iterable<View>, message: (firstLine: number) => string): void {
  const first = new Map<string, View>();
  for (const place of places) {
    const { text } = place;
    if (text === undefined) continue;
    const earlier = first.get(text);
    if (earlier === undefined) first.set(text, place);
    else place.fault(message(earlier.line));
  }
}
