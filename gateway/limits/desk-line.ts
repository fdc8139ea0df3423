import { ChartgateError } from '../../contracts/errors.ts';
import type { Ask, Counters, Grant } from './counters.ts';
import type { DeskAnswer, DeskAsk, Tally, TallyReport } from './desk-messages.ts';

/** Milliseconds after which the desk counts as away. It answers within one, unless the machine is far too busy. */
const PATIENCE_MS = 500;
/** Milliseconds for which nobody waits for a desk that did not answer. */
const AWAY_MS = 1000;

/** What the workers' guards learn of each other. */
export type GuardNews = Extract<DeskAnswer, { readonly kind: 'tally' | 'lock' | 'asked' | 'fared' }>;

/** A worker's line to its supervisor's desk. What is said in one turn of the event loop goes in one message. */
export class DeskLine implements Counters {
  readonly #send: (asks: readonly DeskAsk[]) => void;
  readonly #waiting = new Map<number, { resolve: (answer: DeskAnswer) => void; timer?: NodeJS.Timeout }>();
  #next = 1;
  #awayUntil = 0;
  #asks: DeskAsk[] = [];
  readonly #marked = new Set<(key: string, forMs: number) => void>();
  readonly #told = new Set<(answer: GuardNews) => void>();

  constructor(send: (asks: readonly DeskAsk[]) => void) {
    this.#send = send;
  }

  async lease(ask: Ask): Promise<Grant> {
    const answer = await this.#ask((id) => ({ kind: 'lease', id, ask }));
    if (answer.kind !== 'lease') throw new ChartgateError('internal', 'the desk answered something else');
    return answer.grant;
  }

  /** @returns how many of the wanted places were free; rejects when the desk is away */
  async occupy(limiter: string, key: string, most: number, want: number): Promise<number> {
    const answer = await this.#ask((id) => ({ kind: 'occupy', id, limiter, key, most, want }));
    if (answer.kind !== 'occupy') throw new ChartgateError('internal', 'the desk answered something else');
    return answer.granted;
  }

  vacate(limiter: string, key: string, places: number): void {
    this.#say({ kind: 'vacate', limiter, key, places });
  }

  tally(report: TallyReport): void {
    this.#say({ kind: 'tally', ...report });
  }

  /** Sums that Redis made. */
  tell(tally: Tally): void {
    this.#say({ kind: 'tell', tally });
  }

  lock(key: string, forMs: number): void {
    this.#say({ kind: 'lock', key, forMs });
  }

  forget(key: string): void {
    this.#say({ kind: 'forget', key });
  }

  asked(key: string, since: number): void {
    this.#say({ kind: 'asked', key, since });
  }

  /** How somebody's last request fared at a tenant's back end. */
  fared(tenant: string, key: string, badly: boolean): void {
    this.#say({ kind: 'fared', tenant, key, badly });
  }

  /** Every sum that any worker changed, and every lock, this one's included. @returns ends it */
  onNews(told: (news: GuardNews) => void): () => void {
    this.#told.add(told);
    return () => this.#told.delete(told);
  }

  /** Resolves when every worker knows that somebody writes; rejects when the desk is away. */
  async mark(key: string, forMs: number): Promise<void> {
    await this.#ask((id) => ({ kind: 'mark', id, key, forMs }));
  }

  /** Who writes, whichever worker said it. @returns ends it */
  onMark(told: (key: string, forMs: number) => void): () => void {
    this.#marked.add(told);
    return () => this.#marked.delete(told);
  }

  /** What the supervisor sent. */
  receive(answers: readonly DeskAnswer[]): void {
    this.#awayUntil = 0;
    for (const answer of answers) {
      if (answer.kind === 'mark') {
        for (const told of this.#marked) told(answer.key, answer.forMs);
        this.#say({ kind: 'noted', number: answer.number });
        continue;
      }
      if (answer.kind !== 'lease' && answer.kind !== 'occupy' && answer.kind !== 'marked') {
        for (const told of this.#told) told(answer);
        continue;
      }
      const waiting = this.#waiting.get(answer.id);
      if (waiting === undefined) continue;
      this.#waiting.delete(answer.id);
      clearTimeout(waiting.timer);
      waiting.resolve(answer);
    }
  }

  #ask(make: (id: number) => DeskAsk): Promise<DeskAnswer> {
    if (performance.now() < this.#awayUntil)
      return Promise.reject(new ChartgateError('internal', 'the desk does not answer'));
    const id = this.#next;
    this.#next += 1;
    const ask = make(id);
    const { promise, resolve, reject } = Promise.withResolvers<DeskAnswer>();
    const timer = setTimeout(() => {
      this.#waiting.delete(id);
      // One worker that does not note a mark in time is no reason to count alone.
      if (ask.kind !== 'mark') this.#awayUntil = performance.now() + AWAY_MS;
      // Places that are granted too late are given back: nobody else would.
      if (ask.kind === 'occupy')
        this.#waiting.set(id, { resolve: (answer) => this.#vacateLate(ask, answer) });
      reject(new ChartgateError('internal', 'the desk did not answer in time'));
    }, PATIENCE_MS);
    this.#waiting.set(id, { resolve, timer });
    this.#say(ask);
    return promise;
  }

  #vacateLate(ask: Extract<DeskAsk, { kind: 'occupy' }>, answer: DeskAnswer): void {
    if (answer.kind === 'occupy' && answer.granted > 0) this.vacate(ask.limiter, ask.key, answer.granted);
  }

  #say(ask: DeskAsk): void {
    this.#asks.push(ask);
    if (this.#asks.length > 1) return;
    setImmediate(() => {
      const asks = this.#asks;
      this.#asks = [];
      this.#send(asks);
    });
  }
}
