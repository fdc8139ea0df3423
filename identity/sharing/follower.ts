import { SHARING_EVENTS, type SharingEvent } from '../../contracts/activity.ts';
import type { Clock } from '../../contracts/clock.ts';
import { parseTenantId } from '../../contracts/identifiers.ts';
import type { StateStore, StoredDocument } from '../../contracts/state.ts';
import {
  type FeedHead,
  NO_CHANGE,
  readChanges,
  readHead,
  SHARED_KINDS,
  type SharedKind,
  type SharingNote,
} from './feed.ts';

/** Milliseconds between two looks at the store. */
export const POLL_MS = 250;
/** How old what is known may be. Less than the second that a withdrawal has, by what a request takes. */
export const BELIEVED_MS = 800;
/** Looks between two times at which what has ended is let go. */
const SWEEP_EVERY = 240;

/** What is kept of documents of one kind. */
export interface Kept {
  /** Takes one in, or in another state; undefined: it is gone. */
  put(id: string, document: StoredDocument | undefined): void;
  /** Lets go of what has ended. @param at seconds since the epoch */
  sweep(at: number): void;
}

export type KeptKinds = Readonly<Record<SharedKind, Kept>>;

export interface FollowerOptions<K extends KeptKinds> {
  readonly store: StateStore;
  readonly clock: Clock;
  /** A new, empty one for each kind; the former is let go when everything was read anew. */
  readonly fresh: () => K;
  /** Records what was done by command. Rejects: it will be tried again. */
  readonly note?: ((note: SharingNote) => Promise<void>) | undefined;
}

/**
 * Keeps what every worker must know of consents and emergency access in memory, by following the feed of changes. What
 * it knows counts as long as the store was asked, with success, within the last 0.8 s; the time counts from the
 * beginning of the question.
 */
export class Follower<K extends KeptKinds> {
  readonly #options: FollowerOptions<K>;
  #kept: K;
  #known: FeedHead | undefined;
  #asOf = Number.NEGATIVE_INFINITY;
  #looks = 0;
  #running: Promise<void> | undefined;
  #queued: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: FollowerOptions<K>) {
    this.#options = options;
    this.#kept = options.fresh();
    void this.#go();
  }

  get kept(): K {
    return this.#kept;
  }

  /** Whether what is known may be believed. */
  get fresh(): boolean {
    return this.#options.clock.monotonic() - this.#asOf <= BELIEVED_MS;
  }

  /** Looks anew, beginning after this was called: for what was changed here. Never rejects. */
  look(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#running === undefined) return this.#run();
    // What is under way may have begun before the change.
    this.#queued ??= this.#running.then(() => {
      this.#queued = undefined;
      return this.#run();
    });
    return this.#queued;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #go(): Promise<void> {
    const begun = this.#options.clock.monotonic();
    await this.look();
    if (this.#closed) return;
    const taken = this.#options.clock.monotonic() - begun;
    this.#timer = setTimeout(() => void this.#go(), Math.max(0, POLL_MS - taken));
    this.#timer.unref();
  }

  #run(): Promise<void> {
    this.#running = this.#look(this.#options.clock.monotonic()).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #look(begun: number): Promise<void> {
    const { store, clock } = this.#options;
    try {
      const head = await readHead(store);
      const known = this.#known;
      if (known === undefined || head.mark !== known.mark) {
        if (known === undefined || !(await this.#follow(known, head))) await this.#readAll(head);
      }
      this.#asOf = begun;
      this.#looks += 1;
      if (this.#looks % SWEEP_EVERY === 0)
        for (const kind of SHARED_KINDS) this.#kept[kind].sweep(clock.wall() / 1000);
    } catch {
      // Nothing was learned, and what was known grows old.
    }
  }

  /** @returns false when the changes since then are not there any more */
  async #follow(known: FeedHead, head: FeedHead): Promise<boolean> {
    if (head.sequence <= known.sequence) return false;
    let last = known;
    while (last.sequence < head.sequence) {
      const entries = await readChanges(this.#options.store, last.sequence);
      if (entries.length === 0) return false;
      for (const [index, { sequence }] of entries.entries())
        if (sequence !== last.sequence + index + 1) return false;
      for (const kind of SHARED_KINDS) {
        const changed = new Set(entries.filter((entry) => entry.kind === kind).map(({ id }) => id));
        await Promise.all([...changed].map((id) => this.#read(kind, id)));
      }
      for (const { note } of entries) if (note !== undefined) await this.#record(note);
      const newest = entries.at(-1);
      if (newest === undefined) return false;
      last = { sequence: newest.sequence, mark: newest.mark };
    }
    this.#known = last;
    return true;
  }

  async #read(kind: SharedKind, id: string): Promise<void> {
    this.#kept[kind].put(id, await this.#options.store.get(kind, id));
  }

  /** @param head read before: what changes meanwhile is followed afterwards */
  async #readAll(head: FeedHead): Promise<void> {
    const kept = this.#options.fresh();
    for (const kind of SHARED_KINDS) {
      let after: string | undefined;
      do {
        const options = { limit: 1000, ...(after === undefined ? {} : { after }) };
        const page: readonly StoredDocument[] = await this.#options.store.list(kind, options);
        for (const document of page) kept[kind].put(document.id, document);
        after = page.length < options.limit ? undefined : page.at(-1)?.id;
      } while (after !== undefined);
    }
    this.#kept = kept;
    this.#known = head.sequence === 0 ? NO_CHANGE : head;
    for (const { id } of await this.#options.store.list('sharing-note', { limit: 1000 }))
      await this.#record(id);
  }

  /** Exactly one worker takes it; one that cannot record it puts it back. */
  async #record(id: string): Promise<void> {
    const { store, note } = this.#options;
    if (note === undefined) return;
    const document = await store.take('sharing-note', id);
    const read = document === undefined ? undefined : noteOf(document);
    if (document === undefined || read === undefined) return;
    try {
      await note(read);
    } catch {
      await store.insert('sharing-note', id, { body: document.body, expiresAt: document.expiresAt });
    }
  }
}

function noteOf({ body }: StoredDocument): SharingNote | undefined {
  const event: SharingEvent | undefined = SHARING_EVENTS.find((each) => each === body.event);
  const tenant = typeof body.tenant === 'string' ? parseTenantId(body.tenant) : undefined;
  if (event === undefined || tenant === undefined || typeof body.record !== 'string') return undefined;
  return { event, tenant, record: body.record };
}
