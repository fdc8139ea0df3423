import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** `SIGSTOP`, and waits until every thread of the process stands still: until then it may still answer. */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  const stopped = (): boolean =>
    readdirSync(`/proc/${pid}/task`).every((thread) => {
      const status = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
      return status.slice(status.lastIndexOf(')') + 2).startsWith('T');
    });
  for (let waited = 0; waited < 2000 && !stopped(); waited += 5) await pause(5);
}

export function thaw(pid: number): void {
  process.kill(pid, 'SIGCONT');
}
