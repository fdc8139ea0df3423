import { hash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { ClientCertificateFacts } from '../../../contracts/facts.ts';
import type { PresentedFacts } from '../../../contracts/principal.ts';
import { canonicalPath } from '../../../gateway/canonical/path.ts';
import { forge, type KeyPair } from '../support/hostile-issuer.ts';

export const HOST = 'clinic-a.localhost:8443';

/** The facts of a request to clinic A that shows this proof. */
export function presented(
  proof: string | undefined,
  changes: Partial<PresentedFacts> & {
    readonly target?: string;
    readonly certificate?: ClientCertificateFacts;
  } = {},
): PresentedFacts {
  const { target = '/fhir/Patient/1', certificate, ...rest } = changes;
  const path = canonicalPath(target);
  if (path === undefined) throw new Error(`not canonical: ${target}`);
  return {
    method: 'GET',
    authority: HOST,
    path,
    headers: new Map(proof === undefined ? [] : [['dpop', proof]]),
    tls: { version: 'TLSv1.3', cipher: '', serverName: 'clinic-a.localhost', certificate },
    peer: '192.0.2.7',
    ...rest,
  };
}

export function certificate(thumbprint: string): ClientCertificateFacts {
  return { thumbprint, subject: 'CN=lab', names: [], notAfter: Number.MAX_SAFE_INTEGER, der: '' };
}

/** What a proof's key set entry is, without what no proof says. */
export function plainJwk({ jwk }: KeyPair): Record<string, unknown> {
  const { kid: _kid, use: _use, ...plain } = jwk;
  return plain;
}

export const thumbprintOf = (key: KeyPair): Promise<string> => calculateJwkThumbprint(plainJwk(key) as JWK);

export interface ProofChanges {
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
  /** Signs instead of the key that the proof shows. */
  readonly by?: KeyPair;
  readonly algorithm?: string;
}

/** A good DPoP proof for `GET https://…/fhir/Patient/1` and this token, with changes; undefined removes a member. */
export function proofFor(token: string, key: KeyPair, changes: ProofChanges = {}): string {
  const algorithm = changes.algorithm ?? 'ES256';
  return forge(
    { typ: 'dpop+jwt', alg: algorithm, jwk: plainJwk(key), ...changes.header },
    {
      jti: randomUUID(),
      htm: 'GET',
      htu: `https://${HOST}/fhir/Patient/1`,
      iat: Math.floor(Date.now() / 1000),
      ath: hash('sha256', token, 'base64url'),
      ...changes.claims,
    },
    (changes.by ?? key).privateKey,
    algorithm,
  );
}
