import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';

const main = join(import.meta.dirname, '../../../cli/main.ts');

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real command as a process of its own, against a real server. */
export interface Cli {
  /** Where this suite may write. */
  readonly folder: string;
  /** `chartgate audit-sql COMMAND`, with the administrator's connection and the schema `emr` unless told. */
  run(command: string, ...more: readonly string[]): Promise<Ran>;
  /** The same without any option of its own. */
  raw(...arguments_: readonly string[]): Promise<Ran>;
  /** A file that only its owner may read. */
  secret(name: string, text: string): string;
}

export function runMain(arguments_: readonly string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...arguments_], { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text;
    });
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, ...output }));
  });
}

export function commandLine(server: PrivateDatabase, schema = 'emr'): Cli {
  const folder = join(server.directory, 'files');
  mkdirSync(folder, { recursive: true });
  const secret = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, `${text}\n`, { mode: 0o600 });
    chmodSync(file, 0o600);
    return file;
  };
  const password = secret('admin', server.administrator.password);
  return {
    folder,
    secret,
    raw: (...arguments_) => runMain(['audit-sql', ...arguments_]),
    run: (command, ...more) =>
      runMain([
        'audit-sql',
        command,
        ...['--schema', schema, '--socket', server.socket, '--user', 'root', '--password-file', password],
        ...more,
      ]),
  };
}
