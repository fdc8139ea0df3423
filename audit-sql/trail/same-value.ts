import { createHash } from 'node:crypto';
import type { ColumnModel } from '../model.ts';
import { type Encoded, sameEncoded } from './entry.ts';

/**
 * Whether a value that the trail has is the value in the table. Also where one of them is whole and the
 * other a hash: the limit beyond which values are hashed may have changed since.
 */
export function sameValue(a: Encoded, b: Encoded, column: ColumnModel | undefined): boolean {
  if (sameEncoded(a, b)) return true;
  if (typeof a !== 'string' || typeof b !== 'string' || column?.characterSet !== undefined) return false;
  const [hash, bytes] = a.startsWith('sha256:') ? [a, b] : [b, a];
  if (!hash.startsWith('sha256:') || !/^0x(?:[0-9A-F]{2})*$/.test(bytes)) return false;
  const raw = Buffer.from(bytes.slice(2), 'hex');
  return hash === `sha256:${createHash('sha256').update(raw).digest('hex')}:${raw.length}`;
}
