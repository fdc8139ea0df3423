import { hash } from 'node:crypto';

/**
 * SHA-256 over several strings, each preceded by its length, so that no two different lists of strings
 * are the same input (`['ab', 'c']` is `2:ab1:c`, never `abc`). Base64url.
 */
export function hashOf(...parts: readonly string[]): string {
  let text = '';
  for (const part of parts) text += `${part.length}:${part}`;
  return hash('sha256', text, 'base64url');
}
