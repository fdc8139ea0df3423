import { X509Certificate } from 'node:crypto';
import type { ProviderContext } from 'oidc-provider';
import {
  CLIENT_CERTIFICATE_HEADER,
  CLIENT_CERTIFICATE_VERIFIED_HEADER,
} from '../../contracts/issuer-link.ts';

const FIELD = /^:([A-Za-z0-9+/]{100,20000}={0,2}):$/;

/** The certificate that the client showed to the gateway (RFC 9440 §2.2). */
export function certificateOf(context: ProviderContext): X509Certificate | undefined {
  const [, base64] = FIELD.exec(context.get(CLIENT_CERTIFICATE_HEADER)) ?? [];
  if (base64 === undefined) return undefined;
  try {
    return new X509Certificate(Buffer.from(base64, 'base64'));
  } catch {
    return undefined;
  }
}

/** Whether the gateway found it to be of an authority for clients, and not revoked. */
export const isVerified = (context: ProviderContext): boolean =>
  context.get(CLIENT_CERTIFICATE_VERIFIED_HEADER) === '?1';

/** @param expected `thumbprint:`, `name:` or `subject:` and the value, as API clients are kept */
export function isOf(certificate: X509Certificate | undefined, expected: string): boolean {
  const at = expected.indexOf(':');
  const value = expected.slice(at + 1);
  if (certificate === undefined || value === '') return false;
  switch (expected.slice(0, at)) {
    case 'thumbprint':
      return (
        Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url') === value
      );
    case 'subject':
      return certificate.subject?.split('\n').join(', ') === value;
    case 'name':
      return namesOf(certificate).includes(value);
    default:
      return false;
  }
}

/** Names that need quoting could be read as several, and are nobody's. */
function namesOf({ subjectAltName }: X509Certificate): readonly string[] {
  if (subjectAltName === undefined || subjectAltName.includes('"')) return [];
  return subjectAltName.split(', ');
}
