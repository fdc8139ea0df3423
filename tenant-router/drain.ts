import type { PooledBackend } from './backend.ts';

/** Ends pools without cutting what they still serve, within a bound. */
export class Drain {
  /** Pools that left the table and still serve what they were given. */
  readonly #retiring = new Map<PooledBackend, AbortController>();

  /**
   * Leaves the pools open for `drainMs`, because a request that has already chosen one may not have
   * been sent yet; then cuts whatever is left. Ends early when `closeAll` takes over.
   */
  async retire(backends: readonly PooledBackend[], drainMs: number): Promise<void> {
    await Promise.all(
      backends.map(async (backend) => {
        const takenOver = new AbortController();
        this.#retiring.set(backend, takenOver);
        await pause(drainMs, takenOver.signal);
        this.#retiring.delete(backend);
        if (!takenOver.signal.aborted) await endPool(backend, drainMs);
      }),
    );
  }

  /** Closes these and the retiring ones: nothing new, up to `graceMs` for what is under way, then cut. */
  async closeAll(backends: readonly PooledBackend[], graceMs: number): Promise<void> {
    const retiring = [...this.#retiring];
    for (const [, takenOver] of retiring) takenOver.abort();
    await Promise.all(
      [...backends, ...retiring.map(([backend]) => backend)].map((backend) => endPool(backend, graceMs)),
    );
  }
}

async function endPool(backend: PooledBackend, graceMs: number): Promise<void> {
  backend.retire();
  const pool = backend.opened;
  if (pool === undefined) return;
  const done = new AbortController();
  const closing = pool.closed || pool.destroyed ? Promise.resolve() : pool.close().catch(() => undefined);
  await Promise.race([closing, pause(graceMs, done.signal)]);
  done.abort();
  if (!pool.destroyed) await pool.destroy().catch(() => undefined);
}

/** Resolves after the time, or as soon as the signal is aborted. Does not keep the process alive. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  timer.unref();
  signal.addEventListener(
    'abort',
    () => {
      clearTimeout(timer);
      resolve();
    },
    { once: true },
  );
  return promise;
}
