import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { ChartgateError } from '../../contracts/errors.ts';
import type { BaselineTrust } from '../../contracts/settings.ts';
import { canonicalJson } from './canonical.ts';
import type { Baseline, Snapshot } from './types.ts';

const FORMAT = 'chartgate-baseline/2';
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
  'extensions',
  'history',
] as const;

interface Payload {
  readonly takenAt: string;
  readonly snapshot: Snapshot;
}

interface Signature {
  /** `keyFingerprint` of the key that made it. */
  readonly key: string;
  /** Base 64, Ed25519 over the context line and the canonical JSON of the payload. */
  readonly signature: string;
}

interface Envelope {
  readonly format: string;
  readonly signatures: readonly Signature[];
  readonly payload: Payload;
}

/** More people than would ever approve one change. */
const MOST_SIGNATURES = 16;

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

/** SHA-256 of the public key (SubjectPublicKeyInfo, DER), hex: names a key for people. */
export function keyFingerprint(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

function signature(payload: Payload, privateKeyPem: Buffer): Signature {
  const key = ed25519(() => createPrivateKey(privateKeyPem), 'private');
  return {
    key: keyFingerprint(createPublicKey(key)),
    signature: sign(null, signedBytes(payload), key).toString('base64'),
  };
}

function file(signatures: readonly Signature[], payload: Payload): Buffer {
  const lines = signatures.map((one) => `    ${canonicalJson(one)}`).join(',\n');
  return Buffer.from(
    `{\n  "format": ${JSON.stringify(FORMAT)},\n  "signatures": [\n${lines}\n  ],\n  "payload": ${readable(payload)}\n}\n`,
  );
}

/**
 * The bytes of a baseline file with a first signature. More are added with `approveBaseline`.
 * @param takenAt ISO 8601, UTC
 * @throws ChartgateError `baseline-invalid` when the key is no Ed25519 private key
 */
export function sealBaseline(snapshot: Snapshot, takenAt: string, privateKeyPem: Buffer): Buffer {
  const payload: Payload = { takenAt, snapshot: ordered(snapshot) };
  return file([signature(payload, privateKeyPem)], payload);
}

/** What a baseline file says, whoever wrote it: for people to look at before they sign. */
export interface UnverifiedBaseline {
  readonly takenAt: string;
  readonly snapshot: Snapshot;
  readonly digest: string;
  /** Fingerprints of the keys that are said to have signed. */
  readonly signers: readonly string[];
}

/**
 * Reads a file without believing it.
 * @throws ChartgateError `baseline-invalid` when it is not of the form of a baseline
 */
export function inspectBaseline(bytes: Buffer): UnverifiedBaseline {
  const { payload, signatures } = parseEnvelope(bytes);
  return contentOf(
    payload,
    signatures.map(({ key }) => key),
  );
}

/**
 * The same file with one more signature. Whoever signs has looked at what it says; see `inspectBaseline`.
 * @throws ChartgateError `baseline-invalid` when it is not of the form of a baseline, when this key has signed
 *   it before, and when the key is no Ed25519 private key
 */
export function approveBaseline(bytes: Buffer, privateKeyPem: Buffer): Buffer {
  const { payload, signatures } = parseEnvelope(bytes);
  checkShape(payload);
  const own = signature(payload, privateKeyPem);
  if (signatures.some(({ key }) => key === own.key)) {
    throw invalid('this key has signed it already; another administrator must.');
  }
  if (signatures.length >= MOST_SIGNATURES) throw invalid(`it has ${MOST_SIGNATURES} signatures already.`);
  return file([...signatures, own], { takenAt: payload.takenAt, snapshot: ordered(payload.snapshot) });
}

/**
 * Verifies the signatures before anything in the file is believed: every one must be right and of a different
 * key among those trusted, and there must be as many as are required.
 * @throws ChartgateError `baseline-invalid` for every fault
 */
export function openBaseline(bytes: Buffer, trust: BaselineTrust): Baseline {
  if (!Number.isSafeInteger(trust.required) || trust.required < 1) {
    throw invalid('the settings do not say how many signatures it needs.');
  }
  const keys = new Map(
    trust.keys.map((pem) => {
      const key = ed25519(() => createPublicKey(pem), 'public');
      return [keyFingerprint(key), key] as const;
    }),
  );
  const { payload, signatures } = parseEnvelope(bytes);
  const signed = signedBytes(payload);
  const signers = new Set<string>();
  for (const one of signatures) {
    const key = keys.get(one.key);
    if (key === undefined) throw invalid('it is signed with a key that is not among those trusted.');
    if (signers.has(one.key)) throw invalid('one key has signed it twice.');
    if (!verify(null, signed, key, Buffer.from(one.signature, 'base64'))) {
      throw invalid('a signature does not match its content.');
    }
    signers.add(one.key);
  }
  if (signers.size < trust.required) {
    throw invalid(
      `it has ${signers.size} of the ${trust.required} signatures that it needs, each of another administrator.`,
    );
  }
  checkShape(payload);
  return Object.freeze(contentOf(payload, [...signers])) as Baseline;
}

function contentOf(payload: Payload, signers: readonly string[]): UnverifiedBaseline {
  return {
    takenAt: payload.takenAt,
    snapshot: Object.freeze({ ...payload.snapshot, instatement: payload.snapshot.instatement ?? undefined }),
    digest: createHash('sha256').update(signedBytes(payload)).digest('hex'),
    signers: Object.freeze([...signers]),
  };
}

function parseEnvelope(bytes: Buffer): Pick<Envelope, 'payload' | 'signatures'> {
  if (bytes.length > MAXIMUM_BYTES) throw invalid('the file is larger than 64 MiB.');
  let envelope: Partial<Envelope> | null;
  try {
    envelope = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(bytes),
    ) as Partial<Envelope> | null;
  } catch (error) {
    throw invalid('the file is not JSON in UTF-8.', error);
  }
  if (typeof envelope !== 'object' || envelope === null || envelope.format !== FORMAT) {
    throw invalid(`the file does not say "format": "${FORMAT}"; take it anew with this version.`);
  }
  const { payload, signatures } = envelope;
  if (typeof payload !== 'object' || payload === null) throw invalid('it has no payload.');
  if (typeof payload.snapshot !== 'object' || payload.snapshot === null) {
    throw invalid('it holds no snapshot.');
  }
  if (!Array.isArray(signatures) || signatures.length === 0 || signatures.length > MOST_SIGNATURES) {
    throw invalid('it has no signatures, or too many.');
  }
  for (const one of signatures as readonly (Partial<Signature> | null)[]) {
    if (typeof one?.key !== 'string' || typeof one.signature !== 'string') {
      throw invalid('a signature is not of the form that it has.');
    }
  }
  return { payload, signatures };
}

/** A signed file can still be an old form or empty; an empty baseline would call everything intact. */
function checkShape(payload: Payload): void {
  const { snapshot, takenAt } = payload;
  if (typeof takenAt !== 'string' || Number.isNaN(Date.parse(takenAt))) {
    throw invalid('it does not say when it was taken.');
  }
  for (const list of LISTS) {
    if (!Array.isArray(snapshot[list]))
      throw invalid(`its list "${list}" is missing; take it anew with this version.`);
  }
  for (const list of [
    'triggers',
    'tables',
    'columns',
    'guards',
    'accounts',
    'settings',
    'history',
  ] as const) {
    if (snapshot[list].length === 0) throw invalid(`its list "${list}" is empty.`);
  }
  // A guard without a text would equal any other that is not shown.
  if (snapshot.guards.some(({ text }) => text === '')) throw invalid("a guard's text was not visible.");
  if (snapshot.instatement?.action !== 'start') throw invalid('the audit was not started when it was taken.');
}
