import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { ChartgateError } from '../../contracts/errors.ts';
import { readSealingKey } from '../../contracts/sealing-key.ts';
import type { Secret } from '../../contracts/secret.ts';
import type { StateKind } from '../../contracts/state.ts';

/** Where a sealed value belongs. Taken from there to anywhere else it does not open. */
export interface Place {
  readonly kind: StateKind;
  readonly id: string;
  /** Name of the value within the document. */
  readonly field: string;
}

export interface Sealer {
  /**
   * AES-256-GCM with the first key and a random 96-bit nonce (NIST SP 800-38D, 8.2.2: at most 2^32 values with
   * one key). Text is UTF-8. The same value is sealed differently each time.
   */
  seal(plaintext: string | Uint8Array, place: Place): string;
  /**
   * With whichever of the keys it was sealed.
   * @throws ChartgateError `state-invalid` when it is not what was sealed, for this place, with one of the keys
   */
  open(sealed: string, place: Place): Buffer;
  /** Whether a key other than the first sealed it; seal it anew before that one is given up. */
  isOld(sealed: string): boolean;
}

interface NamedKey {
  readonly id: Buffer;
  readonly key: Buffer;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ID_BYTES = 8;
/** Format, key id and the rest; the format's number is in the associated data too. */
const FORMAT = '1';
const SEALED = /^1\.([A-Za-z0-9_-]{11})\.([A-Za-z0-9_-]{38,})$/;

/**
 * @param keys the first seals, all open; to change keys, put the new one in front and keep the old one
 * @throws ChartgateError `configuration-invalid` for none, a weak one, or one that is there twice
 */
export function createSealer(keys: Secret | readonly Secret[]): Sealer {
  const list = ('reveal' in keys ? [keys] : keys).map(sealingKey);
  const first = list[0];
  if (first === undefined) throw new ChartgateError('configuration-invalid', 'The state has no sealing key.');
  const known = new Map(list.map((key) => [key.id.toString('base64url'), key]));
  if (known.size !== list.length) {
    throw new ChartgateError('configuration-invalid', 'A sealing key of the state is listed twice.');
  }
  const firstId = first.id.toString('base64url');
  return Object.freeze({
    seal(plaintext: string | Uint8Array, place: Place): string {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', first.key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(associated(first.id, place));
      const bytes = typeof plaintext === 'string' ? Buffer.from(plaintext, 'utf8') : plaintext;
      const sealed = Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
      return `${FORMAT}.${firstId}.${sealed.toString('base64url')}`;
    },
    open(sealed: string, place: Place): Buffer {
      const [, id = '', text = ''] = SEALED.exec(sealed) ?? [];
      const key = known.get(id);
      const bytes = Buffer.from(text, 'base64url');
      if (key === undefined || bytes.toString('base64url') !== text) throw refused(place);
      const end = bytes.length - TAG_BYTES;
      const decipher = createDecipheriv('aes-256-gcm', key.key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(associated(key.id, place));
      decipher.setAuthTag(bytes.subarray(end));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, end)), decipher.final()]);
      } catch {
        throw refused(place);
      }
    },
    isOld: (sealed: string): boolean => SEALED.exec(sealed)?.[1] !== firstId,
  });
}

function sealingKey(secret: Secret): NamedKey {
  const read = readSealingKey(secret);
  if (!read.ok)
    throw new ChartgateError('configuration-invalid', `A sealing key of the state ${read.message}.`);
  // One for the cipher and one for its name, so that the name tells nothing of the cipher's.
  const derived = (purpose: string): Buffer =>
    Buffer.from(hkdfSync('sha256', read.key, Buffer.alloc(0), `chartgate state ${purpose} 1`, 32));
  return {
    id: createHmac('sha256', derived('key name')).update('sealing key').digest().subarray(0, ID_BYTES),
    key: derived('sealing'),
  };
}

/** Each part after its length: no two places give the same bytes. */
function associated(keyId: Buffer, place: Place): Buffer {
  const parts = [
    Buffer.from(FORMAT),
    keyId,
    ...[place.kind, place.id, place.field].map((text) => Buffer.from(text, 'utf8')),
  ];
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
}

function refused(place: Place): ChartgateError {
  return new ChartgateError(
    'state-invalid',
    `State store: the sealed "${place.field}" of a document of kind "${place.kind}" does not open: it was changed, moved, or sealed with a key that is not given.`,
  );
}
