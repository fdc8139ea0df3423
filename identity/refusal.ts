import type { AuthenticationResult } from '../contracts/principal.ts';
import type { ReasonCode } from '../contracts/reasons.ts';

/** A refused credential. */
export type Refusal = Extract<AuthenticationResult, { readonly ok: false }>;

/**
 * @param detail which rule refused, in fixed words written in this program; never anything of the token.
 */
export function refuse(reason: ReasonCode, detail: string): Refusal {
  return Object.freeze({ ok: false, reason, detail });
}
