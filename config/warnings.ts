import { X509Certificate } from 'node:crypto';
import type { GatewaySettings } from '../contracts/settings.ts';
import { isLoopback } from './addresses.ts';
import { day } from './pem.ts';

/** Stable codes, for logs and metrics. */
export const WARNING_CODES = [
  'tls-1.2-enabled',
  'operations-exposed',
  'certificate-expires-soon',
  'certificate-lacks-host',
  'policy-unused',
  'issuer-unused',
  'single-factor',
  'secret-per-request',
  'payload-unvalidated',
] as const;
export type WarningCode = (typeof WARNING_CODES)[number];

/** Something that is allowed and should be looked at. */
export interface Warning {
  readonly code: WarningCode;
  readonly message: string;
}

const SOON_MS = 30 * 86_400_000;

/** @param now wall-clock milliseconds */
export function warningsOf(settings: GatewaySettings, now: number = Date.now()): readonly Warning[] {
  const warnings: Warning[] = [];
  const warn = (code: WarningCode, message: string) => warnings.push({ code, message });
  const { listen, operations } = settings;
  if (listen.minimumTls !== 'TLSv1.3') {
    warn(
      'tls-1.2-enabled',
      'listen.minimumTls: TLS 1.2 is accepted; its handshake shows the certificate and host to onlookers',
    );
  }
  if (!isLoopback(operations.host)) {
    warn(
      'operations-exposed',
      `operations.host: metrics and readiness are served unencrypted, to whoever reaches ${operations.host} port ${operations.port}`,
    );
  }
  const certificate = new X509Certificate(listen.certificate);
  if (certificate.validToDate.getTime() - now < SOON_MS) {
    warn('certificate-expires-soon', `listen.certificate: expires on ${day(certificate.validToDate)}`);
  }
  for (const [index, tenant] of settings.tenants.entries()) {
    for (const [position, host] of tenant.hosts.entries()) {
      // `certificates` without the subject's common name: no client has looked at it for years (RFC 9525 §2).
      if (certificate.checkHost(host.replace(/:\d+$/, ''), { subject: 'never' }) !== undefined) continue;
      warn(
        'certificate-lacks-host',
        `tenants[${index}].hosts[${position}]: the certificate is not for ${host}`,
      );
    }
  }
  for (const [index, tenant] of settings.tenants.entries()) {
    if (tenant.apiClients === undefined) continue;
    warn(
      'secret-per-request',
      `tenants[${index}].apiClients: API clients may send their secret with each request instead of asking for tokens`,
    );
  }
  for (const [name, { routes, override = [] }] of settings.policies) {
    if (!settings.tenants.some((tenant) => tenant.policy === name)) {
      warn('policy-unused', `policies.${name}: no tenant uses it`);
    }
    for (const { id, inspect } of [...routes, ...override]) {
      if (inspect?.payload?.acceptInvalidFhir !== true) continue;
      warn('payload-unvalidated', `policies.${name}: route ${id} passes what is no valid FHIR`);
    }
  }
  for (const [index, issuer] of settings.issuers.entries()) {
    const { id } = issuer;
    const used = settings.tenants.some(
      ({ issuers, sharing }) =>
        issuers.includes(id) || sharing?.partners.some((partner) => partner.issuers.includes(id)),
    );
    if (!used) {
      warn('issuer-unused', `issuers[${index}]: no tenant trusts it`);
    }
    if (issuer.secondFactor?.by === 'nobody') {
      warn('single-factor', `issuers[${index}].secondFactor: people sign in with one factor alone`);
    }
  }
  return warnings;
}
