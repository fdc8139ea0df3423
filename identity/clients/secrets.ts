import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ClientSecret } from './model.ts';

/** So that whoever finds one in a repository or a log knows what it is, and no chosen one looks like it. */
export const SECRET_PREFIX = 'cgs_';
const RANDOM = /^cgs_[A-Za-z0-9_-]{43}$/;
/** Lower-case base 32 without what is read wrongly aloud. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789x';
const CLIENT_ID = /^cgc-[a-z0-9]{16}$/;

/** A visible id: 80 random bits, no secret. */
export function newClientId(): string {
  return `cgc-${Array.from(randomBytes(16), (byte) => LETTERS[byte & 31]).join('')}`;
}

export function isClientId(text: string): boolean {
  return CLIENT_ID.test(text);
}

/** 256 random bits. */
export function newSecret(): string {
  return SECRET_PREFIX + randomBytes(32).toString('base64url');
}

export function looksRandom(secret: string): boolean {
  return RANDOM.test(secret);
}

/** What is kept of a random one; nobody can try 2^256. */
export function randomHash(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

/** The first of these that it is; each is compared, however many there are. */
export function matchRandom(secret: string, among: readonly ClientSecret[]): ClientSecret | undefined {
  const shown = Buffer.from(randomHash(secret));
  let found: ClientSecret | undefined;
  for (const candidate of among) {
    const kept = Buffer.from(candidate.hash);
    if (candidate.kind === 'random' && kept.length === shown.length && timingSafeEqual(kept, shown))
      found ??= candidate;
  }
  return found;
}
