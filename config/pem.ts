import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';

/** Findings are sentences for the operator; none repeats the content. */
export type Judged<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string };

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s:,-]*?-----END \1-----/g;
const SMALLEST_RSA = 2048;

/** Every certificate of a PEM file, in order. */
export function certificatesOf(pem: Buffer): Judged<readonly X509Certificate[]> {
  const blocks = [...pem.toString('latin1').matchAll(BLOCK)];
  if (blocks.some((block) => block[1]?.endsWith('PRIVATE KEY'))) {
    return no('the file holds a private key, which belongs into a file of its own');
  }
  const certificates: X509Certificate[] = [];
  for (const block of blocks) {
    if (block[1] !== 'CERTIFICATE') continue;
    try {
      certificates.push(new X509Certificate(block[0]));
    } catch {
      return no(`certificate ${certificates.length + 1} of the file cannot be read`);
    }
  }
  if (certificates.length === 0)
    return no('the file holds no certificate in PEM form ("-----BEGIN CERTIFICATE-----")');
  return { ok: true, value: certificates };
}

/**
 * A chain as a server sends it (RFC 8446 §4.4.2): its own certificate first, each further one
 * certifying the one before it, all valid now.
 */
export function chainOf(pem: Buffer, now: number): Judged<X509Certificate> {
  const read = certificatesOf(pem);
  if (!read.ok) return read;
  const [leaf, ...others] = read.value;
  if (leaf === undefined) return no('the file holds no certificate');
  let previous = leaf;
  for (const [index, certificate] of others.entries()) {
    if (!previous.checkIssued(certificate)) {
      return no(
        `certificate ${index + 2} of the file did not issue the one before it; the server's own comes first, then its issuer`,
      );
    }
    previous = certificate;
  }
  for (const [index, certificate] of read.value.entries()) {
    const which = index === 0 ? 'the certificate' : `certificate ${index + 1} of the file`;
    if (now > certificate.validToDate.getTime())
      return no(`${which} expired on ${day(certificate.validToDate)}`);
    if (now < certificate.validFromDate.getTime()) {
      return no(`${which} is not valid before ${day(certificate.validFromDate)}`);
    }
  }
  const weak = weaknessOf(leaf.publicKey);
  return weak === undefined ? { ok: true, value: leaf } : no(weak);
}

/** Authorities to trust: at least one must be valid now. */
export function authoritiesOf(pem: Buffer, now: number): Judged<readonly X509Certificate[]> {
  const read = certificatesOf(pem);
  if (!read.ok) return read;
  const valid = read.value.some(
    (certificate) => now >= certificate.validFromDate.getTime() && now <= certificate.validToDate.getTime(),
  );
  return valid ? read : no('no certificate of the file is valid at present');
}

/** The private key of a PEM file without a passphrase. */
export function privateKeyOf(pem: Buffer): Judged<KeyObject> {
  const text = pem.toString('latin1');
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(text)) {
    return no(
      'the private key is encrypted with a passphrase; give it without one, protected by the file mode',
    );
  }
  try {
    return { ok: true, value: createPrivateKey(pem) };
  } catch {
    return no('the file holds no private key in PEM form ("-----BEGIN PRIVATE KEY-----")');
  }
}

/** An Ed25519 private key without a passphrase. */
export function ed25519PrivateKeyOf(pem: Buffer): Judged<KeyObject> {
  const judged = privateKeyOf(pem);
  if (!judged.ok || judged.value.asymmetricKeyType === 'ed25519') return judged;
  return no('the file holds another kind of key; an Ed25519 private key is needed');
}

/** An Ed25519 public key, and nothing more secret than that. */
export function ed25519PublicKeyOf(pem: Buffer): Judged<KeyObject> {
  const text = pem.toString('latin1');
  // createPublicKey would derive the public key of a private one, and hide that the wrong file is lying here.
  if (text.includes('PRIVATE KEY-----')) return no('the file holds a private key; give the public one');
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === 'ed25519' && text.includes('-----BEGIN PUBLIC KEY-----'))
      return { ok: true, value: key };
    return no('the file holds another kind of key; an Ed25519 public key is needed');
  } catch {
    return no('the file holds no public key in PEM form ("-----BEGIN PUBLIC KEY-----")');
  }
}

function weaknessOf(key: KeyObject): string | undefined {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (key.asymmetricKeyType === 'rsa' && bits !== undefined && bits < SMALLEST_RSA) {
    return `the certificate's RSA key has ${bits} bits; at least ${SMALLEST_RSA} are needed`;
  }
  return undefined;
}

/** `2026-11-21`. */
export function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function no(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}
