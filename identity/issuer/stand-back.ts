import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { availableParallelism, setPriority } from 'node:os';

/** Of 19: whoever serves a request goes first, and people can still sign in while others keep every core busy. */
const AMONG_OTHERS = 10;
/**
 * The most there is. The scheduler goes by shares, so a thread that wakes beside a hash with a hundredth of its
 * share waits for the core a hundredth as often. For a process whose share no other process can take.
 */
const OF_ITS_OWN = 19;
/** Of 19, for the process as a whole against other services: a third of their share where all want the same core. */
const AS_A_SERVICE = 5;
const POOL_THREAD = 'libuv-worker';
const THREADS = '/proc/self/task';
const SELF = '/proc/self/stat';
const GROUP = '/proc/self/autogroup';

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
    const service = leadsSession();
    const nice = service && availableParallelism() > 1 ? OF_ITS_OWN : AMONG_OTHERS;
    for (const thread of threads) setPriority(Number(thread), nice);
    if (service) groupStandsBack();
    return threads.length;
  } catch {
    return 0;
  }
}

/**
 * What leads a session, as services and the first process of a container do, is scheduled as a group of its own
 * (sched(7), cgroups(7)), in which a nice value compares its own threads alone. With a second core, the one
 * thread that answers cannot keep the hashes from all there is.
 */
function leadsSession(): boolean {
  // proc(5): after the name in brackets come state, parent, process group, session.
  const after = readFileSync(SELF, 'utf8').split(') ').at(-1) ?? '';
  return Number(after.split(' ')[3]) === process.pid;
}

/** Where a service manager gives shares itself, this means nothing: `CPUWeight=` of the unit says the same. */
function groupStandsBack(): void {
  try {
    writeFileSync(GROUP, `${AS_A_SERVICE}`);
  } catch {
    // A kernel without such groups.
  }
}
