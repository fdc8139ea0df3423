import type { Clock } from '../../contracts/clock.ts';
import { MemoryCounters } from './counters.ts';
import type { DeskAnswer, DeskAsk } from './desk-messages.ts';
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
  readonly #broadcast: (answers: readonly DeskAnswer[]) => void;
  readonly #sweeping: NodeJS.Timeout;

  /** @param broadcast tells every worker */
  constructor(clock: Clock, broadcast: (answers: readonly DeskAnswer[]) => void) {
    this.#tallies = new Tallies(clock);
    this.#broadcast = broadcast;
    this.#sweeping = setInterval(() => this.#tallies.sweep(), SWEEP_MS);
    this.#sweeping.unref();
  }

  /** What a worker asked for at once is answered at once. Never rejects: what cannot be answered is left out. */
  async handle(worker: string, asks: readonly DeskAsk[]): Promise<readonly DeskAnswer[]> {
    const answers = await Promise.allSettled(asks.map((ask) => this.#answer(worker, ask)));
    return answers.flatMap((answer) =>
      answer.status === 'fulfilled' && answer.value !== undefined ? [answer.value] : [],
    );
  }

  /** A worker has ended: its places are free again. What it had leased and not used stays used. */
  left(worker: string): void {
    this.#places.leave(worker);
  }

  close(): void {
    clearInterval(this.#sweeping);
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
      case 'lock':
      case 'asked':
        this.#broadcast([ask]);
        return undefined;
    }
  }
}
