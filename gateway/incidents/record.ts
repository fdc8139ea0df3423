import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { ChartgateError } from '../../contracts/errors.ts';
import { parseRequestId, type RequestId } from '../../contracts/identifiers.ts';
import { readSealingKey } from '../../contracts/sealing-key.ts';
import type { Secret } from '../../contracts/secret.ts';

/** What the EMR said in the place of which the client got an answer of the gateway's. */
export interface Incident {
  readonly request: RequestId;
  /** Wall clock, milliseconds. */
  readonly time: number;
  readonly tenant: string;
  readonly route: string;
  readonly method: string;
  /** Of the request, without its query. */
  readonly path: string;
  /** What the client was answered. */
  readonly status: number;
  /** Why: a reason code. */
  readonly reason: string;
  readonly backend: {
    readonly status: number;
    /** Names and values in turn; values of cookies are left out. */
    readonly headers: readonly string[];
    /** Bytes of the body that had come; more may have been to come. */
    readonly cut: boolean;
  };
  /** At most `MOST_BODY` bytes. */
  readonly body: Buffer;
}

/** Bytes of a body that are kept. */
export const MOST_BODY = 64 * 1024;

/*
 * How one incident lies in a file, whole numbers big-endian:
 *   4 length of what follows | 1 format | 8 key's name | 26 request id | 8 time | 12 nonce | ciphertext | 16 tag
 * Sealed with AES-256-GCM; everything before the nonce is authenticated with it, so that an incident cannot be given
 * another id or time. The plain text is 4 bytes of length, so much JSON, and the body.
 */
const FORMAT = 1;
const NAME_BYTES = 8;
const ID_BYTES = 26;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + NAME_BYTES + ID_BYTES + 8;
/** Longer is nothing that was written here. */
const MOST_BYTES = 1024 * 1024;

interface Key {
  readonly name: Buffer;
  readonly key: Buffer;
}

/** An incident that is still sealed. */
export interface SealedIncident {
  readonly request: RequestId;
  readonly time: number;
  readonly bytes: Buffer;
}

/** Seals with the first key; opens with each. @throws ChartgateError `configuration-invalid` for what is no key */
export class IncidentSealer {
  readonly #keys: readonly Key[];

  constructor(keys: readonly Secret[]) {
    this.#keys = keys.map(keyOf);
    if (this.#keys.length === 0)
      throw new ChartgateError('configuration-invalid', 'Incidents have no sealing key.');
  }

  /** One incident as it lies in a file, its length included. NIST SP 800-38D §8.2.2: a random nonce of 96 bits. */
  seal(incident: Incident): Buffer {
    const [first] = this.#keys;
    if (first === undefined) throw new ChartgateError('internal', 'there is no key to seal with');
    const { body, request, time, ...about } = incident;
    const json = Buffer.from(JSON.stringify(about));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(json.length);
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt8(FORMAT, 0);
    first.name.copy(head, 1);
    head.write(request, 1 + NAME_BYTES, 'latin1');
    head.writeBigUInt64BE(BigInt(time), 1 + NAME_BYTES + ID_BYTES);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', first.key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(head);
    const sealed = Buffer.concat([cipher.update(Buffer.concat([length, json, body])), cipher.final()]);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(HEAD_BYTES + NONCE_BYTES + sealed.length + TAG_BYTES);
    return Buffer.concat([size, head, nonce, sealed, cipher.getAuthTag()]);
  }

  /** @throws ChartgateError `state-invalid` where it was changed, or sealed with a key that is not given */
  open({ request, time, bytes }: SealedIncident): Incident {
    const head = bytes.subarray(0, HEAD_BYTES);
    const known = this.#keys.find(({ name }) => name.equals(head.subarray(1, 1 + NAME_BYTES)));
    const end = bytes.length - TAG_BYTES;
    try {
      if (known === undefined) throw new Error('key');
      const nonce = bytes.subarray(HEAD_BYTES, HEAD_BYTES + NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', known.key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(head);
      decipher.setAuthTag(bytes.subarray(end));
      const plain = Buffer.concat([
        decipher.update(bytes.subarray(HEAD_BYTES + NONCE_BYTES, end)),
        decipher.final(),
      ]);
      const length = plain.readUInt32BE(0);
      const about = JSON.parse(plain.toString('utf8', 4, 4 + length)) as Omit<
        Incident,
        'request' | 'time' | 'body'
      >;
      return { ...about, request, time, body: plain.subarray(4 + length) };
    } catch {
      throw new ChartgateError(
        'state-invalid',
        `The incident ${request} does not open: it was changed, or sealed with a key that is not given under "incidents.keys".`,
      );
    }
  }
}

function keyOf(secret: Secret): Key {
  const read = readSealingKey(secret);
  if (!read.ok)
    throw new ChartgateError('configuration-invalid', `A sealing key of incidents ${read.message}.`);
  // One for the cipher and one for its name, and neither of use where the same file seals something else.
  const derived = (purpose: string): Buffer =>
    Buffer.from(hkdfSync('sha256', read.key, Buffer.alloc(0), `chartgate incident ${purpose} 1`, 32));
  return {
    name: createHmac('sha256', derived('key name')).update('sealing key').digest().subarray(0, NAME_BYTES),
    key: derived('sealing'),
  };
}

/** The incidents in a file, still sealed. What was not written to its end is left out. */
export function* sealedIn(file: Buffer): Generator<SealedIncident> {
  let at = 0;
  while (at + 4 <= file.length) {
    const length = file.readUInt32BE(at);
    const end = at + 4 + length;
    if (length < HEAD_BYTES + NONCE_BYTES + TAG_BYTES || length > MOST_BYTES || end > file.length) return;
    const bytes = file.subarray(at + 4, end);
    at = end;
    const request = parseRequestId(bytes.toString('latin1', 1 + NAME_BYTES, 1 + NAME_BYTES + ID_BYTES));
    if (bytes[0] !== FORMAT || request === undefined) continue;
    yield { request, time: Number(bytes.readBigUInt64BE(1 + NAME_BYTES + ID_BYTES)), bytes };
  }
}
