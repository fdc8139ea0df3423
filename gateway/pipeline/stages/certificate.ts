import { OTHER_TENANT } from '../../transport/client-certificates.ts';
import type { Exchange, Step } from '../exchange.ts';

/**
 * Stage 2a: a tenant that protects everything by client certificates answers nothing without one, its own pages
 * included. One of another tenant's authority is refused wherever it is shown. Which certificates count was settled in the handshake, for the name that the tenant's host has.
 */
export function requireCertificate(x: Exchange): Step {
  if (x.facts.tls.certificateFault === OTHER_TENANT) {
    x.failed('tenant-signs-disagree', 'certificate');
    return { kind: 'certificate-required', reason: 'tenant-signs-disagree' };
  }
  const wanted =
    x.embedded === undefined
      ? x.tenant.settings.clientCertificates
      : x.runtime.settings.listen.clientCertificates;
  if (wanted?.demand !== 'required') return undefined;
  const { certificate } = x.facts.tls;
  // A connection can outlast the certificate that it was opened with.
  if (certificate !== undefined && certificate.notAfter > x.facts.receivedAt) return undefined;
  x.failed('certificate-missing', x.facts.tls.certificateFault);
  return { kind: 'certificate-required', reason: 'certificate-missing' };
}
