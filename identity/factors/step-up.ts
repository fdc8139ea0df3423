/** How far a clock of the machine that asked for the factor may be ahead of ours. */
const AHEAD_SECONDS = 5;

/**
 * Whether a second factor that was given at `factorAt` is no older than a route allows. Undefined, not a number
 * or from the future: no.
 *
 * @param factorAt seconds since the epoch
 * @param maxAge seconds
 * @param now seconds since the epoch
 */
export function isFresh(factorAt: number | undefined, maxAge: number, now: number): boolean {
  if (factorAt === undefined) return false;
  const age = now - factorAt;
  // Written so that NaN, wherever it comes from, is not fresh.
  return maxAge >= 0 && age >= -AHEAD_SECONDS && age <= maxAge;
}

export interface StepUpDemand {
  /** The scheme of the token that was presented: `DPoP` challenges carry the same parameters (RFC 9449 §7.1). */
  readonly scheme: 'Bearer' | 'DPoP';
  /** Authentication context classes of which one is needed, best first. */
  readonly acrValues?: readonly string[] | undefined;
  /** Seconds. */
  readonly maxAge?: number | undefined;
  readonly scope?: string | undefined;
}

/** RFC 9110 §5.6.4: what may stand in a quoted string as it is. Quotes and backslashes are left out. */
const QUOTABLE = /^[\x21\x23-\x5b\x5d-\x7e](?:[\x20\x21\x23-\x5b\x5d-\x7e]*[\x21\x23-\x5b\x5d-\x7e])?$/;
/** One value of a space-separated list. */
const WORD = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * The value of `WWW-Authenticate` for a token that is good but whose authentication does not suffice (RFC 9470
 * §3). Goes with status 401.
 *
 * @throws TypeError when a value cannot stand in a header: these come from configuration, which checks them
 */
export function stepUpChallenge(demand: StepUpDemand): string {
  const parameters = [
    'error="insufficient_user_authentication"',
    'error_description="A more recent or a stronger authentication is needed"',
  ];
  if (demand.acrValues !== undefined && demand.acrValues.length > 0) {
    if (!demand.acrValues.every((value) => WORD.test(value)))
      throw new TypeError('an acr value may hold visible ASCII characters without quotes and backslashes');
    parameters.push(`acr_values="${demand.acrValues.join(' ')}"`);
  }
  if (demand.maxAge !== undefined) {
    if (!Number.isSafeInteger(demand.maxAge) || demand.maxAge < 0)
      throw new TypeError('max_age is a whole number of seconds, not negative');
    parameters.push(`max_age="${demand.maxAge}"`);
  }
  if (demand.scope !== undefined) {
    if (!QUOTABLE.test(demand.scope))
      throw new TypeError('a scope may hold visible ASCII characters and spaces');
    parameters.push(`scope="${demand.scope}"`);
  }
  return `${demand.scheme} ${parameters.join(', ')}`;
}

/** Authentication method references (RFC 8176 §2) by which a factor is told to others. */
export const AMR = Object.freeze({
  totp: Object.freeze(['otp', 'mfa']),
  'recovery-code': Object.freeze(['otp', 'mfa']),
  /** The key never leaves its device. */
  'device-passkey': Object.freeze(['hwk', 'user', 'mfa']),
  /** The key is kept by a service that copies it to its owner's devices. */
  'synced-passkey': Object.freeze(['swk', 'user', 'mfa']),
});
