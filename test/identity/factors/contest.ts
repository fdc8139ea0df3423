import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contest } from './contender.ts';

const CONTENDER = join(import.meta.dirname, 'contender.ts');

/** Runs processes that guess at the same moment. Returns what became of every guess. */
export async function contest(folder: string, contests: readonly Contest[]): Promise<readonly string[]> {
  const processes = contests.map((one, index) => {
    const file = join(folder, `contest-${index}.json`);
    writeFileSync(file, JSON.stringify(one), { mode: 0o600 });
    // Not the options of the test runner: they are for its own workers.
    return fork(CONTENDER, [file], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  });
  const message = (child: (typeof processes)[number]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code) => reject(new Error(`a contender ended with ${code}`)));
    });
  try {
    await Promise.all(processes.map(message));
    const answers = processes.map(message);
    for (const child of processes) child.send('go');
    return ((await Promise.all(answers)) as string[][]).flat();
  } finally {
    for (const child of processes) if (child.exitCode === null && child.connected) child.kill();
  }
}

export function tally(answers: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}
