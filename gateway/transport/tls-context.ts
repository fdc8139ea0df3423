import { createSecureContext } from 'node:tls';
import { ChartgateError } from '../../contracts/errors.ts';
import type { GatewaySettings } from '../../contracts/settings.ts';
import { type CertificateSettings, createClientAuthorities } from './client-certificates.ts';

/** TLS 1.3's suites, and for 1.2 only those with forward secrecy and authenticated encryption (RFC 9325 §4.2). */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':');
/** The hybrid exchange first: what is recorded today should not be readable by tomorrow's machines. */
const GROUPS = 'X25519MLKEM768:X25519:P-256:P-384';

/** What the listener's handshakes go by. */
export function secureContext(listen: GatewaySettings['listen']): {
  cert: Buffer;
  key: Buffer;
  minVersion: 'TLSv1.2' | 'TLSv1.3';
  maxVersion: 'TLSv1.3';
  ciphers: string;
  honorCipherOrder: true;
  ecdhCurve: string;
} {
  // All of it each time: what a new context is not told, it takes from Node's defaults, CBC suites included.
  return {
    cert: listen.certificate,
    key: listen.key.reveal(),
    minVersion: listen.minimumTls,
    maxVersion: 'TLSv1.3',
    ciphers: CIPHERS,
    honorCipherOrder: true,
    ecdhCurve: GROUPS,
  };
}

/** Throws when a server could not use this certificate with this key, or what clients' certificates are judged by. */
export function checkCertificate(settings: CertificateSettings): void {
  const base = secureContext(settings.listen);
  try {
    createSecureContext(base);
  } catch {
    throw new ChartgateError('configuration-invalid', 'The certificate and its key cannot be used together.');
  }
  createClientAuthorities(settings, base);
}
