import type { PresentedFacts } from '../../contracts/principal.ts';
import { decodeBase64url, isJsonObject, member } from '../json.ts';
import { type Refusal, refuse } from '../refusal.ts';

/** What a token is bound to: a key that a DPoP proof shows, or a certificate of the connection. */
export type Confirmation =
  /** RFC 9449 §6.1: RFC 7638 SHA-256 thumbprint of the key. */
  | { readonly by: 'dpop'; readonly jkt: string }
  /** RFC 8705 §3.1: SHA-256 of the certificate's DER. */
  | { readonly by: 'certificate'; readonly thumbprint: string };

const NAMES = { jkt: 'dpop', 'x5t#S256': 'certificate' } as const;

function isSha256(value: unknown): value is string {
  return typeof value === 'string' && decodeBase64url(value)?.length === 32;
}

/**
 * Reads a `cnf` claim (RFC 7800 §3.1). Undefined when there is none; `null` when it is not one that can be
 * confirmed here: another method, several at once, or a thumbprint that is none. Such a token is refused,
 * never taken for one that is bound to nothing.
 */
export function parseConfirmation(value: unknown): Confirmation | undefined | null {
  if (value === undefined) return undefined;
  if (!isJsonObject(value)) return null;
  const names = Object.keys(value);
  const [name] = names;
  if (names.length !== 1 || name === undefined || !Object.hasOwn(NAMES, name)) return null;
  const thumbprint = member(value, name);
  if (!isSha256(thumbprint)) return null;
  return NAMES[name as keyof typeof NAMES] === 'dpop'
    ? Object.freeze({ by: 'dpop', jkt: thumbprint })
    : Object.freeze({ by: 'certificate', thumbprint });
}

/** Whether two say the same; both undefined counts. */
export function sameConfirmation(a: Confirmation | undefined, b: Confirmation | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.by === 'dpop') return b.by === 'dpop' && a.jkt === b.jkt;
  return b.by === 'certificate' && a.thumbprint === b.thumbprint;
}

/** RFC 8705 §3: the connection's certificate is the one that the token names. */
export function refuseOtherCertificate(
  thumbprint: string,
  facts: PresentedFacts | undefined,
): Refusal | undefined {
  const shown = facts?.tls.certificate;
  if (shown === undefined) return refuse('certificate-missing', 'token bound to a certificate');
  return shown.thumbprint === thumbprint
    ? undefined
    : refuse('certificate-mismatch', 'token bound to another certificate');
}
