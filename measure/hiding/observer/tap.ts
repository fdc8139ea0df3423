import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

const HEADER_BYTES = 5;
const APPLICATION_DATA = 23;

/** A TCP connection below TLS, which notes the length of each record of application data that arrives (RFC 8446 §5.1). */
export class Tap extends Duplex {
  readonly #socket: Socket;
  #sizes: number[] = [];
  #segments = 0;
  #header = Buffer.alloc(0);
  #left = 0;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#segments += 1;
      this.#see(chunk);
      if (!this.push(chunk)) socket.pause();
    });
    socket.once('end', () => this.push(null));
    socket.once('close', () => this.destroy());
    socket.on('error', (error) => this.destroy(error));
  }

  /** Lengths of the records since the last call, and in how many pieces they came. */
  noted(): { readonly sizes: readonly number[]; readonly segments: number } {
    const noted = { sizes: this.#sizes, segments: this.#segments };
    this.#sizes = [];
    this.#segments = 0;
    return noted;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #see(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at);
        this.#left -= taken;
        at += taken;
        continue;
      }
      const wanted = HEADER_BYTES - this.#header.length;
      this.#header = Buffer.concat([this.#header, chunk.subarray(at, at + wanted)]);
      at += wanted;
      if (this.#header.length < HEADER_BYTES) return;
      this.#left = this.#header.readUInt16BE(3);
      if (this.#header[0] === APPLICATION_DATA) this.#sizes.push(this.#left);
      this.#header = Buffer.alloc(0);
    }
  }
}
