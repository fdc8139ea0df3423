import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { ChartgateError } from '../contracts/errors.ts';
import type { PolicyApproval } from '../contracts/settings.ts';
import { canonicalJson } from './digest.ts';

const FORMAT = 'chartgate-policies/1';
/** Signed in front of the content, so that a signature for something else never passes for one of policies. */
const CONTEXT = Buffer.from(`${FORMAT}\n`);
/** More people than would ever approve one change. */
const MOST_SIGNATURES = 16;
const MOST_BYTES = 16 * 1024 * 1024;

/** Everything that decides who may do what at which tenant. */
export interface Bundle {
  /** Compiled policies by name. */
  readonly policies: readonly { readonly name: string; readonly digest: string }[];
  readonly tenants: readonly { readonly id: string; readonly policy: string }[];
}

interface Signature {
  /** SHA-256 of the public key (SubjectPublicKeyInfo, DER), hex. */
  readonly key: string;
  /** Base 64, Ed25519 over the context line and the canonical JSON of the bundle. */
  readonly signature: string;
}

function invalid(message: string, cause?: unknown): ChartgateError {
  return new ChartgateError('policy-invalid', `The policies are not approved: ${message}`, { cause });
}

/** In an order of its own, so that the order of a file means nothing. */
function signedBytes(bundle: Bundle): Buffer {
  const byName = <T>(list: readonly T[], name: (one: T) => string) =>
    list.toSorted((a, b) => (name(a) < name(b) ? -1 : 1));
  return Buffer.concat([
    CONTEXT,
    Buffer.from(
      canonicalJson({
        policies: byName(bundle.policies, ({ name }) => name).map(({ name, digest }) => ({ name, digest })),
        tenants: byName(bundle.tenants, ({ id }) => id).map(({ id, policy }) => ({ id, policy })),
      }),
    ),
  ]);
}

/** What is signed, named for people: SHA-256, hex. */
export function bundleDigest(bundle: Bundle): string {
  return createHash('sha256').update(signedBytes(bundle)).digest('hex');
}

function fingerprint(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

function ed25519(make: () => KeyObject, what: string): KeyObject {
  let key: KeyObject;
  try {
    key = make();
  } catch (error) {
    throw invalid(`the ${what} key is not a PEM key.`, error);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw invalid(`the ${what} key is not an Ed25519 key.`);
  return key;
}

interface Envelope {
  readonly digest: string;
  readonly signatures: readonly Signature[];
}

function parse(bytes: Buffer): Envelope {
  if (bytes.length > MOST_BYTES) throw invalid('the file of signatures is too large.');
  let read: { format?: unknown; digest?: unknown; signatures?: unknown } | null;
  try {
    read = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as typeof read;
  } catch (error) {
    throw invalid('the file of signatures is not JSON in UTF-8.', error);
  }
  if (typeof read !== 'object' || read === null || read.format !== FORMAT || typeof read.digest !== 'string')
    throw invalid(`the file of signatures does not say "format": "${FORMAT}".`);
  const { digest, signatures } = read;
  if (!Array.isArray(signatures) || signatures.length === 0 || signatures.length > MOST_SIGNATURES)
    throw invalid('the file has no signatures, or too many.');
  for (const one of signatures as readonly (Partial<Signature> | null)[]) {
    if (typeof one?.key !== 'string' || typeof one.signature !== 'string')
      throw invalid('a signature is not of the form that it has.');
  }
  return { digest, signatures: signatures as readonly Signature[] };
}

/**
 * The bytes of a file of signatures with one more. Signatures for other policies are left behind: whoever made them
 * approved something else.
 * @param former the file as it is; undefined when there is none
 * @throws ChartgateError `policy-invalid` when this key has signed the same policies before, when it is no Ed25519
 *   private key, and when the file is none
 */
export function signBundle(bundle: Bundle, privateKeyPem: Buffer, former: Buffer | undefined): Buffer {
  const key = ed25519(() => createPrivateKey(privateKeyPem), 'private');
  const own: Signature = {
    key: fingerprint(createPublicKey(key)),
    signature: sign(null, signedBytes(bundle), key).toString('base64'),
  };
  const digest = bundleDigest(bundle);
  const envelope = former === undefined ? undefined : parse(former);
  const kept = envelope?.digest === digest ? envelope.signatures : [];
  if (kept.some((one) => one.key === own.key))
    throw invalid('this key has signed them already; another administrator must.');
  const signatures = [...kept, own];
  return Buffer.from(`${JSON.stringify({ format: FORMAT, digest, signatures }, null, 2)}\n`);
}

/**
 * Who approved the policies. Every signature must be right, and of a different key among those trusted.
 * @returns fingerprints of the keys, at least as many as the settings demand
 * @throws ChartgateError `policy-invalid` for every fault
 */
export function verifyBundle(bundle: Bundle, approval: PolicyApproval): readonly string[] {
  const { required } = approval;
  if (!Number.isSafeInteger(required) || required < 2)
    throw invalid('the settings do not say how many signatures they need.');
  if (approval.content === undefined)
    throw invalid(`there is no file ${approval.file}; "chartgate policy sign" makes it.`);
  const keys = new Map(
    approval.keys.map((pem) => {
      const key = ed25519(() => createPublicKey(pem), 'public');
      return [fingerprint(key), key] as const;
    }),
  );
  const { digest, signatures } = parse(approval.content);
  if (digest !== bundleDigest(bundle))
    throw invalid('the signatures are for other policies, or for other policies of the tenants.');
  const signed = signedBytes(bundle);
  const signers = new Set<string>();
  for (const one of signatures) {
    const key = keys.get(one.key);
    if (key === undefined) throw invalid('they are signed with a key that is not among those trusted.');
    if (signers.has(one.key)) throw invalid('one key has signed them twice.');
    if (!verify(null, signed, key, Buffer.from(one.signature, 'base64')))
      throw invalid('a signature does not match them.');
    signers.add(one.key);
  }
  if (signers.size < required) {
    throw invalid(
      `they have ${signers.size} of the ${required} signatures that they need, each of another administrator.`,
    );
  }
  return [...signers];
}
