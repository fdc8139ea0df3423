import { Readable } from 'node:stream';
import { countStreamed } from './scavenge.ts';

/** What became of a request's body. `gone`: the client left, or took longer than it may. */
export type BodyState = 'arriving' | 'complete' | 'overflow' | 'gone';

/**
 * A request's body, bounded in bytes and in time. It is counted whether it is forwarded or thrown away: a
 * back end that answers before it has read everything changes neither what is too large nor when.
 */
export class RequestBody {
  readonly #source: Readable;
  readonly #maxBytes: number;
  readonly #out: Readable;
  readonly #arrived = Promise.withResolvers<void>();
  #seen = 0;
  #state: BodyState = 'arriving';
  #dropping = false;
  readonly #timer: NodeJS.Timeout;

  /** @param leftMs until which it must have arrived; `late` is then called, and has to end the connection */
  constructor(source: Readable, options: { maxBytes: number; leftMs: number; late: () => void }) {
    this.#source = source;
    this.#maxBytes = options.maxBytes;
    this.#out = new Readable({
      read: () => {
        if (this.#state === 'arriving') source.resume();
      },
    });
    // Whoever reads it has listeners of its own; without a reader an error here is nobody's.
    this.#out.on('error', () => {});
    this.#timer = setTimeout(
      () => {
        this.#end('gone');
        options.late();
      },
      Math.max(0, options.leftMs),
    );
    source.on('data', (chunk: Buffer) => this.#take(chunk));
    source.pause();
    source.once('end', () => this.#end('complete'));
    for (const event of ['error', 'aborted', 'close']) source.once(event, () => this.#end('gone'));
  }

  get state(): BodyState {
    return this.#state;
  }

  /** For the back end. Fails, and never ends as if it were complete, when the body is too long or breaks off. */
  get stream(): Readable {
    return this.#out;
  }

  /** Resolves when no more is going to come. */
  get arrived(): Promise<void> {
    return this.#arrived.promise;
  }

  /** Reads what is left and throws it away; resolves as `arrived` does. */
  drop(): Promise<void> {
    this.#dropping = true;
    if (this.#state === 'arriving') this.#source.resume();
    return this.arrived;
  }

  #take(chunk: Buffer): void {
    this.#seen += chunk.length;
    countStreamed(chunk.length);
    if (this.#seen > this.#maxBytes) {
      if (this.#state === 'arriving') this.#source.pause();
      this.#end('overflow');
    } else if (!this.#dropping && !this.#out.destroyed && !this.#out.push(chunk)) {
      this.#source.pause();
    } else if (this.#out.destroyed && !this.#dropping) {
      this.#source.pause();
    }
  }

  #end(state: Exclude<BodyState, 'arriving'>): void {
    if (this.#state !== 'arriving') return;
    this.#state = state;
    clearTimeout(this.#timer);
    if (state === 'complete') this.#out.push(null);
    else this.#out.destroy(new Error(state === 'overflow' ? 'the body is too long' : 'the client went away'));
    this.#arrived.resolve();
  }
}
