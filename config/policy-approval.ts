import type { PolicyApproval } from '../contracts/settings.ts';
import { administratorKeysOf } from './administrator-keys.ts';
import { absolutePath, type Surroundings } from './references.ts';
import type { View } from './view.ts';

/** Administrators who must have signed the policies. */
const DEFAULT_SIGNATURES = 2;
/** Bytes of a file of signatures. */
const SIGNATURES_LIMIT = 16 * 1024 * 1024;

/** Who has to approve policies. Whether they did is found out where policies are compiled. */
export function policyApprovalOf(view: View, around: Surroundings): PolicyApproval | undefined {
  if (!view.exists) return undefined;
  const places = view.at('keys').items;
  const keys = administratorKeysOf(places, around);
  const required = view.at('required').integer ?? DEFAULT_SIGNATURES;
  if (places.length > 0 && places.length < required) {
    const are = places.length === 1 ? 'is one key' : `are ${places.length} keys`;
    view.at('keys').fault(`${are}, and ${required} administrators must sign; list as many`);
  }
  const file = absolutePath(view.at('signatures'), around);
  // There is none before the first signature, and whoever signs needs these settings.
  const read = around.files.read(file, SIGNATURES_LIMIT);
  if (!read.ok && read.problem !== 'missing') view.at('signatures').fault('cannot be read');
  return { file, content: read.ok ? read.bytes : undefined, keys, required };
}
