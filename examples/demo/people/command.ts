import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { OsAccount } from '../isolation.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `chartgate` as the OS user whose state it works on, as an administrator would. */
export type RunCommand = (words: readonly string[], input?: readonly string[]) => Promise<Ran>;

/**
 * @param root folder of the product
 * @param settings file for `--config`
 */
export function commandsOn(root: string, settings: string, account: OsAccount | undefined): RunCommand {
  const main = join(root, 'bin', 'chartgate.mjs');
  return (words, input = []) => {
    const { promise, resolve } = Promise.withResolvers<Ran>();
    const child = execFile(
      process.execPath,
      [main, ...words, '--config', settings],
      {
        ...(account ?? {}),
        cwd: '/',
        env: { PATH: process.env.PATH, HOME: '/nonexistent', NODE_NO_WARNINGS: '1' },
        timeout: 60_000,
      },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
    );
    // What must not be on a command line, a line each.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input.map((line) => `${line}\n`).join(''));
    return promise;
  };
}

/** What a command printed with `--json`. @throws Error with what it said when it did not end in order */
export async function json<T>(
  run: RunCommand,
  words: readonly string[],
  input?: readonly string[],
): Promise<T> {
  const { code, out, err } = await run([...words, '--json'], input);
  if (code !== 0)
    throw new Error(`chartgate ${words.slice(0, 2).join(' ')} ended with ${code}: ${out}${err}`);
  return JSON.parse(out) as T;
}
