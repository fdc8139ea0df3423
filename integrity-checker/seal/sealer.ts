import { SEALED_TABLES } from '../../audit-sql/fingerprint/index.ts';
import { DIRECT_ROW_TABLE } from '../../audit-sql/names.ts';
import { type Clock, systemClock } from '../../contracts/clock.ts';
import type { Log } from '../log.ts';
import { sleep } from '../sleep.ts';
import { describe, late } from '../watch/trouble.ts';
import type { CheckFinding } from '../watch/types.ts';
import { within } from '../within.ts';
import { perTable } from './checkpoint.ts';
import { type Look, look, NOTHING } from './look.ts';
import { type NoteSigner, verifierText } from './note.ts';
import type { RowReader } from './rows.ts';
import { spotCheck } from './spot-check.ts';
import { SealState } from './state.ts';
import { SealStore } from './store.ts';
import { findingOf, judgeRow, type Suspect, Suspects } from './suspects.ts';

/** A connection for sealing alone. */
export interface SealSession {
  readonly reader: RowReader;
  destroy(): void;
}

export interface SealerOptions {
  /** The database's id, for the log. */
  readonly database: string;
  /** The folder of its store. */
  readonly directory: string;
  readonly signer: NoteSigner;
  readonly open: () => Promise<SealSession>;
  /** Limit of one reading. */
  readonly timeoutMs: number;
  readonly log: Log;
  /** Called when what `check` would say has become another. */
  readonly changed: () => void;
  readonly clock?: Clock;
}

/** Between two looks at the database: twice a second keeps the lag well under 2 s. */
const INTERVAL_MS = 500;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
/** InnoDB's list of transactions has times in whole seconds; two readings must differ in it. */
const TRANSACTIONS_MS = 1_100;
/** Without progress for so long, what is written now could be changed before it is sealed. */
const STALLED_MS = 30_000;

/** Seals the audit rows of one database for as long as it runs, and says what is wrong with those it sealed. */
export class Sealer {
  readonly #options: SealerOptions;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #finished: Promise<void>;
  readonly #opened = Promise.withResolvers<void>();
  #store: SealStore | undefined;
  #state: SealState | undefined;
  #suspects: Suspects | undefined;
  /** Why the store cannot be used, when that is what is wrong. */
  #fault: CheckFinding | undefined;
  #trouble = '';
  #progressAt: number;
  #transactionsAt = Number.NEGATIVE_INFINITY;
  #ownBefore = '';
  #spotCheckAt = Number.NEGATIVE_INFINITY;

  constructor(options: SealerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#progressAt = this.#clock.monotonic();
    this.#finished = this.#live();
  }

  /** Leaves in the tree. */
  get size(): number {
    return this.#store?.size ?? 0;
  }

  /**
   * What is wrong with sealed rows: what is known, and whether the last row of each table, the first rows and
   * some at random are as they were. A table that was emptied and a database of an older date have not even
   * these.
   * @param reader of any session
   */
  async check(reader: RowReader): Promise<readonly CheckFinding[]> {
    await this.#opened.promise;
    // A statement of the EMR can keep tables without transactions locked for long; their heads are looked at
    // in the rounds, twice a second.
    const heads = SEALED_TABLES.flatMap((table) => this.#state?.head(table) ?? []).filter(
      ({ table }) => table !== DIRECT_ROW_TABLE,
    );
    const wrong: Suspect[] = [];
    for (const head of heads) {
      const [row] = await reader.hashes(head.table, head.id, head.id, 1);
      const code = judgeRow(head.hash, row);
      if (code !== undefined) wrong.push({ ...head, code });
    }
    wrong.push(...(await this.#samples(reader)));
    // From now on it is known: the next comparison may look at other rows.
    await this.#record(wrong);
    const known = (this.#suspects?.all ?? []).map(findingOf);
    const beyond = wrong.map(findingOf).filter(({ object }) => !known.some((each) => each.object === object));
    const stalled = this.#clock.monotonic() - this.#progressAt > STALLED_MS;
    return [
      ...(this.#fault === undefined ? [] : [this.#fault]),
      ...known,
      ...beyond,
      ...(stalled && this.#fault === undefined ? [STALLED] : []),
    ];
  }

  /** The first rows, and some at random: a table emptied and filled again has neither. */
  async #samples(reader: RowReader): Promise<readonly Suspect[]> {
    const [store, state] = [this.#store, this.#state];
    if (store === undefined || state === undefined) return [];
    const options = { without: DIRECT_ROW_TABLE } as const;
    return [
      ...(await spotCheck(store, state, reader, { ...options, at: 0 })),
      ...(await spotCheck(store, state, reader, options)),
    ];
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#finished;
  }

  async #live(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let session: SealSession | undefined;
      try {
        await this.#openStore();
        session = await this.#openSession();
        while (!signal.aborted) {
          const more = await this.#round(session.reader);
          pause = FIRST_PAUSE_MS;
          await sleep(more ? 0 : INTERVAL_MS, signal);
        }
      } catch (error) {
        await this.#fail(error);
      }
      session?.destroy();
      if (!signal.aborted) await sleep(pause, signal);
      pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
    }
    this.#opened.resolve();
    await this.#closeStore();
  }

  async #closeStore(): Promise<void> {
    const store = this.#store;
    this.#store = undefined;
    await store?.close();
  }

  async #openStore(): Promise<void> {
    if (this.#store !== undefined) return;
    const { directory, signer, database, log } = this.#options;
    const store = await SealStore.open(directory, signer);
    try {
      this.#state = await SealState.recover(store, this.#clock.monotonic());
      this.#suspects = await Suspects.open(directory);
    } catch (error) {
      await store.close();
      throw error;
    }
    this.#store = store;
    if (this.#fault !== undefined) {
      this.#fault = undefined;
      this.#options.changed();
    }
    this.#opened.resolve();
    const sentence =
      store.last === undefined
        ? `Sealing begins; checkpoints are signed with ${verifierText(signer)}`
        : `Sealing goes on after ${store.size} rows; checkpoints are signed with ${verifierText(signer)}`;
    log({ level: 'info', event: 'seal', database, sentence });
  }

  async #openSession(): Promise<SealSession> {
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

  /** One look at the database. @returns whether there is more to seal already */
  async #round(reader: RowReader): Promise<boolean> {
    const store = this.#store;
    const state = this.#state;
    if (store === undefined || state === undefined) return false;
    const limited = this.#limited(reader);
    await this.#lookAgain(limited);
    const writing = await this.#writing(limited, state);
    const looks: Look[] = [];
    for (const table of SEALED_TABLES) looks.push(await look(limited, table, state));
    // What follows a head that is gone may be another database's.
    const wrong = looks.flatMap(({ suspect }) => suspect ?? []);
    await this.#suspect(wrong);
    if (wrong.length > 0) return false;
    const now = this.#clock.monotonic();
    await state.seal(
      perTable((table) => looks[SEALED_TABLES.indexOf(table)]?.fresh ?? NOTHING),
      writing,
      now,
    );
    if (now - this.#spotCheckAt >= INTERVAL_MS) {
      this.#spotCheckAt = now;
      await this.#suspect(await spotCheck(store, state, limited));
    }
    if (looks[0]?.skipped !== true) this.#progress();
    return looks.some(({ more }) => more);
  }

  /** The transactions that write, when something waits for them and the list is new. */
  async #writing(reader: RowReader, state: SealState): Promise<ReadonlySet<string> | undefined> {
    const now = this.#clock.monotonic();
    if (SEALED_TABLES.every((table) => state.pending[table].empty)) return undefined;
    if (now - this.#transactionsAt < TRANSACTIONS_MS) return undefined;
    this.#transactionsAt = now;
    const { writing, own } = await reader.transactions();
    if (own === undefined || own === this.#ownBefore) return undefined;
    this.#ownBefore = own;
    return writing;
  }

  /** The server's own limit comes first: then the session is still of use. */
  #limited(reader: RowReader): RowReader {
    const timeoutMs = 2 * this.#options.timeoutMs + 500;
    return {
      hashes: (...args) => within(timeoutMs, reader.hashes(...args), late),
      transactions: () => within(timeoutMs, reader.transactions(), late),
    };
  }

  async #suspect(found: readonly Suspect[]): Promise<void> {
    if (await this.#record(found)) this.#options.changed();
  }

  /** @returns whether there was something new in it */
  async #record(found: readonly Suspect[]): Promise<boolean> {
    const { log, database } = this.#options;
    let news = false;
    for (const suspect of found) {
      if (!(await this.#suspects?.set(suspect))) continue;
      news = true;
      const { code, object, sentence } = findingOf(suspect);
      log({ level: 'error', event: 'seal', database, codes: [code], object, sentence });
    }
    return news;
  }

  /** Rows that were wrong may be right again: another server with the same data may have taken over. */
  async #lookAgain(reader: RowReader): Promise<void> {
    let gone = false;
    for (const suspect of this.#suspects?.all ?? []) {
      const { table, id, hash } = suspect;
      const [row] = await reader.hashes(table, id, id, 1);
      if (judgeRow(hash, row) !== undefined) continue;
      await this.#suspects?.clear(suspect);
      gone = true;
      const { log, database } = this.#options;
      const sentence = 'The audit row is again as it was sealed.';
      log({ level: 'warning', event: 'seal', database, object: `${table} ${id}`, sentence });
    }
    if (gone) this.#options.changed();
  }

  #progress(): void {
    const stalled = this.#clock.monotonic() - this.#progressAt > STALLED_MS;
    this.#progressAt = this.#clock.monotonic();
    this.#trouble = '';
    if (stalled) this.#options.changed();
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const finding = describe(error);
    const ofStore = finding.code === 'seal-broken' || finding.code === 'seal-unavailable';
    if (finding.code === 'seal-broken' && this.#fault === undefined) {
      this.#fault = finding;
      this.#options.changed();
    }
    this.#opened.resolve();
    if (ofStore) await this.#closeStore();
    if (this.#trouble === finding.sentence) return;
    this.#trouble = finding.sentence;
    const { log, database } = this.#options;
    const level = ofStore ? 'error' : 'warning';
    log({ level, event: 'seal', database, codes: [finding.code], sentence: finding.sentence });
  }
}

const STALLED: CheckFinding = Object.freeze({
  code: 'seal-stalled',
  object: '',
  sentence: `No audit row could be sealed for over ${STALLED_MS / 1000} s.`,
});
