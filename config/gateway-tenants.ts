import { type DatabaseId, parseDatabaseId, parseTenantId, type TenantId } from '../contracts/identifiers.ts';
import type { BackendSettings, ClientCertificateSettings, TenantSettings } from '../contracts/settings.ts';
import { tenantHostFault } from './addresses.ts';
import { backendAuthorizationOf } from './backend-authorization.ts';
import { transportOf } from './backends.ts';
import { balancingOf, refuseNoPrimary, roleOf } from './balancing.ts';
import { brandOf } from './brand.ts';
import { clientCertificatesOf } from './client-certificates.ts';
import { FrozenMap } from './freeze.ts';
import { emergencyOf, sharingOf } from './gateway-sharing.ts';
import { tenantLimitsOf } from './limits.ts';
import type { Surroundings } from './references.ts';
import { nearest } from './suggest.ts';
import { tenancyOf } from './tenancy.ts';
import { refuseRepeats } from './unique.ts';
import type { View } from './view.ts';

/** What tenants may refer to; undefined where that is at fault itself, so that nothing can be said. */
export interface Known {
  readonly around: Surroundings;
  readonly issuers: readonly string[] | undefined;
  readonly policies: readonly string[] | undefined;
  /** The listener's, for tenants without their own. */
  readonly clientCertificates: ClientCertificateSettings | undefined;
}

/**
 * Headers with a meaning of their own in HTTP or in this gateway. Writing an identity into one would
 * change how the message is read (RFC 9110 §7.6.1, §8, RFC 9112 §6), not who is asking.
 */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'origin',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
]);

/** One tenant, but for what only the other tenants show. */
export function tenantOf(view: View, known: Known): TenantSettings {
  for (const host of view.at('hosts').items) {
    const fault = host.text === undefined ? undefined : tenantHostFault(host.text);
    if (fault !== undefined) host.fault(fault);
  }
  for (const issuer of view.at('issuers').items) refuseUnknown(issuer, known.issuers, 'issuer', 'issuers');
  refuseUnknown(view.at('policy'), known.policies, 'policy', 'policies');
  const header = view.at('identityHeader');
  if (header.text !== undefined && RESERVED_HEADERS.has(header.text.toLowerCase())) {
    header.fault(
      'has a meaning of its own in HTTP or for the gateway; choose another, such as X-Forwarded-User',
    );
  }
  refuseRepeats(
    view.at('backends').items.map((backend) => backend.at('origin')),
    (line) => `is a back end of this tenant already (line ${line})`,
  );
  refuseNoPrimary(view.at('backends'));
  return {
    // The schema holds the same patterns, so a name that is not one has its fault already.
    id: parseTenantId(view.at('id').text ?? '') ?? ('' as TenantId),
    ...(view.at('paused').flag === true ? { paused: true } : {}),
    hosts: view.at('hosts').texts,
    audience: view.at('audience').text ?? '',
    audiences: view.at('audiences').exists
      ? new FrozenMap(view.at('audiences').entries.map(([name, further]) => [name, further.text ?? '']))
      : undefined,
    issuers: view.at('issuers').texts,
    database: parseDatabaseId(view.at('database').text ?? '') ?? ('' as DatabaseId),
    policy: view.at('policy').text ?? '',
    identityHeader: header.text,
    backendAuthorization: backendAuthorizationOf(view.at('backendAuthorization'), known.around),
    brand: brandOf(view.at('brand'), known.around),
    clientCertificates:
      clientCertificatesOf(view.at('clientCertificates'), known.around) ?? known.clientCertificates,
    apiClients:
      view.at('apiClients').at('acceptSecretPerRequestInsecurely').flag === true
        ? { secretPerRequest: true }
        : undefined,
    sharing: sharingOf(view.at('sharing')),
    emergency: emergencyOf(view.at('emergency')),
    signIn: view.at('signIn').exists ? { issuers: view.at('signIn').at('issuers').texts } : undefined,
    limits: tenantLimitsOf(view.at('limits')),
    ...tenancyOf(view, known.around, RESERVED_HEADERS),
    balancing: balancingOf(view.at('balancing')),
    backends: view.at('backends').items.map((backend) => backendOf(backend, known.around)),
  };
}

function backendOf(view: View, around: Surroundings): BackendSettings {
  return {
    ...transportOf(view, around),
    connections: view.at('connections').integer ?? 0,
    role: roleOf(view),
  };
}

function refuseUnknown(place: View, known: readonly string[] | undefined, what: string, where: string): void {
  const { text } = place;
  if (text === undefined || known === undefined || known.includes(text)) return;
  const guess = nearest(text, known);
  place.fault(
    `names no ${what} of "${where}" (defined: ${known.slice(0, 20).join(', ')})${
      guess === undefined ? '' : `; did you mean "${guess}"?`
    }`,
  );
}
