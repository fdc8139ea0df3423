import { sealingKeyFault } from '../contracts/sealing-key.ts';
import type { IncidentSettings } from '../contracts/settings.ts';
import { absolutePath, readSecret, type Surroundings } from './references.ts';
import type { View } from './view.ts';

/** Bytes of a sealing key however it is written: 32 raw, 43 or 44 of base64, 64 hex digits. */
const SHORTEST_KEY = 32;

/** Where incidents are kept; undefined when the settings say nothing. */
export function incidentsOf(view: View, around: Surroundings): IncidentSettings | undefined {
  if (!view.exists) return undefined;
  const keys = view.at('keys').items.map((place) => {
    const key = readSecret(place, around, SHORTEST_KEY);
    const fault = key.reveal().length < SHORTEST_KEY ? undefined : sealingKeyFault(key);
    if (fault !== undefined) place.at('file').fault(fault);
    return key;
  });
  return {
    directory: absolutePath(view.at('directory'), around),
    keys,
    keepMs: view.at('keep').milliseconds ?? 0,
    maxBytes: view.at('maxBytes').bytes ?? 0,
    readers: view.at('readers').exists ? view.at('readers').texts : undefined,
  };
}
