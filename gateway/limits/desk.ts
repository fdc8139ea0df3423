import type { Clock } from '../../contracts/clock.ts';
import { MemoryCounters } from './counters.ts';
import type { DeskAnswer, DeskAsk } from './desk-messages.ts';
import { Noted } from './noted.ts';
import { Places } from './places.ts';
import { Tallies } from './tallies.ts';

const SWEEP_MS = 5000;

/**
 * Where the workers of one gateway count together: in the supervisor, over the channel that it has to each of them
 * anyway. It sees no request, only names of limits, keys that are hashes or addresses, and numbers.
 */
export class Desk {
  readonly #counters = new MemoryCounters();
  readonly #places = new Places();
  readonly #tallies: Tallies;
  readonly #noted = new Noted();
  readonly #broadcast: (answers: readonly DeskAnswer[]) => void;
  readonly #serving: () => readonly string[];
  readonly #sweeping: NodeJS.Timeout;

  /**
   * @param broadcast tells every worker
   * @param serving names of the workers that serve
   */
  constructor(
    clock: Clock,
    broadcast: (answers: readonly DeskAnswer[]) => void,
    serving: () => readonly string[] = () => [],
  ) {
    this.#serving = serving;
    this.#tallies = new Tallies(clock);
    this.#broadcast = broadcast;
    this.#sweeping = setInterval(() => this.#tallies.sweep(), SWEEP_MS);
    this.#sweeping.unref();
  }

  /**
   * What a worker asked for at once is answered at once. Never rejects: what cannot be answered is left out.
   * @param later gets the answers that other workers have to be waited for
   */
  async handle(
    worker: string,
    asks: readonly DeskAsk[],
    later: (answers: readonly DeskAnswer[]) => void = () => {},
  ): Promise<readonly DeskAnswer[]> {
    for (const ask of asks) if (ask.kind === 'mark') void this.#mark(ask).then((answer) => later([answer]));
    const answers = await Promise.allSettled(asks.map((ask) => this.#answer(worker, ask)));
    return answers.flatMap((answer) =>
      answer.status === 'fulfilled' && answer.value !== undefined ? [answer.value] : [],
    );
  }

  /** A worker has ended: its places are free again. What it had leased and not used stays used. */
  left(worker: string): void {
    this.#places.leave(worker);
    this.#noted.left(worker);
  }

  close(): void {
    clearInterval(this.#sweeping);
  }

  async #mark({ id, key, forMs }: Extract<DeskAsk, { readonly kind: 'mark' }>): Promise<DeskAnswer> {
    await this.#noted.spread(this.#serving(), (number) =>
      this.#broadcast([{ kind: 'mark', number, key, forMs }]),
    );
    return { kind: 'marked', id };
  }

  async #answer(worker: string, ask: DeskAsk): Promise<DeskAnswer | undefined> {
    switch (ask.kind) {
      case 'lease':
        return { kind: 'lease', id: ask.id, grant: await this.#counters.lease(ask.ask) };
      case 'occupy':
        return { kind: 'occupy', id: ask.id, granted: this.#places.occupy(worker, ask) };
      case 'vacate':
        this.#places.vacate(worker, ask);
        return undefined;
      case 'tally':
        this.#broadcast([{ kind: 'tally', tally: this.#tallies.add(ask) }]);
        return undefined;
      case 'tell':
        this.#broadcast([{ kind: 'tally', tally: ask.tally }]);
        return undefined;
      case 'forget':
        this.#tallies.forget(ask.key);
        return undefined;
      case 'mark':
        return undefined;
      case 'noted':
        this.#noted.noted(worker, ask.number);
        return undefined;
      case 'lock':
      case 'asked':
      case 'fared':
        this.#broadcast([ask]);
        return undefined;
    }
  }
}
