import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  type AttestRequest,
  encodeFrame,
  FrameReader,
  MAXIMUM_ANSWER,
  MAXIMUM_REQUEST,
  parseAttest,
  parseProve,
  proofInput,
  seal,
  spell,
} from '../../contracts/attestation.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { Secret } from '../../contracts/settings.ts';
import type { Watch, WatchVerdict } from '../watch/types.ts';

/** A connection that has not proved itself by then is closed. */
const PROOF_LIMIT_MS = 1_000;
/** Unanswered requests of one connection at most. */
const PENDING_LIMIT = 64;
/** Bytes of answers a peer may leave unread before it is taken for hostile. */
const UNREAD_LIMIT = 256 * 1024;

const UNKNOWN: WatchVerdict = Object.freeze({
  state: 'unverified',
  epoch: '',
  findings: Object.freeze(['database-unknown']),
});

export interface PeerOptions {
  readonly socket: Socket;
  readonly secret: Secret;
  readonly watches: ReadonlyMap<string, Watch>;
  /** The peer did what it must not; its connection is already closed. */
  readonly alarm: (why: string) => void;
  readonly proved: () => void;
}

/**
 * One connection. The gateway behind it is treated as taken over: it can name a database, and nothing
 * else that it sends has any meaning.
 */
export class Peer {
  readonly #options: PeerOptions;
  readonly #reader = new FrameReader(MAXIMUM_REQUEST);
  readonly #nonce = randomBytes(32).toString('base64url');
  readonly #deadline: NodeJS.Timeout;
  /** Of this connection's verdicts; there is none before the gateway proved itself. */
  #key: Buffer | undefined;
  #pending = 0;
  #closed = false;

  constructor(options: PeerOptions) {
    this.#options = options;
    const { socket } = options;
    this.#deadline = setTimeout(() => this.#breach('it did not prove itself in time.'), PROOF_LIMIT_MS);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => this.close());
    socket.on('close', () => this.close());
    this.#send(spell({ type: 'hello', nonce: this.#nonce }));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#deadline);
    this.#options.socket.destroy();
  }

  #receive(chunk: Buffer): void {
    try {
      this.#reader.push(chunk, (message) => {
        if (this.#closed) return;
        // The method table: one message before the proof, one after it.
        if (this.#key === undefined) this.#prove(message);
        else this.#attest(parseAttest(message), process.hrtime.bigint(), this.#key);
      });
    } catch (error) {
      if (error instanceof ChartgateError && error.code === 'frame-invalid') {
        this.#breach(error.message);
        return;
      }
      this.#breach('handling its message failed.');
    }
  }

  #prove(message: string): void {
    const { nonce, proof } = parseProve(message);
    const expected = this.#hmac(proofInput('gateway', this.#nonce, nonce));
    const given = Buffer.from(proof, 'base64url');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      this.#breach('it does not know the shared secret.');
      return;
    }
    clearTimeout(this.#deadline);
    this.#key = this.#hmac(proofInput('session', this.#nonce, nonce));
    this.#options.proved();
    const own = this.#hmac(proofInput('checker', this.#nonce, nonce)).toString('base64url');
    this.#send(spell({ type: 'proved', proof: own }));
  }

  #attest(request: AttestRequest, arrived: bigint, key: Buffer): void {
    if (this.#pending >= PENDING_LIMIT) {
      this.#breach('it asked more than may be unanswered at once.');
      return;
    }
    const watch = this.#options.watches.get(request.database);
    if (watch === undefined) {
      this.#answer(request, UNKNOWN, arrived, key);
      return;
    }
    this.#pending += 1;
    void watch.attest().then((verdict) => {
      this.#pending -= 1;
      this.#answer(request, verdict, arrived, key);
    });
  }

  #answer(request: AttestRequest, verdict: WatchVerdict, arrived: bigint, key: Buffer): void {
    if (this.#closed) return;
    const signed = spell({
      type: 'verdict',
      id: request.id,
      database: request.database,
      nonce: request.nonce,
      state: verdict.state,
      epoch: verdict.epoch,
      findings: verdict.findings,
      micros: Number((process.hrtime.bigint() - arrived) / 1_000n),
    });
    this.#send(seal(signed, createHmac('sha256', key).update(signed).digest('base64url')));
  }

  #hmac(input: string): Buffer {
    return createHmac('sha256', this.#options.secret.reveal()).update(input).digest();
  }

  #send(message: string): void {
    const { socket } = this.#options;
    if (socket.writableLength > UNREAD_LIMIT) {
      this.#breach('it does not read its answers.');
      return;
    }
    socket.write(encodeFrame(message, MAXIMUM_ANSWER));
  }

  #breach(why: string): void {
    if (this.#closed) return;
    this.close();
    this.#options.alarm(why);
  }
}
