import { X509Certificate } from 'node:crypto';
import { type CertificateExpiry, EXPIRES_SOON_MS, type ExpiringKind } from '../contracts/certificates.ts';
import type { GatewaySettings } from '../contracts/settings.ts';
import { isLoopback } from './addresses.ts';
import { certificateExpiries } from './expiries.ts';
import { tenancyWarnings } from './neighbours.ts';
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
  'backend-plain-http',
  'rows-unmarked',
  'payload-unvalidated',
  'state-not-shared',
] as const;
export type WarningCode = (typeof WARNING_CODES)[number];

/** Something that is allowed and should be looked at. */
export interface Warning {
  readonly code: WarningCode;
  readonly message: string;
}

const EXPIRING: Readonly<Record<ExpiringKind, string>> = {
  listener: 'listen.certificate',
  'client-authority': 'clientCertificates.authority',
  'backend-authority': 'backends.authority',
  'backend-client': 'backends.clientCertificate',
  'issuer-authority': 'issuers.authority',
  'redis-authority': 'limits.redis.authority',
  'state-authority': 'state.server.authority',
};

/** One sentence, such as `tenant riverside: backends.authority (https://emr.example): expires on 2027-01-31`. */
export function expiryMessage({ kind, tenant, of, expiresAt }: CertificateExpiry, now: number): string {
  const where = `${tenant === '' ? '' : `tenant ${tenant}: `}${EXPIRING[kind]}${of === '' ? '' : ` (${of})`}`;
  return `${where}: ${expiresAt < now ? 'expired' : 'expires'} on ${day(new Date(expiresAt))}`;
}

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
  const gateways = settings.limits.redis?.gateways ?? 1;
  if (gateways > 1 && settings.state?.kind !== 'mysql') {
    warn(
      'state-not-shared',
      `state: ${gateways} gateways share limits, and ${settings.state === undefined ? 'there is no state' : 'a file is shared on one machine alone'}; with "state.server" sessions, used codes and locks hold at all of them`,
    );
  }
  const certificate = new X509Certificate(listen.certificate);
  for (const expiry of certificateExpiries(settings)) {
    if (expiry.expiresAt - now < EXPIRES_SOON_MS)
      warn('certificate-expires-soon', expiryMessage(expiry, now));
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
  for (const { code, message } of tenancyWarnings(settings.tenants)) warn(code, message);
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
