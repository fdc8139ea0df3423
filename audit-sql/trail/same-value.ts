import { createHash } from 'node:crypto';
import type { ColumnModel } from '../model.ts';
import { type Encoded, type EncodedHash, sameEncoded } from './entry.ts';

function isLongText(value: Encoded): value is EncodedHash {
  return typeof value === 'object' && value !== null && 'sha256' in value;
}

/** One side is the hash of a text's bytes, which for some character sets only the server could make. */
function sameLongText(a: Encoded, b: Encoded, column: ColumnModel | undefined): boolean {
  const [hash, text] = isLongText(a) ? [a, b] : [b, a];
  if (!isLongText(hash) || typeof text !== 'string') return false;
  if (column?.characterSet?.startsWith('utf8') !== true) return true;
  const bytes = Buffer.from(text, 'utf8');
  return hash.bytes === bytes.length && hash.sha256 === createHash('sha256').update(bytes).digest('hex');
}

/**
 * Whether a value that the trail has is the value in the table. Also where one of them is whole and the
 * other a hash: the limit beyond which values are hashed may have changed since.
 */
export function sameValue(a: Encoded, b: Encoded, column: ColumnModel | undefined): boolean {
  if (sameEncoded(a, b)) return true;
  if (isLongText(a) !== isLongText(b)) return sameLongText(a, b, column);
  if (typeof a !== 'string' || typeof b !== 'string' || column?.characterSet !== undefined) return false;
  const [hash, bytes] = a.startsWith('sha256:') ? [a, b] : [b, a];
  if (!hash.startsWith('sha256:') || !/^0x(?:[0-9A-F]{2})*$/.test(bytes)) return false;
  const raw = Buffer.from(bytes.slice(2), 'hex');
  return hash === `sha256:${createHash('sha256').update(raw).digest('hex')}:${raw.length}`;
}
