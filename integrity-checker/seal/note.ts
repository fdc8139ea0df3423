import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { ChartgateError } from '../../contracts/errors.ts';

/** C2SP signed-note, with one Ed25519 key (https://c2sp.org/signed-note). */

const ED25519 = 0x01;
/** In front of the 32 bytes of a public key in SPKI (RFC 8410 §4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const MAXIMUM_BYTES = 1_048_576;
const MAXIMUM_SIGNATURES = 100;
const KEY_NAME = /^[^\s+]+$/u;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export interface NoteVerifier {
  readonly name: string;
  /** 4 bytes, big-endian. */
  readonly id: number;
  readonly key: KeyObject;
}

export interface NoteSigner extends NoteVerifier {
  readonly privateKey: KeyObject;
}

function invalid(why: string, cause?: unknown): ChartgateError {
  return new ChartgateError('seal-broken', `Not a valid signed note: ${why}.`, { cause });
}

function rawOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' }).subarray(SPKI_PREFIX.length);
}

function idOf(name: string, raw: Buffer): number {
  const hash = createHash('sha256').update(`${name}\n`).update(Buffer.of(ED25519)).update(raw).digest();
  return hash.readUInt32BE(0);
}

function verifierOf(name: string, key: KeyObject): NoteVerifier {
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new ChartgateError('usage', 'Checkpoints are signed with Ed25519; this is a key of another kind.');
  }
  if (!KEY_NAME.test(name)) throw new ChartgateError('usage', 'A key name has no spaces and no "+".');
  return Object.freeze({ name, id: idOf(name, rawOf(key)), key });
}

/** @throws ChartgateError `usage` for a key that is no Ed25519 private key in PEM */
export function noteSigner(name: string, pem: Buffer): NoteSigner {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch (error) {
    throw new ChartgateError('usage', 'The seal key is no private key in PEM.', { cause: error });
  }
  return Object.freeze({ ...verifierOf(name, createPublicKey(privateKey)), privateKey });
}

/** As Go's tools write it: `name+hash+base64`. */
export function verifierText(verifier: NoteVerifier): string {
  const key = Buffer.concat([Buffer.of(ED25519), rawOf(verifier.key)]).toString('base64');
  return `${verifier.name}+${verifier.id.toString(16).padStart(8, '0')}+${key}`;
}

/**
 * Reads a public key in PEM, which is then called `name`, or a verifier line `name+hash+base64`.
 * @throws ChartgateError `usage`
 */
export function readVerifier(text: string, name: string): NoteVerifier {
  if (text.includes('-----BEGIN')) {
    if (text.includes('PRIVATE KEY-----')) {
      throw new ChartgateError('usage', 'This is a private key; give the public one.');
    }
    try {
      return verifierOf(name, createPublicKey(text));
    } catch (error) {
      if (error instanceof ChartgateError) throw error;
      throw new ChartgateError('usage', 'The file holds no public key in PEM.', { cause: error });
    }
  }
  const parts = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text.trim());
  const bytes = Buffer.from(parts?.[3] ?? '', 'base64');
  if (parts?.[1] === undefined || bytes.length !== 33 || bytes[0] !== ED25519) {
    throw new ChartgateError('usage', 'A verifier key is PEM, or one line "name+hash+key" of Ed25519.');
  }
  const spki = Buffer.concat([SPKI_PREFIX, bytes.subarray(1)]);
  const verifier = verifierOf(parts[1], createPublicKey({ key: spki, format: 'der', type: 'spki' }));
  if (verifier.id !== Number.parseInt(parts[2] ?? '', 16)) {
    throw new ChartgateError('usage', "The verifier key's hash is not that of its name and key.");
  }
  return verifier;
}

/** @param text the note's text, with its last line break */
export function signNote(text: string, signer: NoteSigner): string {
  const id = Buffer.alloc(4);
  id.writeUInt32BE(signer.id);
  const signature = Buffer.concat([id, sign(null, Buffer.from(text), signer.privateKey)]);
  return `${text}\n— ${signer.name} ${signature.toString('base64')}\n`;
}

/**
 * The text of a note that `verifier` signed. Signatures of others are passed over: a witness may add its own.
 * @throws ChartgateError `seal-broken`
 */
export function openNote(note: string, verifier: NoteVerifier): string {
  if (note.length > MAXIMUM_BYTES) throw invalid('it is longer than 1 MiB');
  if (/[\u0000-\u0009\u000b-\u001f]/.test(note)) throw invalid('it holds control characters');
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) throw invalid('it has no signature');
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > MAXIMUM_SIGNATURES) throw invalid('it has too many signatures');
  let signed = false;
  for (const line of lines) {
    const [dash, name, base64, ...rest] = line.split(' ');
    if (dash !== '—' || name === undefined || base64 === undefined || rest.length > 0) {
      throw invalid('a signature line is malformed');
    }
    const bytes = Buffer.from(base64, 'base64');
    if (!BASE64.test(base64) || bytes.length < 5) throw invalid('a signature is malformed');
    if (name !== verifier.name || bytes.readUInt32BE(0) !== verifier.id) continue;
    if (!verify(null, Buffer.from(text), verifier.key, bytes.subarray(4))) {
      throw invalid('its signature does not match');
    }
    signed = true;
  }
  if (!signed) throw invalid('it is not signed with the given key');
  return text;
}
