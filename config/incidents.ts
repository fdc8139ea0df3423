import type { IncidentSettings } from '../contracts/settings.ts';
import { absolutePath, type Surroundings } from './references.ts';
import { sealingKeysOf } from './sealing-keys.ts';
import type { View } from './view.ts';

/** Where incidents are kept; undefined when the settings say nothing. */
export function incidentsOf(view: View, around: Surroundings): IncidentSettings | undefined {
  if (!view.exists) return undefined;
  const keys = sealingKeysOf(view.at('keys'), around);
  return {
    directory: absolutePath(view.at('directory'), around),
    keys,
    keepMs: view.at('keep').milliseconds ?? 0,
    maxBytes: view.at('maxBytes').bytes ?? 0,
    readers: view.at('readers').exists ? view.at('readers').texts : undefined,
  };
}
