import type { AuthenticationFacts } from '../../contracts/principal.ts';

/** What a sign-in is begun with. */
export interface SignInRequest {
  /** Of the tenant's host, for this issuer alone (RFC 9700 §4.4.2.2). */
  readonly redirectUri: string;
  /** The tenant's audience (RFC 8707). */
  readonly audience: string;
  /** For step-up: the authentication may be no older than this, seconds. */
  readonly maxAge?: number | undefined;
}

/** A sign-in that is under way: what must be remembered until the browser comes back. All of it is secret. */
export interface Begun {
  /** Where the browser is sent. */
  readonly url: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export interface PendingSignIn extends SignInRequest {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** What the issuer said of who signed in. Verified. */
export interface SignedIn {
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly patient: string | undefined;
  readonly authentication: AuthenticationFacts;
  /** Whether the issuer says that two factors were given, in the words that the settings list. */
  readonly secondFactor: boolean;
  /** The issuer's session (OpenID Connect Front-Channel Logout 1.0 §3). */
  readonly sid: string | undefined;
  readonly idToken: string;
}

/**
 * @param reason `unavailable`: the issuer could not be asked. `declined`: it says that nobody signed in, such as
 *   when somebody pressed "cancel". `refused`: what came back is not to be believed.
 * @param detail fixed words, for the log
 */
export interface SignInRefusal {
  readonly ok: false;
  readonly reason: 'unavailable' | 'declined' | 'refused';
  readonly detail: string;
}

export function refuseSignIn(reason: SignInRefusal['reason'], detail: string): SignInRefusal {
  return Object.freeze({ ok: false, reason, detail });
}
