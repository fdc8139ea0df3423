import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * Secrets that a person chose: Argon2id, 19 MiB, 2 passes (OWASP Password Storage Cheat Sheet). About 50 ms on
 * a thread of the pool, so that guessing them is slow, and nothing else waits.
 */
const MEMORY_KIB = 19_456;
const PASSES = 2;
const SALT_BYTES = 16;
const TAG_BYTES = 32;
const FORM = /^argon2id\$([A-Za-z0-9_-]{22})\$([A-Za-z0-9_-]{43})$/;
/** Bytes that are hashed at most. */
const LONGEST = 256;

function derive(secret: string, salt: Buffer): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  argon2(
    'argon2id',
    {
      message: Buffer.from(secret.normalize('NFKC').slice(0, LONGEST)),
      nonce: salt,
      parallelism: 1,
      tagLength: TAG_BYTES,
      memory: MEMORY_KIB,
      passes: PASSES,
    },
    (error, tag) => (error === null ? resolve(tag) : reject(error)),
  );
  return promise;
}

export async function hashChosen(secret: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const tag = await derive(secret, salt);
  return `argon2id$${salt.toString('base64url')}$${tag.toString('base64url')}`;
}

/** False for a hash that cannot be read, after the same work. */
export async function isChosen(secret: string, hash: string): Promise<boolean> {
  const match = FORM.exec(hash);
  const salt = match?.[1] === undefined ? Buffer.alloc(SALT_BYTES) : Buffer.from(match[1], 'base64url');
  const kept = match?.[2] === undefined ? randomBytes(TAG_BYTES) : Buffer.from(match[2], 'base64url');
  return timingSafeEqual(await derive(secret, salt), kept) && match !== null;
}

/** A hash that no secret has. */
export function nobodysHash(): string {
  return `argon2id$${randomBytes(SALT_BYTES).toString('base64url')}$${randomBytes(TAG_BYTES).toString('base64url')}`;
}
