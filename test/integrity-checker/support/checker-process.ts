import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CheckedDatabase } from '../../../contracts/settings.ts';
import { guard } from '../../../examples/support/guardian.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** Writes what `chartgate checker` reads. @returns the configuration file's path */
export async function writeConfiguration(
  folder: string,
  socket: string,
  secret: string,
  databases: readonly CheckedDatabase[],
  seal?: { readonly privatePem: Buffer; readonly directory: string },
): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const secretFile = async (name: string, content: string | Buffer): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, content, { mode: 0o600 });
    await chmod(file, 0o600);
    return file;
  };
  const lines = [
    `socket: ${socket}`,
    `secret: { file: ${await secretFile('secret', secret)} }`,
    ...(seal === undefined
      ? ['auditRowsMayBeChangedUnnoticed: true']
      : [
          'seal:',
          `  key: ${await secretFile('seal.pem', seal.privatePem)}`,
          `  directory: ${seal.directory}`,
        ]),
    'databases:',
  ];
  for (const database of databases) {
    const keys = database.baselineTrust.keys.map((_, index) =>
      join(folder, `${database.id}.${index}.pub.pem`),
    );
    await Promise.all(keys.map((key, index) => writeFile(key, database.baselineTrust.keys[index] ?? '')));
    lines.push(
      `  - id: ${database.id}`,
      `    host: ${database.host}`,
      `    port: ${database.port}`,
      `    user: ${database.user}`,
      `    password: { file: ${await secretFile(`${database.id}.password`, database.password.reveal())} }`,
      `    emrSchema: ${database.emrSchema}`,
      `    auditSchema: ${database.auditSchema}`,
      `    baseline: ${database.baseline}`,
      `    baselineKeys: [${keys.join(', ')}]`,
    );
  }
  const file = join(folder, 'checker.yaml');
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return file;
}

export interface CheckerProcess {
  readonly child: ChildProcess;
  /** The first line it printed. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** What it logged so far. */
  readonly log: Readonly<Record<string, unknown>>[];
  /** Sends the signal and waits for the end. @returns exit code or signal */
  end(signal: NodeJS.Signals): Promise<number | string | null>;
}

/** Starts `chartgate checker` as its own process, as an operator would. */
export async function startCheckerProcess(configuration: string): Promise<CheckerProcess> {
  const child = spawn(
    process.execPath,
    [join(ROOT, 'cli', 'main.ts'), 'checker', '--config', configuration],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  guard(child);
  const log: Record<string, unknown>[] = [];
  const exited = new Promise<number | string | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal));
  });
  const complaints: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    complaints.push(line);
    if (line.startsWith('{')) log.push(JSON.parse(line) as Record<string, unknown>);
  });
  const first = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    void exited.then((code) =>
      reject(new Error(`the checker ended with ${code}:\n${complaints.join('\n')}`)),
    );
  });
  return {
    child,
    ready: JSON.parse(first) as Record<string, unknown>,
    log,
    end: (signal) => {
      child.kill(signal);
      return exited;
    },
  };
}
