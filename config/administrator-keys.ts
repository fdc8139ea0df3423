import { ed25519PublicKeyOf } from './pem.ts';
import { readPublic, type Surroundings } from './references.ts';
import type { View } from './view.ts';

/** Public keys (Ed25519, PEM) of administrators who sign; each another one's. @param places the list in the settings */
export function administratorKeysOf(places: readonly View[], around: Surroundings): Buffer[] {
  const seen = new Map<string, View>();
  return places.flatMap((place) => {
    const pem = readPublic(place, around);
    if (pem === undefined) return [];
    const judged = ed25519PublicKeyOf(pem);
    if (!judged.ok) {
      place.fault(judged.message);
      return [];
    }
    const key = judged.value.export({ type: 'spki', format: 'der' }).toString('hex');
    const earlier = seen.get(key);
    if (earlier !== undefined) {
      place.fault(
        `is the same key as the one before (line ${earlier.line}); each administrator has one of his own`,
      );
    }
    seen.set(key, place);
    return [pem];
  });
}
