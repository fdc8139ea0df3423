import { authoritiesOf } from './pem.ts';
import { readPublic, type Surroundings } from './references.ts';
import type { View } from './view.ts';

/** The PEM file of an optional `authority`, judged; undefined when the key is absent. */
export function authorityOf(view: View, around: Surroundings): Buffer | undefined {
  const pem = readPublic(view, around);
  if (pem === undefined) return undefined;
  const judged = authoritiesOf(pem, around.now);
  if (!judged.ok) view.fault(judged.message);
  return pem;
}
