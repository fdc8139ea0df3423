import type { Secret } from './secret.ts';

const KEY_BYTES = 32;
/** Of 32 random bytes about 30 differ; that fewer than this many do happens by chance to nobody. */
const FEWEST_DIFFERENT = 16;

export type SealingKey =
  | { readonly ok: true; readonly key: Buffer }
  /** Why it is none, and what to do; never any of it. */
  | { readonly ok: false; readonly message: string };

const HEX = /^[0-9a-f]{64}$/i;
const BASE64 = /^[A-Za-z0-9+/]{43}=?$/;
const BASE64URL = /^[A-Za-z0-9_-]{43}=?$/;

function decoded(content: Buffer): Buffer | undefined {
  const text = content.toString('latin1').trim();
  if (HEX.test(text)) return Buffer.from(text, 'hex');
  // The last character has two bits that no byte holds; a key has one spelling.
  for (const [form, coding] of [
    [BASE64, 'base64'],
    [BASE64URL, 'base64url'],
  ] as const) {
    if (!form.test(text)) continue;
    const key = Buffer.from(text, coding);
    if (key.toString(coding).replace(/=$/, '') === text.replace(/=$/, '')) return key;
  }
  return content.length === KEY_BYTES ? content : undefined;
}

/** A 256-bit key out of a file: base64 (44 characters), 64 hexadecimal digits, or 32 bytes as they are. */
export function readSealingKey(secret: Secret): SealingKey {
  const key = decoded(secret.reveal());
  const advice = 'make one with: openssl rand -base64 32';
  if (key === undefined || key.length !== KEY_BYTES) {
    return {
      ok: false,
      message: `is no key of 32 bytes, in base64, as 64 hexadecimal digits or as they are; ${advice}`,
    };
  }
  const steps = new Set(
    key.map((byte, at) => (at === 0 ? 0 : (byte - (key[at - 1] ?? 0)) & 0xff)).subarray(1),
  );
  const printable = key.every((byte) => byte >= 0x20 && byte <= 0x7e);
  if (printable || new Set(key).size < FEWEST_DIFFERENT || steps.size < FEWEST_DIFFERENT / 2) {
    return { ok: false, message: `is a key that somebody could guess, not random bytes; ${advice}` };
  }
  return { ok: true, key };
}

/** Why a secret is no sealing key, for whoever judges settings: a clause without a subject. Undefined when it is one. */
export function sealingKeyFault(secret: Secret): string | undefined {
  const read = readSealingKey(secret);
  return read.ok ? undefined : read.message;
}
