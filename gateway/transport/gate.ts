import { Duplex } from 'node:stream';

/**
 * Stands between the client's connection and `http-proxy`: what the proxy writes (the `101` first) waits
 * until the outcome is recorded, and nothing is read from the client before that.
 */
export class Gate extends Duplex {
  readonly #socket: Duplex;
  readonly #stallMs: number;
  #open = false;
  #waiting: (() => void) | undefined;
  #stall: NodeJS.Timeout | undefined;
  #first = true;
  /** Bytes that went to the client after the `101`. */
  written = 0;

  /** @param stallMs milliseconds that the client may take to read before it is taken for gone */
  constructor(socket: Duplex, head: Buffer, stallMs: number) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#stallMs = stallMs;
    // Whoever opened the tunnel listens to the connections themselves.
    this.on('error', () => {});
    if (head.length > 0) socket.unshift(head);
    socket.once('close', () => this.destroy());
    socket.on('error', () => this.destroy());
  }

  release(): void {
    this.#open = true;
    this.#socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) this.#socket.pause();
    });
    this.#socket.once('end', () => this.push(null));
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  override _read(): void {
    if (this.#open) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (!this.#first) this.written += chunk.length;
    this.#first = false;
    // A stream gives one chunk at a time, so that there is never a second one to keep.
    if (this.#open) this.#pass(chunk, done);
    else this.#waiting = () => this.#pass(chunk, done);
  }

  override _final(done: () => void): void {
    if (this.#open) this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Before it is open, the connection still belongs to whoever answers the refusal.
    if (this.#open) this.#socket.destroy();
    clearTimeout(this.#stall);
    done(error);
  }

  #pass(chunk: Buffer, done: (error?: Error | null) => void): void {
    const socket = this.#socket;
    if (socket.destroyed) {
      done(new Error('the client went away'));
    } else if (socket.write(chunk)) {
      done();
    } else {
      // With a client that never reads, neither end would ever close.
      this.#stall = setTimeout(() => socket.destroy(), this.#stallMs);
      socket.once('drain', () => {
        clearTimeout(this.#stall);
        done();
      });
    }
  }

  // `http-proxy` sets these on what it takes for a socket.
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  destroySoon(): void {
    this.end(() => this.destroy());
  }
}
