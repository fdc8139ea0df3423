import { randomBytes, timingSafeEqual } from 'node:crypto';
import { hashOf } from '../lengths.ts';

/**
 * One-time codes for enrolment and for a forgotten password. A code has two halves of 80 random bits: the
 * person who asks for an account gets one, the person who approves it the other. So neither of them can
 * enrol in the place of whom the account is for, which would undo the rule that it takes two.
 */
const HALF = 16;
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TYPED = /^[0-9A-HJKMNP-TV-Z]{32}$/;

/** Crockford's base 32, in groups of four. Eighty random bits. */
export function newHalf(): string {
  const text = Array.from(randomBytes(HALF), (byte) => ALPHABET[byte & 31]).join('');
  return text.replace(/(.{4})(?=.)/g, '$1-');
}

const bare = (half: string): string => half.replaceAll('-', '');

/** Hashes suffice for what is 80 random bits: there is nothing to guess. */
export const halfHash = (half: string): string => hashOf('account-code', bare(half));

export const joinHalves = (first: string, second: string): string => `${first}-${second}`;

/** Both halves of what a person typed: any case, with or without hyphens and spaces, O for 0, I and L for 1. */
export function parseCode(typed: string): { readonly first: string; readonly second: string } | undefined {
  if (typed.length > 200) return undefined;
  const text = typed.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  return TYPED.test(text) ? { first: text.slice(0, HALF), second: text.slice(HALF) } : undefined;
}

/** Compares hashes in constant time. */
export function sameHash(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
