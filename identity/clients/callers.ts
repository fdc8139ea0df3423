import type { Clock } from '../../contracts/clock.ts';
import type { ClientCertificateFacts } from '../../contracts/facts.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import type {
  AuthenticationRequest,
  AuthenticationResult,
  PresentedFacts,
} from '../../contracts/principal.ts';
import type { CertificatePrincipalSettings, TenantSettings } from '../../contracts/settings.ts';
import type { StateStore } from '../../contracts/state.ts';
import { type TenantLookup, tenantLookup } from '../../contracts/tenants.ts';
import { bearerPrincipal } from '../principal.ts';
import { refuse } from '../refusal.ts';
import type { OtherCallers } from '../tokens/interface.ts';
import { type ClientVerdict, ClientVerifier } from './verify.ts';

/** Issuers of principals that no token names; no URL, so that no issuer can be called so. */
export const CERTIFICATE_ISSUER = 'urn:chartgate:certificates';
export const CLIENT_ISSUER = 'urn:chartgate:api-clients';

/** Longest id and secret together, bytes. */
const MAX_BASIC = 1024;
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

type CertificateMatch = (certificate: ClientCertificateFacts) => AuthenticationResult | undefined;

/**
 * Callers that the gateway knows without a token: by a certificate that the tenant's settings map to somebody, and
 * API clients that send their secret with each request, where the tenant accepts that.
 *
 * @param store where API clients are kept; undefined: there are none
 */
export function createOtherCallers(
  tenants: readonly TenantSettings[] | TenantLookup<TenantSettings>,
  store: StateStore | undefined,
  clock: Clock,
): OtherCallers {
  const known = tenantLookup(tenants);
  const matchers = new WeakMap<TenantSettings, CertificateMatch>();
  const certificates = (id: TenantId): CertificateMatch | undefined => {
    const tenant = known.get(id);
    const mapped = tenant?.clientCertificates?.principals ?? [];
    if (tenant === undefined || mapped.length === 0) return undefined;
    let matcher = matchers.get(tenant);
    if (matcher === undefined) {
      matcher = matcherOf(id, mapped, clock);
      matchers.set(tenant, matcher);
    }
    return matcher;
  };
  const verifier = store === undefined ? undefined : new ClientVerifier(store, clock);

  return Object.freeze({
    byCertificate({ tenant, facts }: AuthenticationRequest): AuthenticationResult | undefined {
      const certificate = facts?.tls.certificate;
      if (facts === undefined || certificate === undefined) return undefined;
      const principal = certificates(tenant)?.(certificate);
      if (principal === undefined) return undefined;
      // A browser shows a certificate by itself, as it does a cookie: to whatever page made it ask.
      return isFromElsewhere(facts) ? refuse('client-refused', 'cross-site') : principal;
    },
    bySecret(request: AuthenticationRequest, credential: string): Promise<AuthenticationResult> | undefined {
      const accepts = known.get(request.tenant)?.apiClients?.secretPerRequest === true;
      if (verifier === undefined || !accepts) return undefined;
      return judgeBasic(verifier, request, credential);
    },
  });
}

function matcherOf(
  tenant: TenantId,
  mapped: readonly CertificatePrincipalSettings[],
  clock: Clock,
): CertificateMatch {
  // By certificate: the same object for each request, so that what is worked out of its scopes is kept.
  const made = new WeakMap<ClientCertificateFacts, AuthenticationResult | null>();
  const make = (certificate: ClientCertificateFacts): AuthenticationResult | null => {
    const entry = mapped.find(({ match }) => fits(match, certificate));
    if (entry === undefined) return null;
    const principal = bearerPrincipal({
      credential: 'certificate',
      constraint: 'certificate',
      tenant,
      issuer: CERTIFICATE_ISSUER,
      subject: entry.subject,
      clientId: undefined,
      scopes: new Set(entry.scopes),
      patient: undefined,
      expiresAt: Math.floor(certificate.notAfter / 1000),
    });
    return Object.freeze({ ok: true, principal });
  };
  return (certificate) => {
    if (certificate.notAfter <= clock.wall()) return undefined;
    let result = made.get(certificate);
    if (result === undefined) {
      result = make(certificate);
      made.set(certificate, result);
    }
    return result ?? undefined;
  };
}

function fits(
  { by, value }: CertificatePrincipalSettings['match'],
  certificate: ClientCertificateFacts,
): boolean {
  if (value === '') return false;
  switch (by) {
    case 'thumbprint':
      return certificate.thumbprint === value;
    case 'subject':
      return certificate.subject === value;
    case 'name':
      return certificate.names.includes(value);
  }
}

function isFromElsewhere({ method, headers, authority }: PresentedFacts): boolean {
  if (SAFE.has(method)) return false;
  const site = headers.get('sec-fetch-site');
  const origin = headers.get('origin');
  return (
    (site !== undefined && site !== 'same-origin' && site !== 'none') ||
    (origin !== undefined && origin !== `https://${authority}`)
  );
}

/** Id and secret as RFC 7617 §2 joins them; undefined for anything else. */
export function parseBasic(credential: string): { readonly id: string; readonly secret: string } | undefined {
  const bytes = Buffer.from(credential, 'base64');
  if (
    bytes.length > MAX_BASIC ||
    bytes.toString('base64').replace(/=+$/, '') !== credential.replace(/=+$/, '')
  )
    return undefined;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
  const colon = text.indexOf(':');
  if (colon < 1 || /\p{Cc}/u.test(text)) return undefined;
  return { id: text.slice(0, colon), secret: text.slice(colon + 1) };
}

async function judgeBasic(
  verifier: ClientVerifier,
  { tenant, facts }: AuthenticationRequest,
  credential: string,
): Promise<AuthenticationResult> {
  const parsed = parseBasic(credential);
  if (parsed === undefined || facts === undefined) return refuse('client-refused', 'form');
  let verdict: ClientVerdict;
  try {
    verdict = await verifier.verifySecret(parsed.id, parsed.secret, facts.peer);
  } catch {
    return refuse('client-unavailable', 'state');
  }
  // Another tenant's client is nobody here, whatever else is right.
  const why = verdict.ok ? (verdict.client.tenant === tenant ? undefined : 'tenant') : verdict.why;
  if (why === 'busy') return refuse('client-unavailable', 'busy');
  if (!verdict.ok || why !== undefined) return refuse('client-refused', why ?? 'unknown');
  const { client, expiresAt } = verdict;
  const principal = bearerPrincipal({
    credential: 'client-secret',
    constraint: 'none',
    tenant,
    issuer: CLIENT_ISSUER,
    subject: client.clientId,
    clientId: client.clientId,
    scopes: new Set(client.scopes),
    patient: undefined,
    expiresAt: Math.floor(expiresAt / 1000),
  });
  return Object.freeze({ ok: true, principal });
}
