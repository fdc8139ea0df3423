import type { ServerResponse } from 'node:http';
import { FEED_PING_MS } from '../../contracts/issuer-link.ts';
import type { StateStore } from '../../contracts/state.ts';
import type { IssuerLog } from './log.ts';
import { RevocationReader } from './revocations.ts';

/** Milliseconds between two looks for what other processes wrote. */
const LOOK_MS = 250;
/** Gateways that follow at once; each worker has one. */
const MOST_FOLLOWERS = 256;

/** `GET /internal/revocations`: what is revoked, as it happens, for gateways that follow. */
export class RevocationFeed {
  readonly #store: StateStore;
  readonly #log: IssuerLog;
  readonly #followers = new Set<Follower>();
  #timer: NodeJS.Timeout | undefined;

  constructor(store: StateStore, log: IssuerLog) {
    this.#store = store;
    this.#log = log;
  }

  /** @param after what the follower saw last (`Last-Event-ID`) */
  follow(response: ServerResponse, after: string | undefined): void {
    if (this.#followers.size >= MOST_FOLLOWERS) {
      response.writeHead(503, { 'content-length': '0' }).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const follower = new Follower(response, new RevocationReader(this.#store, after));
    this.#followers.add(follower);
    response.on('close', () => {
      this.#followers.delete(follower);
      follower.stop();
      if (this.#followers.size === 0) this.#stop();
    });
    this.#timer ??= setInterval(() => this.look(), LOOK_MS).unref();
    this.look();
  }

  /** Looks at once: called after something was written here. */
  look(): void {
    for (const follower of this.#followers) {
      follower.look().catch(() => {
        // Whoever follows must not believe that nothing is revoked when it cannot be known.
        this.#log('feed-interrupted');
        follower.end();
      });
    }
  }

  /** Whoever follows begins anew, with the keys as they are now. */
  interrupt(): void {
    for (const follower of this.#followers) follower.end();
  }

  close(): void {
    this.#stop();
    this.interrupt();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

class Follower {
  readonly #response: ServerResponse;
  readonly #reader: RevocationReader;
  readonly #ping: NodeJS.Timeout;
  #current = false;
  #looking: Promise<void> | undefined;
  #again = false;

  constructor(response: ServerResponse, reader: RevocationReader) {
    this.#response = response;
    this.#reader = reader;
    // A sign of life only while the store answers: it is sent by a look.
    this.#ping = setInterval(() => {
      this.look().then(
        () => this.#response.write(':\n\n'),
        () => this.end(),
      );
    }, FEED_PING_MS).unref();
  }

  /** One look at a time; what is asked for during one is looked for right after it. */
  look(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#again = true;
      return this.#looking;
    }
    this.#looking = this.#send().finally(() => {
      this.#looking = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.look().catch(() => this.end());
    });
    return this.#looking;
  }

  async #send(): Promise<void> {
    for (const { id, ...revocation } of await this.#reader.next()) {
      this.#response.write(`id: ${id}\nevent: revocation\ndata: ${JSON.stringify(revocation)}\n\n`);
    }
    if (this.#current) return;
    this.#current = true;
    this.#response.write('event: current\ndata: {}\n\n');
  }

  stop(): void {
    clearInterval(this.#ping);
  }

  end(): void {
    this.stop();
    this.#response.end();
  }
}
