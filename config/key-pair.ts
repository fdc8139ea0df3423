import type { Secret } from '../contracts/settings.ts';
import { chainOf, privateKeyOf } from './pem.ts';
import { readPrivateKey, readPublic, type Surroundings } from './references.ts';
import { secretOf } from './secret.ts';
import type { View } from './view.ts';

/** What one end of a TLS connection proves itself with. */
export interface KeyPair {
  /** PEM: its own certificate first, each further one certifying the one before it. */
  readonly certificate: Buffer;
  /** PEM. */
  readonly key: Secret;
}

/** The files under `certificate` and `key`, which must belong together. Empty where they are at fault. */
export function keyPairOf(view: View, around: Surroundings): KeyPair {
  const certificate = readPublic(view.at('certificate'), around);
  const key = readPrivateKey(view.at('key'), around);
  const leaf = certificate === undefined ? undefined : chainOf(certificate, around.now);
  if (leaf?.ok === false) view.at('certificate').fault(leaf.message);
  const privateKey = key === undefined ? undefined : privateKeyOf(key.reveal());
  if (privateKey?.ok === false) view.at('key').fault(privateKey.message);
  if (leaf?.ok && privateKey?.ok && !leaf.value.checkPrivateKey(privateKey.value))
    view.at('key').fault('is not the key of the certificate in "certificate"');
  return { certificate: certificate ?? Buffer.alloc(0), key: key ?? secretOf(Buffer.alloc(0)) };
}
