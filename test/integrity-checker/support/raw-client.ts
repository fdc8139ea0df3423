import { createHmac } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import {
  encodeFrame,
  FrameReader,
  MAXIMUM_ANSWER,
  parseHello,
  proofInput,
  spell,
} from '../../../contracts/attestation.ts';

/** A client that can say anything: what a gateway that was taken over could send. */
export class RawClient {
  readonly socket: Socket;
  readonly received: string[] = [];
  readonly nonce = 'N'.repeat(43);
  closed = false;
  readonly #reader = new FrameReader(MAXIMUM_ANSWER);
  #wake: () => void = () => {};

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk, (message) => this.received.push(message));
      this.#wake();
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  /** The message at `index`, once it came; undefined when the connection closed first. */
  async message(index: number): Promise<string | undefined> {
    while (this.received.length <= index && !this.closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.received[index];
  }

  async untilClosed(): Promise<void> {
    while (!this.closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  send(message: string): void {
    this.socket.write(encodeFrame(message, 1 << 20));
  }

  async checkerNonce(): Promise<string> {
    const hello = await this.message(0);
    if (hello === undefined) throw new Error('closed before hello');
    return parseHello(hello).nonce;
  }

  async proof(secret: string, role: 'gateway' | 'checker' | 'session' = 'gateway'): Promise<string> {
    const input = proofInput(role, await this.checkerNonce(), this.nonce);
    return createHmac('sha256', secret).update(input).digest('base64url');
  }

  /** Proves itself and waits for the checker's own proof. */
  async prove(secret: string): Promise<boolean> {
    this.send(spell({ type: 'prove', nonce: this.nonce, proof: await this.proof(secret) }));
    return (await this.message(1)) !== undefined;
  }
}
