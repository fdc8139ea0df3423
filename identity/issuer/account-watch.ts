import { channel } from 'node:diagnostics_channel';
import { CHANNELS } from '../../contracts/events.ts';
import type { StateStore } from '../../contracts/state.ts';
import { ENDS_SESSIONS, ENDS_SESSIONS_OF_ROLE } from '../accounts/index.ts';
import type { IssuerParts } from './parts.ts';
import { endAccount } from './sessions.ts';

const PAGE = 500;
/** Milliseconds between two looks at what other processes wrote: commands, and other issuers. */
const LOOK_MS = 1000;
/** Documents of other processes may become visible a little after later ones. */
const OVERLAP_MS = 10_000;

/**
 * Ends tokens and sessions of accounts that were disabled or whose credentials or rights changed, by themselves or with
 * a role of theirs: at once for what happened in this process, within a second for what a command or another issuer did.
 */
export class AccountWatch {
  readonly #parts: IssuerParts;
  readonly #store: StateStore;
  #timer: NodeJS.Timeout | undefined;
  #handled = new Map<string, number>();
  #since: number;
  #looking = false;

  constructor(parts: IssuerParts, store: StateStore) {
    this.#parts = parts;
    this.#store = store;
    // What happened while no issuer ran counts as well, as far as anything issued before can still be good.
    this.#since = parts.clock.wall() - parts.settings.tokens.refreshMs;
  }

  start(): void {
    channel(CHANNELS.account).subscribe(this.#heard);
    this.#timer = setInterval(
      () => this.look().catch(() => this.#parts.log('account-watch-failed')),
      LOOK_MS,
    ).unref();
  }

  stop(): void {
    channel(CHANNELS.account).unsubscribe(this.#heard);
    clearInterval(this.#timer);
  }

  /** Rejects with `state-unavailable`. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const begun = this.#parts.clock.wall();
      let after: string | undefined = idAt(this.#since - OVERLAP_MS);
      for (;;) {
        const page: Awaited<ReturnType<StateStore['list']>> = await this.#store.list('account-event', {
          limit: PAGE,
          ...(after === undefined ? {} : { after }),
        });
        for (const { body } of page) await this.#handle(body);
        after = page.at(-1)?.id;
        if (page.length < PAGE || after === undefined) break;
      }
      this.#since = begun;
      for (const [key, at] of this.#handled) if (at < begun - 2 * OVERLAP_MS) this.#handled.delete(key);
    } finally {
      this.#looking = false;
    }
  }

  readonly #heard = (message: unknown): void => {
    this.#handle(message as Told).catch(() => this.#parts.log('account-watch-failed'));
  };

  async #handle({ what, organisation, subject, at }: Told): Promise<void> {
    if (typeof what !== 'string' || typeof subject !== 'string' || typeof at !== 'number') return;
    const ofRole = ENDS_SESSIONS_OF_ROLE.has(what) && typeof organisation === 'string';
    if (!ofRole && !ENDS_SESSIONS.has(what)) return;
    const { clock, settings } = this.#parts;
    // What is renewed holds no more than the account may have then; no session and no token is older than this.
    if (ofRole && at < clock.wall() - settings.tokens.sessionMs) return;
    const key = JSON.stringify([what, ofRole ? organisation : '', subject, at]);
    if (this.#handled.has(key)) return;
    this.#handled.set(key, this.#parts.clock.wall());
    try {
      const accounts = ofRole ? await this.#parts.people.holdersOf(organisation, subject) : [subject];
      for (const account of accounts) await endAccount(this.#parts, account, at);
    } catch (error) {
      // Looked at again at the next look.
      this.#handled.delete(key);
      throw error;
    }
  }
}

/** What is read of an event, kept or announced. */
interface Told {
  readonly what?: unknown;
  readonly organisation?: unknown;
  readonly subject?: unknown;
  readonly at?: unknown;
}

/** Ids of these documents begin with their time (identity/accounts/events.ts). */
function idAt(milliseconds: number): string {
  return `${Math.max(0, Math.floor(milliseconds)).toString(36).padStart(9, '0')}-`;
}
