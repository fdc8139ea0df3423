import { ChartgateError } from './errors.ts';
import { type DatabaseId, parseDatabaseId } from './identifiers.ts';
import { VERDICT_STATES, type VerdictState } from './integrity.ts';

/**
 * What the gateway and the checker say to each other over the Unix socket, and nothing else.
 *
 * A frame is a 4-byte big-endian length and that many bytes of JSON. Every legal value is ASCII, and a
 * message has exactly one spelling: fixed keys in fixed order, no white space, no escapes. A receiver
 * re-serialises what it parsed and refuses any other spelling, so that duplicate keys and unknown
 * fields cannot be read differently by two sides.
 *
 *     checker → gateway   hello    { nonce }
 *     gateway → checker   prove    { nonce, proof }
 *     checker → gateway   proved   { proof }
 *     gateway → checker   attest   { id, database, nonce }        any number, in any order
 *     checker → gateway   verdict  { id, database, nonce, state, epoch, findings, micros, mac }
 *
 * Both prove that they hold the shared secret; each verdict carries a MAC of a key that only this
 * connection has, so that somebody in between who relays the proofs still cannot change a verdict,
 * and an old verdict, or one for another database, fits no request.
 */

/** Bytes of a gateway's message at most. */
export const MAXIMUM_REQUEST = 512;
/** Bytes of a checker's message at most. */
export const MAXIMUM_ANSWER = 16_384;
/** Finding codes in a verdict at most; the checker's own log has them all. */
export const MAXIMUM_FINDINGS = 32;

export type Hello = { readonly type: 'hello'; readonly nonce: string };
export type Prove = { readonly type: 'prove'; readonly nonce: string; readonly proof: string };
export type Proved = { readonly type: 'proved'; readonly proof: string };

export type AttestRequest = {
  readonly type: 'attest';
  /** 0 … 2³¹−1; the answer names it. */
  readonly id: number;
  readonly database: DatabaseId;
  /** 16 random bytes, base64url. */
  readonly nonce: string;
};

export type AttestVerdict = {
  readonly type: 'verdict';
  readonly id: number;
  readonly database: DatabaseId;
  readonly nonce: string;
  readonly state: VerdictState;
  /** 32 hex digits when intact, else empty. */
  readonly epoch: string;
  readonly findings: readonly string[];
  /** Microseconds from the probe's start to this answer. */
  readonly micros: number;
};

/** A verdict as it arrived: `signed` is the text that `mac` (32 bytes, base64url) must belong to. */
export interface SealedVerdict {
  readonly verdict: AttestVerdict;
  readonly signed: string;
  readonly mac: string;
}

/** 32 bytes in base64url. */
const LONG = /^[A-Za-z0-9_-]{43}$/;
/** 16 bytes in base64url. */
const SHORT = /^[A-Za-z0-9_-]{22}$/;
const EPOCH = /^[0-9a-f]{32}$/;
const FINDING = /^[a-z][a-z0-9-]{0,62}$/;
const MAC_TAIL = /,"mac":"([A-Za-z0-9_-]{43})"\}$/;

function invalid(why: string): ChartgateError {
  return new ChartgateError('frame-invalid', `Invalid attestation frame: ${why}.`);
}

/** @throws ChartgateError `frame-invalid` */
function parse(text: string, type: string, keys: readonly string[]): Readonly<Record<string, unknown>> {
  let value: unknown;
  let again: string | undefined;
  try {
    value = JSON.parse(text);
    again = JSON.stringify(value);
  } catch {
    // A SyntaxError's message quotes its input, so it is not kept as a cause. Deep nesting ends here too.
    throw invalid('not JSON');
  }
  if (again !== text) throw invalid('not in the one spelling a message has');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('not an object');
  const message = value as Record<string, unknown>;
  if (message.type !== type) throw invalid(`not a message of type ${type}`);
  const present = Object.keys(message);
  if (present.length !== keys.length || present.some((key, index) => key !== keys[index])) {
    throw invalid('not the fields of its type');
  }
  return message;
}

function text(value: unknown, pattern: RegExp, name: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw invalid(`${name} is malformed`);
  return value;
}

function whole(value: unknown, maximum: number, name: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > maximum) {
    throw invalid(`${name} is malformed`);
  }
  return value;
}

function database(value: unknown): DatabaseId {
  const id = typeof value === 'string' ? parseDatabaseId(value) : undefined;
  if (id === undefined) throw invalid('database is malformed');
  return id;
}

/** @throws ChartgateError `frame-invalid`, as every parser here */
export function parseHello(frame: string): Hello {
  const message = parse(frame, 'hello', ['type', 'nonce']);
  return { type: 'hello', nonce: text(message.nonce, LONG, 'nonce') };
}

export function parseProve(frame: string): Prove {
  const message = parse(frame, 'prove', ['type', 'nonce', 'proof']);
  return {
    type: 'prove',
    nonce: text(message.nonce, LONG, 'nonce'),
    proof: text(message.proof, LONG, 'proof'),
  };
}

export function parseProved(frame: string): Proved {
  const message = parse(frame, 'proved', ['type', 'proof']);
  return { type: 'proved', proof: text(message.proof, LONG, 'proof') };
}

export function parseAttest(frame: string): AttestRequest {
  const message = parse(frame, 'attest', ['type', 'id', 'database', 'nonce']);
  return {
    type: 'attest',
    id: whole(message.id, 0x7fff_ffff, 'id'),
    database: database(message.database),
    nonce: text(message.nonce, SHORT, 'nonce'),
  };
}

export function parseVerdict(frame: string): SealedVerdict {
  const tail = MAC_TAIL.exec(frame);
  if (tail?.[1] === undefined) throw invalid('no mac');
  const signed = `${frame.slice(0, tail.index)}}`;
  const message = parse(signed, 'verdict', [
    'type',
    'id',
    'database',
    'nonce',
    'state',
    'epoch',
    'findings',
    'micros',
  ]);
  const state = VERDICT_STATES.find((known) => known === message.state);
  if (state === undefined) throw invalid('state is malformed');
  const findings = message.findings;
  if (!Array.isArray(findings) || findings.length > MAXIMUM_FINDINGS) throw invalid('findings are malformed');
  const epoch = state === 'intact' ? text(message.epoch, EPOCH, 'epoch') : text(message.epoch, /^$/, 'epoch');
  if (state === 'intact' ? findings.length > 0 : findings.length === 0) {
    throw invalid('findings contradict the state');
  }
  return {
    verdict: {
      type: 'verdict',
      id: whole(message.id, 0x7fff_ffff, 'id'),
      database: database(message.database),
      nonce: text(message.nonce, SHORT, 'nonce'),
      state,
      epoch,
      findings: Object.freeze(findings.map((code) => text(code, FINDING, 'a finding'))),
      micros: whole(message.micros, Number.MAX_SAFE_INTEGER, 'micros'),
    },
    signed,
    mac: tail[1],
  };
}

/** The spelling of a message. Keys are named here one by one, so that no caller's extra field slips in. */
export function spell(message: Hello | Prove | Proved | AttestRequest | AttestVerdict): string {
  switch (message.type) {
    case 'hello':
      return JSON.stringify({ type: 'hello', nonce: message.nonce });
    case 'prove':
      return JSON.stringify({ type: 'prove', nonce: message.nonce, proof: message.proof });
    case 'proved':
      return JSON.stringify({ type: 'proved', proof: message.proof });
    case 'attest':
      return JSON.stringify({
        type: 'attest',
        id: message.id,
        database: message.database,
        nonce: message.nonce,
      });
    case 'verdict':
      return JSON.stringify({
        type: 'verdict',
        id: message.id,
        database: message.database,
        nonce: message.nonce,
        state: message.state,
        epoch: message.epoch,
        findings: message.findings,
        micros: message.micros,
      });
  }
}

/** @param signed the spelling of a verdict; @param mac 32 bytes, base64url */
export function seal(signed: string, mac: string): string {
  return `${signed.slice(0, -1)},"mac":"${mac}"}`;
}

export type ProofRole = 'gateway' | 'checker' | 'session';

/**
 * What is authenticated with HMAC-SHA256 under the shared secret: by the gateway to prove itself, by
 * the checker to prove itself, and by both to derive the connection's key for verdicts. Roles differ,
 * so that neither proof can be sent back as the other; both nonces have a fixed length.
 */
export function proofInput(role: ProofRole, checkerNonce: string, gatewayNonce: string): string {
  return `chartgate attestation v1\n${role}\n${text(checkerNonce, LONG, 'nonce')}\n${text(gatewayNonce, LONG, 'nonce')}\n`;
}

/**
 * A message as bytes, length first.
 * @throws ChartgateError `frame-invalid` when it would be longer than the receiver accepts
 */
export function encodeFrame(message: string, maximum: number): Buffer {
  if (message.length === 0 || message.length > maximum) throw invalid('longer than its kind may be');
  const frame = Buffer.allocUnsafe(4 + message.length);
  frame.writeUInt32BE(message.length, 0);
  frame.write(message, 4, 'latin1');
  return frame;
}

/**
 * Bytes → messages. Holds one buffer of the largest legal frame, made once: what a peer claims a
 * length to be is checked before anything is kept, and never allocates.
 */
export class FrameReader {
  readonly #maximum: number;
  readonly #buffer: Buffer;
  #filled = 0;
  #length = 0;
  #broken = false;

  constructor(maximum: number) {
    this.#maximum = maximum;
    this.#buffer = Buffer.allocUnsafeSlow(4 + maximum);
  }

  /**
   * Calls `take` with each message completed by `chunk`, in order. After an error the reader stays
   * useless: where the next frame starts is not known any more.
   * @throws ChartgateError `frame-invalid`, or what `take` throws
   */
  push(chunk: Uint8Array, take: (message: string) => void): void {
    if (this.#broken) throw invalid('the stream was already broken');
    let offset = 0;
    while (offset < chunk.length) {
      const wanted = this.#filled < 4 ? 4 - this.#filled : 4 + this.#length - this.#filled;
      const size = Math.min(wanted, chunk.length - offset);
      this.#buffer.set(chunk.subarray(offset, offset + size), this.#filled);
      this.#filled += size;
      offset += size;
      if (size < wanted) return;
      if (this.#filled === 4) {
        this.#length = this.#buffer.readUInt32BE(0);
        if (this.#length === 0 || this.#length > this.#maximum) {
          this.#broken = true;
          throw invalid(this.#length === 0 ? 'length 0' : 'longer than its kind may be');
        }
        continue;
      }
      this.#filled = 0;
      // Latin-1 maps each byte to one character; what is not ASCII then fails every pattern.
      take(this.#buffer.toString('latin1', 4, 4 + this.#length));
    }
  }
}
