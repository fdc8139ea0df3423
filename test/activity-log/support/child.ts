import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A child process whose standard output is read by the line. Killed when the test's scope ends. */
export class Child {
  readonly process: ChildProcess;
  readonly lines: string[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.process = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    if (this.process.stdout === null) throw new Error('no pipe');
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      this.lines.push(line);
      for (const check of this.#waiting) check();
    });
  }

  /** Resolves when a line at or after `from` satisfies `test`; returns the index after it. */
  async until(test: (line: string) => boolean, from = 0): Promise<number> {
    for (;;) {
      const index = this.lines.findIndex((line, at) => at >= from && test(line));
      if (index !== -1) return index + 1;
      await new Promise<void>((resolve) => {
        const check = (): void => {
          this.#waiting.delete(check);
          resolve();
        };
        this.#waiting.add(check);
      });
    }
  }

  /** Ends it without warning. Resolves when its output was read to the end. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const closed = once(this.process, 'close');
    this.process.kill('SIGKILL');
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

export const APPENDER = join(import.meta.dirname, 'appender.ts');
