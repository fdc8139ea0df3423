import { hash } from 'node:crypto';

/**
 * What is kept instead of a secret that finds a document: SHA-256, base64url, 43 characters.
 *
 * Only for secrets of at least 128 random bits (ids of sessions, codes, tokens): nobody can try all of those.
 * Passwords and recovery codes need a slow hash with a salt.
 */
export function hashId(secret: string): string {
  return hash('sha256', secret, 'base64url');
}
