import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { ChartgateError } from '../../contracts/errors.ts';
import { canonicalJson } from './canonical.ts';
import type { Baseline, Snapshot } from './types.ts';

const FORMAT = 'chartgate-baseline/1';
/** Signed in front of the payload, so that a signature for something else never passes for a baseline's. */
const CONTEXT = Buffer.from(`${FORMAT}\n`);
const MAXIMUM_BYTES = 64 * 1024 * 1024;
const LISTS = [
  'triggers',
  'tables',
  'columns',
  'views',
  'foreignKeys',
  'routines',
  'events',
  'guards',
  'accounts',
  'privileges',
  'settings',
] as const;

interface Payload {
  readonly takenAt: string;
  readonly snapshot: Snapshot;
}

interface Envelope {
  readonly format: string;
  readonly payload: Payload;
  /** Base 64, Ed25519 over the context line and the canonical JSON of `payload`. */
  readonly signature: string;
}

function invalid(message: string, cause?: unknown): ChartgateError {
  return new ChartgateError('baseline-invalid', `The baseline is not valid: ${message}`, { cause });
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

/** Servers list things in an order of their own; in a file that people compare, the order must be fixed. */
function ordered(snapshot: Snapshot): Snapshot {
  const members = Object.entries(snapshot).map(([name, value]) => {
    if (!Array.isArray(value)) return [name, value];
    const keyed = value.map((fact: unknown) => [canonicalJson(fact), fact] as const);
    keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return [name, keyed.map(([, fact]) => fact)];
  });
  return Object.fromEntries(members) as Snapshot;
}

function signedBytes(payload: Payload): Buffer {
  return Buffer.concat([CONTEXT, Buffer.from(canonicalJson(payload))]);
}

/** Indented one entry a line: a person can read it and a version control system can show what changed. */
function readable(payload: Payload): string {
  const { snapshot } = payload;
  const members = Object.entries(snapshot).map(([name, value]) =>
    Array.isArray(value) && value.length > 0
      ? `      ${JSON.stringify(name)}: [\n${value.map((v) => `        ${canonicalJson(v)}`).join(',\n')}\n      ]`
      : `      ${JSON.stringify(name)}: ${canonicalJson(value ?? null)}`,
  );
  return `{\n    "takenAt": ${JSON.stringify(payload.takenAt)},\n    "snapshot": {\n${members.join(',\n')}\n    }\n  }`;
}

/**
 * The bytes of a signed baseline file.
 * @param takenAt ISO 8601, UTC
 * @throws ChartgateError `baseline-invalid` when the key is no Ed25519 private key
 */
export function sealBaseline(snapshot: Snapshot, takenAt: string, privateKeyPem: Buffer): Buffer {
  const key = ed25519(() => createPrivateKey(privateKeyPem), 'private');
  const payload: Payload = { takenAt, snapshot: ordered(snapshot) };
  const signature = sign(null, signedBytes(payload), key).toString('base64');
  return Buffer.from(
    `{\n  "format": ${JSON.stringify(FORMAT)},\n  "signature": ${JSON.stringify(signature)},\n  "payload": ${readable(payload)}\n}\n`,
  );
}

/**
 * Verifies the signature before anything in the file is believed.
 * @throws ChartgateError `baseline-invalid` for every fault
 */
export function openBaseline(file: Buffer, publicKeyPem: Buffer): Baseline {
  const key = ed25519(() => createPublicKey(publicKeyPem), 'public');
  if (file.length > MAXIMUM_BYTES) throw invalid('the file is larger than 64 MiB.');
  let envelope: Partial<Envelope> | null;
  try {
    envelope = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file)) as Partial<Envelope> | null;
  } catch (error) {
    throw invalid('the file is not JSON in UTF-8.', error);
  }
  if (typeof envelope !== 'object' || envelope === null || envelope.format !== FORMAT) {
    throw invalid(`the file does not say "format": "${FORMAT}".`);
  }
  const { payload, signature } = envelope;
  if (typeof signature !== 'string' || typeof payload !== 'object' || payload === null) {
    throw invalid('it has no signature or no payload.');
  }
  const signed = signedBytes(payload);
  if (!verify(null, signed, key, Buffer.from(signature, 'base64'))) {
    throw invalid('its signature does not match its content and the given public key.');
  }
  checkShape(payload);
  return freeze({
    takenAt: payload.takenAt,
    snapshot: freeze({ ...payload.snapshot, instatement: payload.snapshot.instatement ?? undefined }),
    digest: createHash('sha256').update(signed).digest('hex'),
  }) as Baseline;
}

/** A signed file can still be an old form or empty; an empty baseline would call everything intact. */
function checkShape(payload: Payload): void {
  const { snapshot } = payload;
  if (typeof snapshot !== 'object' || snapshot === null) throw invalid('it holds no snapshot.');
  for (const list of LISTS) {
    if (!Array.isArray(snapshot[list]))
      throw invalid(`its list "${list}" is missing; take it anew with this version.`);
  }
  for (const list of ['triggers', 'tables', 'columns', 'guards', 'accounts', 'settings'] as const) {
    if (snapshot[list].length === 0) throw invalid(`its list "${list}" is empty.`);
  }
  if (snapshot.instatement?.action !== 'start') throw invalid('the audit was not started when it was taken.');
}

function freeze<T>(value: T): Readonly<T> {
  return Object.freeze(value);
}
