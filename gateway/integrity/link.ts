import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import {
  type AttestVerdict,
  encodeFrame,
  FrameReader,
  MAXIMUM_ANSWER,
  MAXIMUM_REQUEST,
  parseHello,
  parseProved,
  parseVerdict,
  proofInput,
  spell,
} from '../../contracts/attestation.ts';
import type { DatabaseId } from '../../contracts/identifiers.ts';
import type { Secret } from '../../contracts/settings.ts';

export interface LinkOptions {
  readonly socket: string;
  readonly secret: Secret;
  /** From the attempt to connect until the checker has proved itself. */
  readonly timeoutMs: number;
  readonly ready: () => void;
  /** A verdict whose seal is right. Whether it fits a request, the receiver decides. */
  readonly verdict: (verdict: AttestVerdict) => void;
  /** Called exactly once. `hostile`: what is at the other end is not a checker that keeps to the protocol. */
  readonly closed: (hostile: boolean) => void;
}

type Phase =
  | { readonly name: 'hello' }
  | { readonly name: 'proved'; readonly checkerNonce: string }
  | { readonly name: 'open'; readonly key: Buffer }
  | { readonly name: 'closed' };

/** One connection to the checker: mutual proof, then requests out and sealed verdicts in. Used once. */
export class Link {
  readonly #options: LinkOptions;
  readonly #socket: Socket;
  readonly #reader = new FrameReader(MAXIMUM_ANSWER);
  readonly #nonce = randomBytes(32).toString('base64url');
  readonly #deadline: NodeJS.Timeout;
  #phase: Phase = { name: 'hello' };

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#deadline = setTimeout(() => this.close(), options.timeoutMs);
    this.#socket = connect(options.socket);
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on('error', () => this.close());
    this.#socket.on('close', () => this.close());
  }

  /** Only on a link that is ready. */
  request(id: number, database: DatabaseId, nonce: string): void {
    this.#send(spell({ type: 'attest', id, database, nonce }));
  }

  /** @param hostile the other end broke the protocol */
  close(hostile = false): void {
    if (this.#phase.name === 'closed') return;
    this.#phase = { name: 'closed' };
    clearTimeout(this.#deadline);
    this.#socket.destroy();
    this.#options.closed(hostile);
  }

  #receive(chunk: Buffer): void {
    try {
      this.#reader.push(chunk, (message) => this.#message(message));
    } catch {
      this.close(true);
    }
  }

  #message(message: string): void {
    const phase = this.#phase;
    switch (phase.name) {
      case 'hello': {
        const { nonce } = parseHello(message);
        const proof = this.#hmac(proofInput('gateway', nonce, this.#nonce)).toString('base64url');
        this.#phase = { name: 'proved', checkerNonce: nonce };
        this.#send(spell({ type: 'prove', nonce: this.#nonce, proof }));
        return;
      }
      case 'proved': {
        const { proof } = parseProved(message);
        if (!same(proof, this.#hmac(proofInput('checker', phase.checkerNonce, this.#nonce)))) {
          this.close(true);
          return;
        }
        clearTimeout(this.#deadline);
        const key = this.#hmac(proofInput('session', phase.checkerNonce, this.#nonce));
        this.#phase = { name: 'open', key };
        this.#options.ready();
        return;
      }
      case 'open': {
        const { verdict, signed, mac } = parseVerdict(message);
        if (!same(mac, createHmac('sha256', phase.key).update(signed).digest())) {
          this.close(true);
          return;
        }
        this.#options.verdict(verdict);
        return;
      }
      case 'closed':
    }
  }

  #hmac(input: string): Buffer {
    return createHmac('sha256', this.#options.secret.reveal()).update(input).digest();
  }

  #send(message: string): void {
    this.#socket.write(encodeFrame(message, MAXIMUM_REQUEST));
  }
}

/** @param proof base64url of 32 bytes, its form already checked */
function same(proof: string, expected: Buffer): boolean {
  const given = Buffer.from(proof, 'base64url');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
