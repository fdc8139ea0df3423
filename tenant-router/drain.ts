import type { Pool } from 'undici';

/** Ends pools without cutting what they still serve, within a bound. */
export class Drain {
  /** Pools that left the table and still serve what they were given. */
  readonly #retiring = new Map<Pool, AbortController>();

  /**
   * Leaves the pools open for `drainMs`, because a request that has already chosen one may not have
   * been sent yet; then cuts whatever is left. Ends early when `closeAll` takes over.
   */
  async retire(pools: readonly Pool[], drainMs: number): Promise<void> {
    await Promise.all(
      pools.map(async (pool) => {
        const takenOver = new AbortController();
        this.#retiring.set(pool, takenOver);
        await pause(drainMs, takenOver.signal);
        this.#retiring.delete(pool);
        if (!takenOver.signal.aborted) await endPool(pool, drainMs);
      }),
    );
  }

  /** Closes these pools and the retiring ones: nothing new, up to `graceMs` for what is under way, then cut. */
  async closeAll(pools: readonly Pool[], graceMs: number): Promise<void> {
    const retiring = [...this.#retiring];
    for (const [, takenOver] of retiring) takenOver.abort();
    await Promise.all([...pools, ...retiring.map(([pool]) => pool)].map((pool) => endPool(pool, graceMs)));
  }
}

async function endPool(pool: Pool, graceMs: number): Promise<void> {
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
