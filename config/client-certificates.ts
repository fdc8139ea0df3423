import { createSecureContext } from 'node:tls';
import type { CertificatePrincipalSettings, ClientCertificateSettings } from '../contracts/settings.ts';
import { authorityOf } from './authority.ts';
import { readPublic, type Surroundings } from './references.ts';
import { refuseRepeats } from './unique.ts';
import type { View } from './view.ts';

/** Undefined where the key is absent. */
export function clientCertificatesOf(
  view: View,
  around: Surroundings,
): ClientCertificateSettings | undefined {
  if (!view.exists) return undefined;
  const authority = authorityOf(view.at('authority'), around);
  const principals = view.at('principals').items.map(principalOf);
  for (const key of ['thumbprint', 'name', 'subject']) {
    refuseRepeats(
      view.at('principals').items.map((item) => item.at(key)),
      (line) => `stands for somebody already (line ${line})`,
    );
  }
  return {
    authority: authority ?? Buffer.alloc(0),
    revocationList: revocationListOf(view.at('revocationList'), around),
    // Whatever is not plainly the weaker demand is the stronger one.
    demand: view.at('demand').text === 'optional' ? 'optional' : 'required',
    principals,
  };
}

function revocationListOf(view: View, around: Surroundings): Buffer | undefined {
  const pem = readPublic(view, around);
  if (pem === undefined) return undefined;
  if (!pem.toString('latin1').includes('-----BEGIN X509 CRL-----')) {
    view.fault('the file holds no revocation list in PEM form ("-----BEGIN X509 CRL-----")');
    return pem;
  }
  try {
    createSecureContext({ crl: pem });
  } catch {
    view.fault('the revocation list cannot be read');
  }
  return pem;
}

function principalOf(view: View): CertificatePrincipalSettings {
  const given = (['thumbprint', 'name', 'subject'] as const).filter((key) => view.at(key).exists);
  const [by = 'thumbprint'] = given;
  if (given.length !== 1) view.fault('needs exactly one of "thumbprint", "name" and "subject"');
  const value = view.at(by).text ?? '';
  return {
    match: { by, value: by === 'thumbprint' ? base64url(value) : value },
    subject: view.at('as').text ?? '',
    scopes: view.at('scopes').texts,
  };
}

function base64url(thumbprint: string): string {
  const hex = thumbprint.replaceAll(':', '');
  return hex.length === 64 ? Buffer.from(hex, 'hex').toString('base64url') : thumbprint;
}
