import { randomFillSync } from 'node:crypto';
import type { RequestId } from '../../contracts/identifiers.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const POOL = Buffer.allocUnsafe(16 * 256);
let used = POOL.length;

/**
 * 26 characters of Crockford base 32: 128 random bits, nothing of time or order, so that an id tells neither
 * how busy the gateway is nor when a hidden answer was decided.
 */
export function newRequestId(): RequestId {
  if (used + 16 > POOL.length) {
    randomFillSync(POOL);
    used = 0;
  }
  let text = '';
  let carry = 0;
  let bits = 0;
  for (let end = used + 16; used < end; used += 1) {
    carry = ((carry << 8) | (POOL[used] as number)) & 0x1fff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(carry >> bits) & 31];
    }
  }
  return (text + ALPHABET[(carry << (5 - bits)) & 31]) as RequestId;
}
