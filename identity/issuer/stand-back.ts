import { readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setPriority } from 'node:os';

/** Of 20: enough that whoever serves a request goes first, and not so much that nobody can sign in on a busy host. */
const NICE = 10;
const POOL_THREAD = 'libuv-worker';
const THREADS = '/proc/self/task';

/**
 * Lets the threads that compute password hashes stand back behind all that serve requests, here and in the
 * gateway's workers: a hash takes a core for tens of milliseconds, and nobody notices a few more. Linux gives each
 * thread its own priority (setpriority(2)); elsewhere, and where it cannot be done, nothing happens.
 *
 * @returns how many threads stand back now
 */
export async function standBack(): Promise<number> {
  try {
    // Makes the pool, if nothing has used it yet.
    await stat(THREADS);
    const threads = readdirSync(THREADS).filter(
      (thread) => readFileSync(`${THREADS}/${thread}/comm`, 'utf8').trim() === POOL_THREAD,
    );
    for (const thread of threads) setPriority(Number(thread), NICE);
    return threads.length;
  } catch {
    return 0;
  }
}
