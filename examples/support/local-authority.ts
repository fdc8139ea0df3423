import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { loadX509 } from './load-x509.ts';

/** PEM texts of one certificate and its private key (PKCS #8). */
export interface IssuedCertificate {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface IssueRequest {
  readonly commonName: string;
  /** DNS names and IP addresses the certificate is for (RFC 9525: only these count, never the common name). */
  readonly hosts: readonly string[];
  /** Days of validity; 7 unless told. */
  readonly days?: number;
  /** True for a certificate that proves a client; a server's otherwise. */
  readonly client?: boolean;
  /** URIs that it is for as well, such as `urn:clinic:lab-1`. */
  readonly uris?: readonly string[];
}

/** A certificate authority that exists only in this process: its private key is never written anywhere. */
export interface Authority {
  readonly certificatePem: string;
  issue(request: IssueRequest): Promise<IssuedCertificate>;
  /**
   * A revocation list (RFC 5280 §5) that names these certificates.
   * @param hours until its next update; negative for one that is outdated
   */
  revocationList(revoked: readonly IssuedCertificate[], hours?: number): Promise<string>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** Certificates begin a little in the past, so that a clock that is slightly behind accepts them. */
const BACKDATE_MS = 300_000;

/** A positive serial of 126 random bits: CA/Browser Forum BR 7.1 wants at least 64, RFC 5280 §4.1.2.2 at most 20 octets. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

/** Distinguished names are parsed as text: only what cannot be mistaken for their syntax is let in. */
function distinguishedName(commonName: string): string {
  if (!/^[A-Za-z0-9 ._-]{1,64}$/.test(commonName))
    throw new TypeError('a common name may hold A-Z a-z 0-9 space . _ -');
  return `CN=${commonName.trim()}`;
}

function validity(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - BACKDATE_MS), notAfter: new Date(now + days * DAY_MS) };
}

const pem = (label: string, der: ArrayBuffer): string => {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
};

const generateKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

/**
 * Makes an authority for a demo or a test: ECDSA P-256, valid 90 days, able to issue leaf certificates
 * only (path length 0). Needs no openssl binary.
 */
export async function createAuthority(name: string): Promise<Authority> {
  const x509 = await loadX509();
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: distinguishedName(name),
    ...validity(90),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });

  async function issue(request: IssueRequest): Promise<IssuedCertificate> {
    const leafKeys = await generateKeys();
    const names = request.hosts.map((host) =>
      isIP(host) === 0 ? ({ type: 'dns', value: host } as const) : ({ type: 'ip', value: host } as const),
    );
    const uris = (request.uris ?? []).map((value) => ({ type: 'url', value }) as const);
    const purpose =
      request.client === true ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth;
    const leaf = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: distinguishedName(request.commonName),
      issuer: certificate.subject,
      ...validity(request.days ?? 7),
      signingAlgorithm: ALGORITHM,
      publicKey: leafKeys.publicKey,
      signingKey: keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([purpose]),
        ...(names.length + uris.length > 0
          ? [new x509.SubjectAlternativeNameExtension([...names, ...uris])]
          : []),
        await x509.SubjectKeyIdentifierExtension.create(leafKeys.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return {
      certificatePem: `${leaf.toString('pem').trimEnd()}\n`,
      keyPem: pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', leafKeys.privateKey)),
    };
  }

  async function revocationList(revoked: readonly IssuedCertificate[], hours: number = 24): Promise<string> {
    const now = Date.now();
    const end = now + hours * 3_600_000;
    const list = await x509.X509CrlGenerator.create({
      issuer: certificate.subject,
      thisUpdate: new Date(Math.min(now, end) - BACKDATE_MS),
      nextUpdate: new Date(end),
      signingAlgorithm: ALGORITHM,
      signingKey: keys.privateKey,
      entries: revoked.map(({ certificatePem }) => ({
        serialNumber: new x509.X509Certificate(certificatePem).serialNumber,
        revocationDate: new Date(now - BACKDATE_MS),
      })),
    });
    // RFC 7468 §7; the library's own label is another.
    return pem('X509 CRL', list.rawData);
  }

  return { certificatePem: `${certificate.toString('pem').trimEnd()}\n`, issue, revocationList };
}
