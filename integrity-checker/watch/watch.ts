import { type Clock, systemClock } from '../../contracts/clock.ts';
import type { DatabaseId } from '../../contracts/identifiers.ts';
import type { Log } from '../log.ts';
import { within } from '../within.ts';
import { FingerprintState } from './fingerprint-state.ts';
import { comparisonLimit } from './limits.ts';
import { Pace } from './pace.ts';
import { describe, late, Trouble } from './trouble.ts';
import type { CheckFinding, Comparison, DatabaseSession, Watch, WatchVerdict } from './types.ts';

export interface WatchOptions {
  readonly id: DatabaseId;
  /** Opens a session. One that arrives after the time limit is destroyed. */
  readonly open: () => Promise<DatabaseSession>;
  readonly fullCheckMs: number;
  /** Limit of one probe and of one attempt to connect; see `comparisonLimit` for comparisons. */
  readonly timeoutMs: number;
  readonly log: Log;
  readonly clock?: Clock;
  /** See `FingerprintState`. */
  readonly watchfulMs?: number;
}

const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 1_000;
/** A comparison that something changed under is made again this often before the answer is "unverified". */
const ATTEMPTS = 6;
/** From this attempt on, a table-definition counter that will not stand still is ignored. */
const HEED_DEFINITIONS_ATTEMPTS = 3;
const NOT_PROBED: WatchVerdict = Object.freeze({
  state: 'unverified',
  epoch: '',
  findings: Object.freeze(['checker-starting']),
});
/** Findings that get a log line each; a dropped schema has thousands. */
const LOGGED_FINDINGS = 50;

/**
 * Watches one database: keeps a session open, probes on demand and in groups, compares when something
 * may have moved and at an interval. Nothing here knows SQL or sockets.
 */
export class DatabaseWatch implements Watch {
  readonly id: DatabaseId;
  readonly #options: WatchOptions;
  readonly #clock: Clock;
  readonly #known: FingerprintState;
  readonly #stop = new AbortController();
  readonly #finished: Promise<void>;
  /** The session that may change what is known; set from when it opened until it failed. */
  #opened: DatabaseSession | undefined;
  /** The same, once its first comparison is done: requests may use it. */
  #session: DatabaseSession | undefined;
  #lose: (error: unknown) => void = () => {};
  #waiting: ((verdict: WatchVerdict) => void)[] = [];
  #probing = false;
  readonly #pace = new Pace();
  /** Set while the next probe waits for its turn. */
  #turn: NodeJS.Timeout | undefined;
  /** Comparisons of one session run one after the other. */
  #comparing: Promise<void> = Promise.resolve();
  #nextComparison: NodeJS.Timeout | undefined;

  constructor(options: WatchOptions) {
    this.id = options.id;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#known = new FingerprintState('checker-starting', options.watchfulMs);
    this.#finished = this.#live();
  }

  attest(): Promise<WatchVerdict> {
    if (this.#session === undefined) return Promise.resolve(this.#withoutProbe());
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      // Requests read from the socket in one go are one group.
      if (this.#waiting.length === 1 && !this.#probing && this.#turn === undefined) {
        queueMicrotask(() => void this.#probe());
      }
    });
  }

  /** Compares now, and begins a new epoch: what it is compared with has changed. */
  recheck(): void {
    this.#known.forget();
    const session = this.#session;
    if (session !== undefined) this.#compare(session).catch((error: unknown) => this.#lose(error));
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#turn);
    this.#lose(stopping());
    await this.#finished;
  }

  /** Connects, serves until the session is lost, pauses, and again; until closed. */
  async #live(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!this.#stop.signal.aborted) {
      let session: DatabaseSession | undefined;
      try {
        session = await this.#open();
        if (this.#stop.signal.aborted) throw stopping();
        const lost = new Promise<never>((_, reject) => {
          this.#lose = reject;
        });
        lost.catch(() => {});
        session.onLost((error) => this.#lose(error));
        this.#opened = session;
        this.#comparing = Promise.resolve();
        await Promise.race([this.#compare(session), lost]);
        pause = FIRST_PAUSE_MS;
        this.#session = session;
        this.#scheduleComparison(session);
        await lost;
      } catch (error) {
        this.#fail(error);
        session?.destroy();
        this.#release();
      }
      if (this.#stop.signal.aborted) break;
      await sleep(pause, this.#stop.signal);
      pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
    }
  }

  /** From here on nobody is told anything that the failed session said. */
  #fail(error: unknown): void {
    this.#session = undefined;
    this.#opened = undefined;
    clearTimeout(this.#nextComparison);
    const finding = describe(error);
    if (this.#known.lose(finding.code) && !this.#stop.signal.aborted) this.#report([finding]);
  }

  /** What can be said without asking the database: never "intact". */
  #withoutProbe(): WatchVerdict {
    const { verdict } = this.#known;
    return verdict.state === 'intact' ? NOT_PROBED : verdict;
  }

  async #open(): Promise<DatabaseSession> {
    const opening = this.#options.open();
    try {
      return await within(this.#options.timeoutMs, opening, late);
    } catch (error) {
      opening.then(
        (session) => session.destroy(),
        () => {},
      );
      throw error;
    }
  }

  /** One probe for everybody who waits when it starts; who comes later waits for the next. */
  async #probe(): Promise<void> {
    const session = this.#session;
    if (session === undefined || this.#probing || this.#waiting.length === 0) return;
    const wait = this.#pace.begin(this.#clock.monotonic(), session.statements);
    if (wait > 0) {
      this.#turn = setTimeout(() => {
        this.#turn = undefined;
        void this.#probe();
      }, wait);
      return;
    }
    this.#probing = true;
    const group = this.#waiting;
    this.#waiting = [];
    try {
      const counters = await within(this.#options.timeoutMs, session.counters(), late);
      if (this.#session === session && !this.#known.covers(counters, this.#clock.monotonic())) {
        await this.#compare(session);
      }
    } catch (error) {
      if (this.#session === session) {
        this.#fail(error);
        this.#lose(error);
      }
    }
    const verdict = this.#session === session ? this.#known.verdict : this.#withoutProbe();
    this.#probing = false;
    for (const resolve of group) resolve(verdict);
    if (this.#waiting.length > 0) {
      if (this.#session === undefined) this.#release();
      else void this.#probe();
    }
  }

  /** Begins after every comparison that was asked for earlier. Rejects when the session is of no more use. */
  #compare(session: DatabaseSession): Promise<void> {
    const run = this.#comparing.then(() => this.#compareUntilStable(session));
    this.#comparing = run;
    run.catch(() => {});
    return run;
  }

  async #compareUntilStable(session: DatabaseSession): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const comparison = await this.#compareOnce(session);
      // A session that failed meanwhile must not revive what was declared unknown.
      if (this.#opened !== session) throw stopping();
      const now = this.#clock.monotonic();
      const soundness = this.#known.judge(comparison, now);
      if (soundness === 'torn') continue;
      const heed = soundness === 'sound';
      if (!heed && attempt < HEED_DEFINITIONS_ATTEMPTS) continue;
      if (!heed) {
        this.#options.log({
          level: 'warning',
          event: 'definitions-unstable',
          database: this.id,
          sentence:
            'The server loads table definitions all the time: temporary tables, or a table_definition_cache below its number of tables.',
        });
      }
      const epoch = this.#known.verdict.epoch;
      if (this.#known.apply(comparison, now, heed)) this.#report(comparison.findings);
      else if (this.#known.verdict.epoch !== epoch) this.#reportEpoch();
      this.#scheduleComparison(session);
      return;
    }
    const trouble = new Trouble('database-changing', 'Definitions changed under every comparison.');
    if (this.#known.lose(trouble.finding.code)) this.#report([trouble.finding]);
    this.#scheduleComparison(session);
  }

  /**
   * One comparison. It may be slow, but the server must be there: it is asked in between, so that one which is
   * gone or stopped is known as soon as without a comparison.
   */
  async #compareOnce(session: DatabaseSession): Promise<Comparison> {
    const { timeoutMs } = this.#options;
    const gone = Promise.withResolvers<never>();
    gone.promise.catch(() => {});
    const beat = setInterval(() => {
      within(timeoutMs, session.counters(), late).catch(gone.reject);
    }, timeoutMs / 2);
    try {
      return await Promise.race([within(comparisonLimit(timeoutMs), session.compare(), late), gone.promise]);
    } finally {
      clearInterval(beat);
    }
  }

  #scheduleComparison(session: DatabaseSession): void {
    clearTimeout(this.#nextComparison);
    if (this.#session !== session) return;
    this.#nextComparison = setTimeout(() => {
      this.#compare(session).catch((error: unknown) => {
        if (this.#session === session) this.#lose(error);
      });
    }, this.#options.fullCheckMs);
  }

  #release(): void {
    const group = this.#waiting;
    this.#waiting = [];
    for (const resolve of group) resolve(this.#withoutProbe());
  }

  #report(findings: readonly CheckFinding[]): void {
    const { state, findings: codes, epoch } = this.#known.verdict;
    const { log } = this.#options;
    const level = state === 'intact' ? 'info' : 'error';
    const count = findings.length;
    const sentence =
      state === 'intact'
        ? `Everything is as the baseline says; epoch ${epoch}.`
        : state === 'broken'
          ? `The database differs from its baseline in ${count} ${count === 1 ? 'point' : 'points'}.`
          : (findings[0]?.sentence ?? 'Not verified.');
    log({ level, event: 'state', database: this.id, codes: [state, ...codes], sentence });
    if (state !== 'broken') return;
    for (const finding of findings.slice(0, LOGGED_FINDINGS)) {
      log({
        level,
        event: 'finding',
        database: this.id,
        codes: [finding.code],
        object: finding.object,
        sentence: finding.sentence,
        ...(finding.remedy === undefined || finding.remedy.length === 0 ? {} : { remedy: finding.remedy }),
      });
    }
  }

  #reportEpoch(): void {
    const sentence = `Something was defined or reconnected; all is as the baseline says; epoch ${this.#known.verdict.epoch}.`;
    this.#options.log({ level: 'info', event: 'epoch', database: this.id, sentence });
  }
}

function stopping(): Trouble {
  return new Trouble('checker-stopping', 'The checker is stopping.');
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
