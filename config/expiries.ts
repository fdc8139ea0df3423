import type { CertificateExpiry, ExpiringKind } from '../contracts/certificates.ts';
import type { GatewaySettings, IssuerSettings, TenantSettings } from '../contracts/settings.ts';
import { certificatesOf } from './pem.ts';

/** By the bytes that were read: of ten thousand tenants those alone are parsed that are new. */
const expiries = new WeakMap<Buffer, number | undefined>();
const ofTenants = new WeakMap<TenantSettings, readonly CertificateExpiry[]>();

/** When each certificate expires that the gateway shows or goes by, the soonest of a file. */
export function certificateExpiries(settings: GatewaySettings): readonly CertificateExpiry[] {
  const { listen, issuers, limits, state, tenants } = settings;
  const found: CertificateExpiry[] = [];
  add(found, 'listener', '', listen.certificate);
  add(found, 'client-authority', '', listen.clientCertificates?.authority);
  for (const { id, authority } of issuers satisfies readonly IssuerSettings[])
    add(found, 'issuer-authority', '', authority, id);
  add(found, 'redis-authority', '', limits.redis?.authority);
  if (state?.kind === 'mysql') add(found, 'state-authority', '', state.authority);
  for (const tenant of tenants) found.push(...tenantExpiries(tenant, settings));
  return found;
}

/** Those of one tenant; the listener's authority is not its own. */
export function tenantExpiries(
  tenant: TenantSettings,
  { listen }: Pick<GatewaySettings, 'listen'>,
): readonly CertificateExpiry[] {
  const known = ofTenants.get(tenant);
  if (known !== undefined) return known;
  const found: CertificateExpiry[] = [];
  const { id, backends, clientCertificates } = tenant;
  if (clientCertificates !== listen.clientCertificates)
    add(found, 'client-authority', id, clientCertificates?.authority);
  for (const { origin, authority, clientCertificate } of backends) {
    add(found, 'backend-authority', id, authority, origin);
    add(found, 'backend-client', id, clientCertificate?.certificate, origin);
  }
  ofTenants.set(tenant, Object.freeze(found));
  return found;
}

function add(
  found: CertificateExpiry[],
  kind: ExpiringKind,
  tenant: string,
  pem: Buffer | undefined,
  of: string = '',
): void {
  if (pem === undefined) return;
  if (!expiries.has(pem)) expiries.set(pem, soonest(pem));
  const expiresAt = expiries.get(pem);
  if (expiresAt !== undefined) found.push(Object.freeze({ kind, tenant, of, expiresAt }));
}

function soonest(pem: Buffer): number | undefined {
  const read = certificatesOf(pem);
  return read.ok ? Math.min(...read.value.map((each) => each.validToDate.getTime())) : undefined;
}
