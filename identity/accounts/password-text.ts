/** Past this nothing is hashed: NIST SP 800-63B-4 §3.1.1.2 asks for at least 64 characters. */
export const LONGEST_PASSWORD = 256;

const OTHER_SPACE = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g;
const CONTROL = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/** A password as it is hashed, with its length as people count. */
export interface PasswordText {
  readonly text: string;
  /** Code points. */
  readonly length: number;
}

/**
 * One password has one spelling, whatever the keyboard made of it: other spaces are spaces, composed form
 * (RFC 8265 §4.2.2, OpaqueString; NIST SP 800-63B-4 §3.1.1.2 asks for such a step). Case and white space at
 * the ends count. Undefined for what cannot be a password: control characters, halves of characters,
 * nothing, or more than anybody would type.
 */
export function parsePassword(typed: string): PasswordText | undefined {
  if (typed.length === 0 || typed.length > 4 * LONGEST_PASSWORD || CONTROL.test(typed)) return undefined;
  const text = typed.replace(OTHER_SPACE, ' ').normalize('NFC');
  const length = [...text].length;
  return length <= LONGEST_PASSWORD ? { text, length } : undefined;
}

/** The bytes to hash; overwrite them when done. */
export const passwordBytes = (password: PasswordText): Buffer => Buffer.from(password.text, 'utf8');
