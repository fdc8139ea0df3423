import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Sources } from '../../config/index.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { DeskAsk } from '../limits/index.ts';
import type { FromWorker, Readiness, ToWorker } from './messages.ts';

/**
 * One worker a core: collecting garbage on further threads would only take the core from another worker. The
 * young generation is large from the start: requests wait for the disk twice, so a small one is collected while
 * most of what is in it is still in use. `gateway/transport/scavenge.ts` asks for collections while large bodies
 * stream.
 */
const V8_OPTIONS = [
  '--single-threaded-gc',
  '--min-semi-space-size=48',
  '--max-semi-space-size=48',
  '--expose-gc',
];

/** This file's own kind: `.ts` in the repository, `.js` in the compiled package. */
const WORKER = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './worker-main.ts' : './worker-main.js', import.meta.url),
);

export type Said<T extends FromWorker['type']> = Extract<FromWorker, { type: T }>;

/** The place of one worker: one process at a time, and what it said last. */
export class Slot {
  readonly name: string;
  /** Milliseconds until a worker that ended is started again. */
  restartMs = 100;
  readiness: Readiness = { ready: false, reasons: ['starting'] };
  /** What the worker that is up serves. */
  sources: Sources | undefined;
  readonly #onExit: (slot: Slot, code: number | null, signal: NodeJS.Signals | null) => void;
  readonly #onDesk: (slot: Slot, asks: readonly DeskAsk[]) => void;
  #child: ChildProcess | undefined;
  #up = false;
  #snapshotId = 0;

  /**
   * @param onDesk what the worker asks the desk
   * @param onExit called when a worker that was up ends; one that ends before rejects `start` instead
   */
  constructor(
    name: string,
    onExit: (slot: Slot, code: number | null, signal: NodeJS.Signals | null) => void,
    onDesk: (slot: Slot, asks: readonly DeskAsk[]) => void = () => {},
  ) {
    this.name = name;
    this.#onExit = onExit;
    this.#onDesk = onDesk;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The worker said that it serves, and has not ended since. */
  get up(): boolean {
    return this.#up;
  }

  /** @returns the worker's port; throws, with no process left behind, when it does not come up */
  async start(message: Extract<ToWorker, { type: 'start' }>): Promise<number> {
    const child = fork(WORKER, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
      // Workers handle requests, and nothing that does may start a process.
      execArgv: [...process.execArgv.filter((flag) => flag !== '--allow-child-process'), ...V8_OPTIONS],
      env: { ...process.env, MALLOC_ARENA_MAX: '1' },
    });
    this.#child = child;
    // A worker that ends while something is said to it: 'exit' follows.
    child.on('error', () => {});
    child.on('message', (said: FromWorker) => {
      if (said.type === 'desk' && this.#child === child) this.#onDesk(this, said.asks);
    });
    child.once('exit', (code, signal) => {
      // A former process's end is not this one's.
      if (this.#child !== child) return;
      const wasUp = this.#up;
      this.#child = undefined;
      this.#up = false;
      this.sources = undefined;
      this.readiness = { ready: false, reasons: ['not running'] };
      if (wasUp) this.#onExit(this, code, signal);
    });
    const result = await this.ask(message, ['started', 'failed']);
    if (result.type === 'failed') {
      this.#child = undefined;
      child.kill('SIGKILL');
      throw new ChartgateError(
        result.exitCode === 3 ? 'configuration-invalid' : 'activity-log-unavailable',
        result.message,
      );
    }
    this.#up = true;
    this.sources = message.sources;
    return result.port;
  }

  tell(message: ToWorker): void {
    if (this.#child?.connected === true) this.#child.send(message);
  }

  /** Says something and waits for an answer of one of these types. Rejects when the worker ends, or is too late. */
  ask<T extends FromWorker['type']>(
    message: ToWorker,
    types: readonly T[],
    limitMs?: number,
  ): Promise<Said<T>> {
    return this.#ask(message, (said) => (types as readonly string[]).includes(said.type), limitMs) as Promise<
      Said<T>
    >;
  }

  /** The worker's figures; undefined when it does not give them in time. Never rejects. */
  async snapshot(limitMs: number): Promise<unknown> {
    if (!this.#up) return undefined;
    this.#snapshotId += 1;
    const id = this.#snapshotId;
    try {
      const fits = (said: FromWorker): boolean => said.type === 'snapshot' && said.id === id;
      const said = (await this.#ask({ type: 'snapshot', id }, fits, limitMs)) as Said<'snapshot'>;
      this.readiness = said.readiness;
      return said.metrics;
    } catch {
      return undefined;
    }
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  /** Asks the worker to drain and waits for its end; after `limitMs` it is killed. */
  async end(limitMs: number): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.tell({ type: 'drain' });
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    await gone;
    clearTimeout(timer);
  }

  #ask(
    message: ToWorker,
    fits: (said: FromWorker) => boolean,
    limitMs: number | undefined,
  ): Promise<FromWorker> {
    const { promise, resolve, reject } = Promise.withResolvers<FromWorker>();
    const child = this.#child;
    if (child?.connected !== true) {
      return Promise.reject(new ChartgateError('internal', `${this.name} is not running`));
    }
    const onMessage = (said: FromWorker) => {
      if (fits(said)) done(() => resolve(said));
    };
    const onExit = () => done(() => reject(new ChartgateError('internal', `${this.name} ended`)));
    const timer =
      limitMs === undefined
        ? undefined
        : setTimeout(
            () => done(() => reject(new ChartgateError('internal', `${this.name} did not answer in time`))),
            limitMs,
          );
    function done(then: () => void): void {
      clearTimeout(timer);
      child?.off('message', onMessage);
      child?.off('exit', onExit);
      then();
    }
    child.on('message', onMessage);
    child.once('exit', onExit);
    child.send(message);
    return promise;
  }
}
