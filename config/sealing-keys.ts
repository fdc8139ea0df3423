import { sealingKeyFault } from '../contracts/sealing-key.ts';
import type { Secret } from '../contracts/settings.ts';
import { readSecret, type Surroundings } from './references.ts';
import type { View } from './view.ts';

/** Bytes of a sealing key however it is written: 32 raw, 43 or 44 of base64, 64 hex digits. */
const SHORTEST_KEY = 32;

/** The keys that a list of `{ file: PATH }` names: the first seals, all open. */
export function sealingKeysOf(view: View, around: Surroundings): readonly Secret[] {
  return view.items.map((place) => {
    const key = readSecret(place, around, SHORTEST_KEY);
    const fault = key.reveal().length < SHORTEST_KEY ? undefined : sealingKeyFault(key);
    if (fault !== undefined) place.at('file').fault(fault);
    return key;
  });
}
