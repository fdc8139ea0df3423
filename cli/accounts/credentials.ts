import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';

/**
 * Reads what must not be seen: from a terminal without showing it, otherwise one line of standard input each. Never
 * from the command line, which every user of the machine can read.
 */
export class Credentials {
  readonly #terminal = process.stdin.isTTY === true;
  readonly #lines: Interface;
  readonly #waiting: ((line: string) => void)[] = [];
  readonly #read: string[] = [];
  #ended = false;

  constructor() {
    // Whatever is typed is echoed into nothing.
    const output = new Writable({ write: (_chunk, _encoding, done) => done() });
    this.#lines = createInterface({ input: process.stdin, output, terminal: this.#terminal });
    this.#lines.on('line', (line) => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#read.push(line);
      else next(line);
    });
    this.#lines.on('close', () => {
      this.#ended = true;
      for (const next of this.#waiting.splice(0)) next('');
    });
    this.#lines.on('SIGINT', () => process.exit(130));
  }

  /** The next line; empty when there is none. */
  async ask(question: string): Promise<string> {
    if (this.#terminal) process.stderr.write(question);
    const line =
      this.#read.shift() ??
      (this.#ended ? '' : await new Promise<string>((resolve) => this.#waiting.push(resolve)));
    if (this.#terminal) process.stderr.write('\n');
    return line;
  }

  close(): void {
    this.#lines.close();
    process.stdin.unref?.();
  }
}
