import { Readable } from 'node:stream';
import { isControlling } from '../canonical/headers.ts';
import { onDeadline } from './deadlines.ts';
import { countStreamed } from './scavenge.ts';

/** Bytes that a body has to bring in each stretch of time; whoever sends slower holds a place at the back end for nothing. */
const LEAST_BYTES = 1024;

/** What became of a request's body. `gone`: the client left, took longer than it may, or its trailers meant something. */
export type BodyState = 'arriving' | 'complete' | 'overflow' | 'gone';

/**
 * A request's body, bounded in bytes and in time. It is counted whether it is forwarded or thrown away: a
 * back end that answers before it has read everything changes neither what is too large nor when.
 */
export class RequestBody {
  readonly #source: Readable;
  readonly #maxBytes: number;
  /** For whoever reads it as a stream; made when asked for. */
  #out: Readable | undefined;
  /** For whoever wants it whole. */
  #chunks: Buffer[] | undefined;
  readonly #arrived = Promise.withResolvers<void>();
  #seen = 0;
  #state: BodyState = 'arriving';
  #dropping = false;
  readonly #paceMs: number;
  readonly #late: () => void;
  /** The two limits in time, until it has come. */
  readonly #endTotal: () => void;
  #endPace: () => void;
  #seenBefore = 0;
  /** Whether it was this side that made it wait. */
  #waited = true;

  /**
   * @param options `leftMs`: until which it must have arrived; `paceMs`: in each such time it has to bring 1 KiB, unless
   * it was made to wait. `late` is called where it did not, and has to end the connection
   */
  constructor(
    source: Readable,
    options: { maxBytes: number; leftMs: number; paceMs: number; late: () => void },
  ) {
    this.#source = source;
    this.#maxBytes = options.maxBytes;
    this.#late = options.late;
    this.#paceMs = options.paceMs;
    const now = performance.now();
    this.#endTotal = onDeadline(now + Math.max(0, options.leftMs), () => this.#cut());
    this.#endPace = onDeadline(now + options.paceMs, () => this.#look());
    source.on('data', (chunk: Buffer) => this.#take(chunk));
    source.pause();
    source.on('end', () => this.#complete());
    // Only the first end counts, so that none of these has to be taken off again.
    const gone = (): void => this.#end('gone');
    source.on('error', gone).on('aborted', gone).on('close', gone);
  }

  get state(): BodyState {
    return this.#state;
  }

  /** For the back end. Fails, and never ends as if it were complete, when the body is too long or breaks off. */
  get stream(): Readable {
    this.#out ??= this.#open();
    return this.#out;
  }

  /** All of it, once `state` is `complete`; with another state, what there is of it means nothing. Instead of `stream`. */
  async whole(): Promise<readonly Buffer[]> {
    const chunks: Buffer[] = [];
    this.#chunks = chunks;
    if (this.#state === 'arriving') this.#source.resume();
    await this.arrived;
    return chunks;
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

  #open(): Readable {
    const out = new Readable({
      read: () => {
        if (this.#state === 'arriving') this.#source.resume();
      },
    });
    // Whoever reads it has listeners of its own; without a reader an error here is nobody's.
    out.on('error', () => {});
    if (this.#state === 'complete') out.push(null);
    else if (this.#state !== 'arriving') out.destroy(brokenOff(this.#state));
    return out;
  }

  #look(): void {
    const slow = !this.#waited && this.#seen - this.#seenBefore < LEAST_BYTES;
    this.#seenBefore = this.#seen;
    this.#waited = this.#source.isPaused();
    if (slow) this.#cut();
    else this.#endPace = onDeadline(performance.now() + this.#paceMs, () => this.#look());
  }

  #cut(): void {
    if (this.#state !== 'arriving') return;
    this.#end('gone');
    this.#late();
  }

  /** Trailers are never forwarded; one that would say how the request is to be read makes it ambiguous. */
  #complete(): void {
    const { rawTrailers = [] } = this.#source as Readable & { readonly rawTrailers?: readonly string[] };
    for (let at = 0; at < rawTrailers.length; at += 2) {
      if (!isControlling(rawTrailers[at] ?? '')) continue;
      this.#cut();
      return;
    }
    this.#end('complete');
  }

  #take(chunk: Buffer): void {
    this.#seen += chunk.length;
    countStreamed(chunk.length);
    if (this.#seen > this.#maxBytes) {
      if (this.#state === 'arriving') this.#source.pause();
      this.#end('overflow');
    } else if (this.#chunks !== undefined) this.#chunks.push(chunk);
    else if (!this.#dropping && (this.stream.destroyed || !this.stream.push(chunk))) {
      this.#source.pause();
      this.#waited = true;
    }
  }

  #end(state: Exclude<BodyState, 'arriving'>): void {
    if (this.#state !== 'arriving') return;
    this.#state = state;
    this.#endTotal();
    this.#endPace();
    if (state === 'complete') this.#out?.push(null);
    else this.#out?.destroy(brokenOff(state));
    this.#arrived.resolve();
  }
}

function brokenOff(state: 'overflow' | 'gone'): Error {
  return new Error(state === 'overflow' ? 'the body is too long' : 'the client went away');
}
