import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Argon2Settings } from '../../contracts/account-settings.ts';

/** What one hash was made with. */
export interface Argon2Parameters {
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
}

interface Argon2Hash extends Argon2Parameters {
  readonly salt: Buffer;
  readonly tag: Buffer;
}

const SALT_BYTES = 16;
const TAG_BYTES = 32;
/** A hash from the store must not make us compute for minutes. */
const MOST = Object.freeze({ memoryKib: 1024 * 1024, passes: 64, parallelism: 16 });
/** PHC string format: `$argon2id$v=19$m=19456,t=2,p=1$SALT$TAG`, base64 without padding. */
const PHC =
  /^\$argon2id\$v=19\$m=([1-9]\d{0,6}),t=([1-9]\d?),p=([1-9]\d?)\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');

/** Runs in libuv's thread pool, not on the event loop. */
function derive(password: Buffer, salt: Buffer, parameters: Argon2Parameters): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2(
      'argon2id',
      {
        message: password,
        nonce: salt,
        memory: parameters.memoryKib,
        passes: parameters.passes,
        parallelism: parameters.parallelism,
        tagLength: TAG_BYTES,
      },
      (error, tag) => (error ? reject(error) : resolve(tag)),
    );
  });
}

/** Undefined for whatever is no Argon2id hash in the form that we write. */
export function parsePhc(text: string): Argon2Hash | undefined {
  const match = PHC.exec(text);
  if (match === null) return undefined;
  const [memoryKib, passes, parallelism] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (memoryKib > MOST.memoryKib || passes > MOST.passes || parallelism > MOST.parallelism) return undefined;
  // RFC 9106 §3.1: at least eight blocks a lane.
  if (memoryKib < 8 * parallelism) return undefined;
  const salt = Buffer.from(match[4] ?? '', 'base64');
  const tag = Buffer.from(match[5] ?? '', 'base64');
  // Of the spellings of one hash only ours: the last character has bits that say nothing.
  if (unpadded(salt) !== match[4] || unpadded(tag) !== match[5]) return undefined;
  return { memoryKib, passes, parallelism, salt, tag };
}

/** A new hash with a random salt (RFC 9106 §3.1), as a PHC string. */
export async function hashPassword(password: Buffer, parameters: Argon2Parameters): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const tag = await derive(password, salt, parameters);
  const { memoryKib, passes, parallelism } = parameters;
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
}

/** Whether the password is the one that was hashed; false for a hash that cannot be read. */
export async function verifyPassword(password: Buffer, phc: string): Promise<boolean> {
  const hash = parsePhc(phc);
  if (hash === undefined) return false;
  return timingSafeEqual(await derive(password, hash.salt, hash), hash.tag);
}

/** Whether a hash was made with other parameters than those wanted now, so that it is made anew at sign-in. */
export function outdated(phc: string, wanted: Argon2Settings): boolean {
  const hash = parsePhc(phc);
  return (
    hash === undefined ||
    hash.memoryKib !== wanted.memoryKib ||
    hash.passes !== wanted.passes ||
    hash.parallelism !== wanted.parallelism
  );
}

/**
 * A hash that no password has, with the parameters of today: what is computed for accounts that do not exist.
 * The same steps as for one that does, so that time tells nothing.
 */
export function dummyPhc(parameters: Argon2Parameters): string {
  const { memoryKib, passes, parallelism } = parameters;
  const random = (bytes: number) => unpadded(randomBytes(bytes));
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${random(SALT_BYTES)}$${random(TAG_BYTES)}`;
}
