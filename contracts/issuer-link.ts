import { createHmac } from 'node:crypto';

/**
 * What the gateway and the embedded issuer say to each other on the issuer's Unix socket: the headers that the
 * issuer believes, because only who knows the shared secret can send them, and the events of its feed.
 */

/** Proves that the peer knows the secret. Checked on every request, before anything else of it is looked at. */
export const ISSUER_KEY_HEADER = 'x-chartgate-issuer-secret';
/** The client's certificate as RFC 9440 §2.2 writes it: `:` base64 of its DER `:`. */
export const CLIENT_CERTIFICATE_HEADER = 'client-cert';
/** `?1` where the certificate is of an authority that the listener trusts for clients. */
export const CLIENT_CERTIFICATE_VERIFIED_HEADER = 'client-cert-verified';
/** Paths below it are for the gateway itself and never forwarded for somebody else. */
export const INTERNAL_PREFIX = '/internal/';
export const REVOCATIONS_PATH = '/internal/revocations';
/** Milliseconds between two signs of life on the feed, and of silence after which it counts as down. */
export const FEED_PING_MS = 2000;
export const FEED_SILENCE_MS = 5000;

/** The value of `ISSUER_KEY_HEADER`: never the secret itself. */
export function issuerKey(secret: Buffer): string {
  return createHmac('sha256', secret).update('chartgate issuer socket').digest('base64url');
}

/**
 * What an event of the feed revokes. `token`: a `jti`. `grant`: a claim `grant_id`. `subject`: a `sub`.
 * `session`: a `sid`, whose subject signed out at the issuer.
 */
export const REVOCATION_KINDS = ['token', 'grant', 'subject', 'session'] as const;
export type RevocationKind = (typeof REVOCATION_KINDS)[number];

/**
 * The data of an event `revocation`. Delivered at least once, in no promised order, with an id to resume from
 * (`Last-Event-ID`); an event `current` says that everything older was sent before it.
 */
export interface Revocation {
  readonly kind: RevocationKind;
  readonly value: string;
  /** Seconds: what was issued at or before it is dead. */
  readonly issuedBefore: number;
  /** Seconds: from then on nobody needs to know. */
  readonly until: number;
}

/** Authentication context classes that the issuer says in `acr`. */
export const ACR = Object.freeze({
  /** One factor. */
  single: 'urn:chartgate:aal1',
  /** Two factors. */
  two: 'urn:chartgate:aal2',
  /** Two factors, of which one cannot be had by a look-alike page: a passkey. */
  resistant: 'urn:chartgate:aal2-phishing-resistant',
});
export type Acr = (typeof ACR)[keyof typeof ACR];
/** From weak to strong. */
export const ACR_ORDER: readonly Acr[] = Object.freeze([ACR.single, ACR.two, ACR.resistant]);

/** Where the issuer describes itself to SMART apps; the gateway shows it below each FHIR base as well. */
export const SMART_CONFIGURATION_PATH = '/.well-known/smart-configuration';
