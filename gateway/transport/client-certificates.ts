import { constants, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { ChartgateError } from '../../contracts/errors.ts';
import type { ClientCertificateFacts, TlsFacts } from '../../contracts/facts.ts';
import type { ClientCertificateSettings, GatewaySettings } from '../../contracts/settings.ts';

/** What decides about client certificates at a listener. */
export type CertificateSettings = Pick<GatewaySettings, 'listen'> &
  Partial<Pick<GatewaySettings, 'tenants' | 'issuers'>>;

/**
 * An authority whose private key was never kept. Where some tenants ask for certificates, the handshake asks
 * every client, and at the names of the others a browser that finds none of this authority's shows no dialogue.
 */
const NO_AUTHORITY = `-----BEGIN CERTIFICATE-----
MIIBxTCCAWugAwIBAgIUKZaA3xOXO2BkBMSq0+O0p1vX7pgwCgYIKoZIzj0EAwIw
LzEtMCsGA1UEAwwkbm8gY2xpZW50IGNlcnRpZmljYXRlIGlzIHdhbnRlZCBoZXJl
MCAXDTI2MTEyMjA1MDc1MloYDzIxMjYxMDI5MDUwNzUyWjAvMS0wKwYDVQQDDCRu
byBjbGllbnQgY2VydGlmaWNhdGUgaXMgd2FudGVkIGhlcmUwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAR/uc53AcyYYRoOHZL7Cjds9JhglIeBC9CtFwKowbpd1h2K
NV4dGdz602GwwW50VQVFkK06+ZjcRFcxt8Fb5hGCo2MwYTAdBgNVHQ4EFgQU9Lkn
siFHEwOWNLP0MPXNB0WiQSgwHwYDVR0jBBgwFoAU9LknsiFHEwOWNLP0MPXNB0Wi
QSgwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAgQwCgYIKoZIzj0EAwID
SAAwRQIgIKNXnFOXLHsWIve/n7x8JH466W4at8KCm/6ubFbD/NYCIQD+ItTMPSyg
MiHsKj0Uly3osKm32on0fRp5w9B7tWPDNg==
-----END CERTIFICATE-----
`;

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** Host names by which handshakes ask, and what counts there. */
export function certificateHosts(
  settings: CertificateSettings,
): ReadonlyMap<string, ClientCertificateSettings> {
  const hosts = new Map<string, ClientCertificateSettings>();
  for (const tenant of settings.tenants ?? []) {
    if (tenant.clientCertificates === undefined) continue;
    for (const host of tenant.hosts) hosts.set(host.replace(/:\d+$/, ''), tenant.clientCertificates);
  }
  const { clientCertificates } = settings.listen;
  if (clientCertificates === undefined) return hosts;
  // At the embedded issuer clients may prove who they are by certificate, and get tokens bound to it (RFC 8705).
  for (const issuer of settings.issuers ?? [])
    if (issuer.embedded !== undefined) hosts.set(new URL(issuer.issuer).hostname, clientCertificates);
  return hosts;
}

/** What a handshake is told besides the server's own certificate. */
export interface ClientAuthorities {
  /** Whether any name wants certificates: then every handshake asks. */
  readonly asks: boolean;
  /** For the listener's own context. */
  readonly options: { readonly ca?: string; readonly secureOptions?: number };
  /** The context of a name that wants certificates; undefined: the listener's own. */
  contextOf(serverName: string): SecureContext | undefined;
  /** The certificate that was shown at that name: it counts, or why it does not. */
  shown(socket: TLSSocket, serverName: string): ShownCertificate;
}

export type ShownCertificate = Pick<TlsFacts, 'certificate' | 'certificateFault'>;

const NONE: ShownCertificate = Object.freeze({});

/** In place of OpenSSL's word: it leads to the authority of another tenant. */
export const OTHER_TENANT = 'OTHER_TENANT';
const OTHERS: ShownCertificate = Object.freeze({ certificateFault: OTHER_TENANT });
/** Certificates above the client's that are looked at. */
const LONGEST_CHAIN = 8;

/**
 * Compiles what the settings say of client certificates. The chain and the revocation list are OpenSSL's to
 * check, in the handshake; the list is per tenant, because another tenant's authority means nothing here.
 *
 * @param base what every context of the listener has
 * @throws ChartgateError `configuration-invalid` where OpenSSL cannot use an authority or a list
 */
export function createClientAuthorities(
  settings: CertificateSettings,
  base: Parameters<typeof createSecureContext>[0],
): ClientAuthorities {
  const contexts = new Map<string, SecureContext>();
  const made = contextsOf(settings.listen);
  const wantedAt = certificateHosts(settings);
  for (const [host, wanted] of wantedAt) {
    let context = made.get(wanted);
    if (context === undefined) {
      context = contextFor(wanted, base, host);
      made.set(wanted, context);
    }
    contexts.set(host, context);
  }
  const asks = contexts.size > 0;
  let authorities: ReturnType<typeof authoritiesBySubject> | undefined;
  return Object.freeze({
    asks,
    // A resumed session would bring back a certificate that was checked for another name, or was revoked since.
    options: asks ? { ca: NO_AUTHORITY, secureOptions: constants.SSL_OP_NO_TICKET } : {},
    contextOf: (serverName: string) => contexts.get(serverName),
    shown(socket: TLSSocket, serverName: string) {
      const shown = contexts.has(serverName) ? judgeCertificate(socket) : NONE;
      if (!asks || shown.certificate !== undefined) return shown;
      const certificate = socket.getPeerX509Certificate();
      if (certificate === undefined) return shown;
      // Read when somebody shows a strange one for the first time: there may be thousands.
      authorities ??= authoritiesBySubject(new Set(wantedAt.values()));
      return isOthers(certificate, authorities, wantedAt.get(serverName)) ? OTHERS : shown;
    },
  });
}

/** Made once for each authority, as long as the listener's own certificate stays the same. */
const contextsOfListeners = new WeakMap<
  GatewaySettings['listen'],
  WeakMap<ClientCertificateSettings, SecureContext>
>();

function contextsOf(listen: GatewaySettings['listen']): WeakMap<ClientCertificateSettings, SecureContext> {
  let contexts = contextsOfListeners.get(listen);
  if (contexts === undefined) {
    contexts = new WeakMap();
    contextsOfListeners.set(listen, contexts);
  }
  return contexts;
}

/** Whether a listener with either would ask the same clients for the same certificates. */
export function sameCertificates(a: CertificateSettings, b: CertificateSettings): boolean {
  if (a.listen !== b.listen) return false;
  const [old, young] = [certificateHosts(a), certificateHosts(b)];
  return old.size === young.size && [...young].every(([host, wanted]) => old.get(host) === wanted);
}

function contextFor(
  wanted: ClientCertificateSettings,
  base: Parameters<typeof createSecureContext>[0],
  host: string,
): SecureContext {
  const { authority, revocationList } = wanted;
  try {
    return createSecureContext({
      ...base,
      ca: authority,
      secureOptions: constants.SSL_OP_NO_TICKET,
      ...(revocationList === undefined ? {} : { crl: revocationList }),
    });
  } catch {
    throw new ChartgateError(
      'configuration-invalid',
      `The authority or the revocation list for client certificates at ${host} cannot be used.`,
    );
  }
}

/** An authority, and every one of the settings that trust it. */
interface Trusted {
  readonly certificate: X509Certificate;
  readonly by: ClientCertificateSettings;
}

/** Of all tenants, by their own names, so that a certificate's issuer is looked up and not searched for. */
function authoritiesBySubject(
  settings: Iterable<ClientCertificateSettings>,
): ReadonlyMap<string, readonly Trusted[]> {
  const authorities = new Map<string, Trusted[]>();
  for (const by of settings) {
    for (const pem of by.authority.toString('latin1').match(PEM_CERTIFICATE) ?? []) {
      const certificate = new X509Certificate(pem);
      const named = authorities.get(certificate.subject);
      if (named === undefined) authorities.set(certificate.subject, [{ certificate, by }]);
      else named.push({ certificate, by });
    }
  }
  return authorities;
}

/** Whether it leads to authorities of others alone, through those above it that the client sent along. */
function isOthers(
  shown: X509Certificate,
  authorities: ReadonlyMap<string, readonly Trusted[]>,
  own: ClientCertificateSettings | undefined,
): boolean {
  let each: X509Certificate | undefined = shown;
  let found = false;
  for (let depth = 0; each !== undefined && depth < LONGEST_CHAIN; depth += 1) {
    const issued: X509Certificate = each;
    for (const { certificate, by } of authorities.get(issued.issuer) ?? []) {
      if (!issued.checkIssued(certificate) || !issued.verify(certificate.publicKey)) continue;
      // It has another fault, such as that it expired.
      if (by === own) return false;
      found = true;
    }
    each = issued.issuerCertificate;
  }
  return found;
}

function judgeCertificate(socket: TLSSocket): ShownCertificate {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return NONE;
  // `authorized` alone is not enough: it is also said of a resumed session without any certificate.
  if (socket.authorized && !socket.isSessionReused()) return { certificate: factsOf(certificate) };
  const fault: unknown = socket.authorizationError;
  return { certificateFault: typeof fault === 'string' && /^[A-Z_]{1,64}$/.test(fault) ? fault : 'refused' };
}

export function factsOf(certificate: X509Certificate): ClientCertificateFacts {
  return Object.freeze({
    thumbprint: Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url'),
    // OpenSSL escapes what separates attributes (RFC 2253 §2.4) and line breaks, so that this has one meaning.
    subject: certificate.subject?.split('\n').join(', ') ?? '',
    names: Object.freeze([...namesOf(certificate.subjectAltName)]),
    notAfter: certificate.validToDate.getTime(),
    der: certificate.raw.toString('base64'),
  });
}

const NAME = /(?:^|, )([A-Za-z ]+):(?:"((?:[^"\\]|\\.)*)"|([^",]*))/y;
const TAKEN: ReadonlySet<string> = new Set(['DNS', 'URI', 'email']);

/** Of Node's text; none at all when any of it cannot be read, since then nothing is sure of the rest. */
function namesOf(text: string | undefined): readonly string[] {
  const names: string[] = [];
  NAME.lastIndex = 0;
  let end = 0;
  for (let match = NAME.exec(text ?? ''); match !== null; match = NAME.exec(text ?? '')) {
    end = NAME.lastIndex;
    const [, type = '', quoted, plain = ''] = match;
    // What had to be quoted holds something that no ordinary name does.
    if (TAKEN.has(type) && quoted === undefined) names.push(`${type}:${plain}`);
  }
  return end === (text ?? '').length ? names : [];
}
