import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { StateSettings } from '../../../../contracts/state.ts';

/** Another process that uses the same store. */
export interface Contender {
  /** @returns how many of 50 attempts succeeded */
  attempt(name: string, id: string): Promise<number>;
  stop(): Promise<void>;
}

/** `count` processes that open the store at the same moment. */
export async function startContenders(settings: StateSettings, count: number): Promise<readonly Contender[]> {
  const started = Array.from({ length: count }, () => start());
  await Promise.all(started.map((one) => one.open(settings)));
  return started;
}

function start(): Contender & { open(settings: StateSettings): Promise<void> } {
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, 'contender.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: Interface = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code) => reject(new Error(`the other process ended with ${code}`)));
  });
  ended.catch(() => undefined);
  // Its end is told by `ended`.
  child.stdin?.on('error', () => undefined);
  const ask = (line: string): Promise<string> => {
    child.stdin?.write(`${line}\n`);
    return Promise.race([new Promise<string>((resolve) => lines.once('line', resolve)), ended]);
  };
  return {
    async open(settings) {
      const plain =
        settings.kind === 'mysql'
          ? { ...settings, password: settings.password.reveal().toString() }
          : settings;
      await ask(`open ${JSON.stringify(plain)}`);
    },
    attempt: async (name, id) => Number(await ask(`attempt ${name} ${id}`)),
    async stop() {
      child.stdin?.end();
      await ended.catch(() => undefined);
    },
  };
}
