import type { Clock } from '../../contracts/clock.ts';
import type { Revocation } from '../../contracts/issuer-link.ts';
import type {
  AuthenticationRequest,
  AuthenticationResult,
  Authenticator,
} from '../../contracts/principal.ts';
import type { IssuerSettings } from '../../contracts/settings.ts';
import type { StateStore } from '../../contracts/state.ts';

/** Callers that show something other than a token: each answers undefined where that is none of its business. */
export interface OtherCallers {
  /** A certificate that stands for somebody, on a connection without any other credential. */
  byCertificate(request: AuthenticationRequest): AuthenticationResult | undefined;
  /** `Basic` of an API client. @param credential base64 of id and secret (RFC 7617 §2) */
  bySecret(
    request: AuthenticationRequest,
    credential: string,
  ): AuthenticationResult | Promise<AuthenticationResult> | undefined;
}

export interface AuthenticatorOptions {
  readonly issuers: readonly IssuerSettings[];
  readonly clock: Clock;
  /** Where it is remembered which proofs were used, for every worker; undefined: see `alone`. */
  readonly state?: StateStore | undefined;
  /** This process is the only one of the gateway, so that its own memory is enough to notice a proof used twice. */
  readonly alone?: boolean;
  readonly others?: OtherCallers | undefined;
  /** Told of everything that an embedded issuer revokes; the issuer by its identifier (`iss`), as in principals. */
  readonly onRevocation?: (issuer: string, revocation: Revocation) => void;
}

/** Whether an issuer's keys are at hand. */
export interface IssuerReadiness {
  readonly issuer: string;
  readonly available: boolean;
}

export interface TokenAuthenticator extends Authenticator {
  /** Fetches what is missing of every issuer and says which have usable keys. Never rejects. */
  ready(): Promise<readonly IssuerReadiness[]>;
  /** Ends every connection to an issuer. */
  close(): void;
}
