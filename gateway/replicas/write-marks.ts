import type { Clock } from '../../contracts/clock.ts';

/** Milliseconds between two times that a write under way is told. */
const RENEW_MS = 500;
/** Milliseconds that a mark lasts beyond the delay: so late may it be renewed. */
const SLACK_MS = 2_000;
const SWEEP_MS = 5_000;

/** How workers of one gateway tell each other who writes. */
export interface MarkLine {
  /** Resolves when every worker knows; rejects when one of them cannot be told in time. */
  mark(key: string, forMs: number): Promise<void>;
  /** What any worker said, this one included. @returns ends it */
  onMark(told: (key: string, forMs: number) => void): () => void;
}

/** How several gateways do. Both reject when the store is away. */
export interface MarkStore {
  mark(key: string, forMs: number): Promise<void>;
  marked(key: string): Promise<boolean>;
}

export interface WriteMarksOptions {
  readonly clock: Clock;
  /** Undefined where this is the only worker. */
  readonly line?: MarkLine | undefined;
  /** Asked each time: it may be another one after a reload. */
  readonly store?: (() => MarkStore | undefined) | undefined;
}

/**
 * Who has just written, so that their reads go where the write went. Replicas lag behind: a read of somebody who has
 * written within the tenant's delay must not be answered by one of them, whichever worker or gateway it arrives at.
 *
 * A mark is there before the write is sent, is renewed while it is under way, and outlasts its end by the delay. What
 * nobody can tell counts as written.
 */
export class WriteMarks {
  readonly #clock: Clock;
  readonly #line: MarkLine | undefined;
  readonly #store: () => MarkStore | undefined;
  /** Until when, in monotonic milliseconds. */
  readonly #marks = new Map<string, number>();
  readonly #underWay = new Set<WriteUnderWay>();
  readonly #timer: NodeJS.Timeout;
  readonly #unsubscribe: (() => void) | undefined;
  /** Since when marks of others have been heard. */
  readonly #since: number;
  /** When the store last failed. */
  #lostAt = Number.NEGATIVE_INFINITY;
  #sweepAt = 0;

  constructor({ clock, line, store }: WriteMarksOptions) {
    this.#clock = clock;
    this.#line = line;
    this.#store = store ?? (() => undefined);
    this.#since = clock.monotonic();
    this.#unsubscribe = line?.onMark((key, forMs) => this.#extend(key, forMs));
    this.#timer = setInterval(() => this.#tick(), RENEW_MS);
    this.#timer.unref();
  }

  /**
   * A write is about to be sent. Its answer waits for `known`; `end` is called when nothing of it is under way any more.
   * @param tenant the tenant's id
   * @param who what tells people of the tenant apart
   */
  begin(tenant: string, who: string, delayMs: number): WriteUnderWay {
    const write = new WriteUnderWay(
      keyOf(tenant, who),
      delayMs,
      (forMs) => this.#tell(write.key, forMs),
      () => this.#underWay.delete(write),
    );
    this.#underWay.add(write);
    write.tell();
    return write;
  }

  /** Whether a read must see what was written. Not a promise unless another gateway has to be asked. Never rejects. */
  lately(tenant: string, who: string, delayMs: number): boolean | Promise<boolean> {
    const now = this.#clock.monotonic();
    // What was written before this worker could hear of it is not known here.
    if (now - this.#since < Math.max(delayMs, 2 * RENEW_MS)) return true;
    const key = keyOf(tenant, who);
    const until = this.#marks.get(key);
    if (until !== undefined && until > now) return true;
    const store = this.#store();
    if (store === undefined) return false;
    // A store that was away may have come back without what it knew.
    if (now - this.#lostAt < delayMs + SLACK_MS) return true;
    return store.marked(key).catch(() => {
      this.#lostAt = this.#clock.monotonic();
      return true;
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#unsubscribe?.();
  }

  #tell(key: string, forMs: number): Promise<boolean> {
    this.#extend(key, forMs);
    const store = this.#store();
    const others = [
      ...(this.#line === undefined ? [] : [this.#line.mark(key, forMs)]),
      ...(store === undefined ? [] : [store.mark(key, forMs)]),
    ];
    return Promise.all(others).then(
      () => true,
      () => {
        if (store !== undefined) this.#lostAt = this.#clock.monotonic();
        return false;
      },
    );
  }

  #extend(key: string, forMs: number): void {
    const until = this.#clock.monotonic() + forMs;
    const former = this.#marks.get(key);
    if (former === undefined || former < until) this.#marks.set(key, until);
  }

  #tick(): void {
    for (const write of this.#underWay) write.tell();
    const now = this.#clock.monotonic();
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP_MS;
    for (const [key, until] of this.#marks) if (until <= now) this.#marks.delete(key);
  }
}

/** One write, from before it is sent until its answer has ended. */
export class WriteUnderWay {
  readonly key: string;
  readonly #delayMs: number;
  readonly #tell: (forMs: number) => Promise<boolean>;
  readonly #ended: () => void;
  #known: Promise<boolean> | undefined;

  constructor(key: string, delayMs: number, tell: (forMs: number) => Promise<boolean>, ended: () => void) {
    this.key = key;
    this.#delayMs = delayMs;
    this.#tell = tell;
    this.#ended = ended;
  }

  tell(): void {
    this.#known = this.#tell(this.#delayMs + SLACK_MS);
  }

  /** Resolves when it may be answered: all that could read know of it, or nothing lags behind it any more. */
  async known(): Promise<void> {
    if (await this.#known) return;
    await new Promise((resolve) => setTimeout(resolve, this.#delayMs));
  }

  /** Its marks last as long as the delay from here on, and at most two seconds more. */
  end(): void {
    this.#ended();
  }
}

/** Length first, so that no two tenants can mean the same. */
function keyOf(tenant: string, who: string): string {
  return `${tenant.length}:${tenant}${who}`;
}
