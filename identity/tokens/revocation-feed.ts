import { Agent, type Dispatcher } from 'undici';
import type { Clock } from '../../contracts/clock.ts';
import {
  FEED_SILENCE_MS,
  ISSUER_KEY_HEADER,
  issuerKey,
  REVOCATION_KINDS,
  REVOCATIONS_PATH,
  type Revocation,
} from '../../contracts/issuer-link.ts';
import type { EmbeddedIssuer } from '../issuer-http.ts';
import { member, parseJsonObject } from '../json.ts';
import { EventStreamReader, type StreamEvent } from './event-stream.ts';
import { Revocations, type TokenMarks } from './revocations.ts';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2000;

export type RevocationListener = (revocation: Revocation) => void;

/**
 * The worker's end of the embedded issuer's feed. It counts as up from the event `current` on, by which
 * everything that was revoked before has been told, until the stream breaks or is silent too long. While it is
 * not up, nobody may rely on a token that the issuer was not asked about.
 */
export class RevocationFeed {
  readonly #embedded: EmbeddedIssuer;
  readonly #clock: Clock;
  readonly #listener: RevocationListener | undefined;
  readonly #begun: () => void;
  readonly #agent: Agent;
  readonly #revocations: Revocations;
  readonly #closing = new AbortController();
  #current = false;
  /** Monotonic; when something last came. */
  #heardAt = Number.NEGATIVE_INFINITY;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #whenCurrent: (() => void)[] = [];

  /** @param begun called each time before the feed is up: whatever is not told by it may be another by now */
  constructor(
    embedded: EmbeddedIssuer,
    clock: Clock,
    listener?: RevocationListener,
    begun: () => void = () => {},
  ) {
    this.#begun = begun;
    this.#embedded = embedded;
    this.#clock = clock;
    this.#listener = listener;
    this.#revocations = new Revocations(clock);
    this.#agent = new Agent({
      connections: 1,
      connect: { socketPath: embedded.socket, timeout: FEED_SILENCE_MS },
      headersTimeout: FEED_SILENCE_MS,
      bodyTimeout: FEED_SILENCE_MS,
    });
    void this.#run();
  }

  /** Whether everything that the issuer has revoked up to about now is known here. */
  get up(): boolean {
    return (
      this.#current && !this.#revocations.full && this.#clock.monotonic() - this.#heardAt < FEED_SILENCE_MS
    );
  }

  denies(marks: TokenMarks): boolean {
    return this.#revocations.denies(marks);
  }

  /** Resolves when the feed is up, or after so many milliseconds. */
  async whenUp(limitMs: number): Promise<boolean> {
    if (this.up) return true;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#whenCurrent.push(resolve);
      timer = setTimeout(resolve, limitMs);
    });
    clearTimeout(timer);
    return this.up;
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#retry);
    void this.#agent.destroy();
  }

  async #run(): Promise<void> {
    try {
      await this.#listen();
    } catch {
      // Whatever ended it: the feed is down, and opened again.
    }
    this.#current = false;
    if (this.#closing.signal.aborted) return;
    this.#retry = setTimeout(() => void this.#run(), this.#retryMs);
    this.#retry.unref();
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
  }

  async #listen(): Promise<void> {
    const { issuer, secret } = this.#embedded;
    const { host } = new URL(issuer);
    // Everything that still counts is told anew on each connection: nothing can have been missed in between.
    const { statusCode, body }: Dispatcher.ResponseData = await this.#agent.request({
      origin: `http://${host}`,
      path: REVOCATIONS_PATH,
      method: 'GET',
      headers: {
        accept: 'text/event-stream',
        [ISSUER_KEY_HEADER]: issuerKey(secret.reveal()),
        'x-forwarded-proto': 'https',
      },
      signal: this.#closing.signal,
    });
    if (statusCode !== 200) {
      // Destroyed, it would report an error to nobody.
      await body.dump();
      return;
    }
    const reader = new EventStreamReader();
    for await (const chunk of body) {
      this.#heardAt = this.#clock.monotonic();
      for (const event of reader.push(chunk as Uint8Array)) this.#take(event);
    }
  }

  #take({ event, data }: StreamEvent): void {
    if (event === 'current') {
      if (!this.#current) this.#begun();
      this.#current = true;
      this.#retryMs = FIRST_RETRY_MS;
      for (const resolve of this.#whenCurrent.splice(0)) resolve();
      return;
    }
    if (event !== 'revocation') return;
    const revocation = parseRevocation(data);
    // Something was revoked, and it is not known what: the feed is of no use.
    if (revocation === undefined) throw new TypeError('not a revocation');
    this.#revocations.add(revocation);
    try {
      this.#listener?.(revocation);
    } catch {
      // A listener's fault must not end the feed.
    }
  }
}

/** Undefined for anything but a revocation. */
export function parseRevocation(data: string): Revocation | undefined {
  const object = parseJsonObject(Buffer.from(data));
  if (object === undefined) return undefined;
  const kind = REVOCATION_KINDS.find((known) => known === member(object, 'kind'));
  const value = member(object, 'value');
  const issuedBefore = member(object, 'issuedBefore');
  const until = member(object, 'until');
  if (kind === undefined || typeof value !== 'string' || value === '') return undefined;
  if (!Number.isFinite(issuedBefore) || !Number.isFinite(until)) return undefined;
  return Object.freeze({ kind, value, issuedBefore: issuedBefore as number, until: until as number });
}
