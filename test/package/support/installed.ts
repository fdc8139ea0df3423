import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { guard } from '../../../examples/support/guardian.ts';

export const root: string = join(import.meta.dirname, '..', '..', '..');

/** Without the project's own tools: what a person who installs the package has on the path. */
const systemPath: string = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => folder !== '' && !folder.includes('node_modules'))
  .join(delimiter);

/** Neither npm's memory of the project that this test runs in, nor what the test runner sets. */
const environment: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries({ ...process.env, PATH: systemPath }).filter(
    ([name]) =>
      !/^(?:npm_(?:package_|lifecycle_|config_local_prefix|config_prefix)|INIT_CWD|NODE_|VITEST)/.test(name),
  ),
);

function which(command: string): string | undefined {
  return systemPath
    .split(delimiter)
    .map((folder) => join(folder, command))
    .find((file) => existsSync(file));
}

/** The system's Node, whatever its version; this one where the system has none. */
export const systemNode: string = which('node') ?? process.execPath;

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], cwd: string, input = ''): Ran {
  const done = spawnSync(command, args, {
    cwd,
    env: environment,
    input,
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (done.error !== undefined) throw done.error;
  return { status: done.status, stdout: done.stdout, stderr: done.stderr };
}

function must(command: string, args: readonly string[], cwd: string): Ran {
  const done = run(command, args, cwd);
  if (done.status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed:\n${done.stdout}\n${done.stderr}`);
  return done;
}

/** The package, installed into an empty folder from its tarball, as anybody would. */
export interface Installed {
  /** Names of the files in the tarball, without the leading `package/`. */
  readonly packed: readonly string[];
  /** The folder that `npm install` was run in. Outside the project, so that nothing of it can be found from there. */
  readonly folder: string;
  /** The runtime that came with the package. */
  readonly packagedNode: string;
  /** `name@version` of everything that was installed beside the package. */
  readonly dependencies: readonly string[];
  /** Runs the command under one Node or the other, in the folder. */
  run(node: string, ...args: readonly string[]): Ran;
  /** The same, with lines for its standard input. */
  runWith(input: string, node: string, ...args: readonly string[]): Ran;
  /** Starts the command and waits for a line of its standard output. */
  start(node: string, ready: RegExp, ...args: readonly string[]): Promise<Started>;
  remove(): void;
}

export interface Started {
  readonly readyLine: string;
  readonly child: ChildProcess;
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

export function installPackage(): Installed {
  const out = join(root, '.work', 'package');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  must('npm', ['pack', '--pack-destination', out], root);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const tarball = join(out, `chartgate-${version}.tgz`);
  const packed = must('tar', ['-tzf', tarball], out)
    .stdout.split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^package\//, ''));

  const folder = mkdtempSync(join(tmpdir(), 'chartgate-package-'));
  must(
    'npm',
    [
      'install',
      '--prefix',
      folder,
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      tarball,
    ],
    folder,
  );
  const modules = join(folder, 'node_modules');
  const command = join(modules, '.bin', 'chartgate');
  return {
    packed,
    folder,
    packagedNode: join(modules, 'node', 'bin', 'node'),
    dependencies: lockedAt(join(modules, '.package-lock.json')).map(({ text }) => text),
    run: (node, ...args) => run(node, [command, ...args], folder),
    runWith: (input, node, ...args) => run(node, [command, ...args], folder, input),
    start: (node, ready, ...args) => start(node, [command, ...args], folder, ready),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

interface LockEntry {
  readonly version?: string;
  readonly dev?: boolean;
}

/** What a lock file names, `node_modules/a/node_modules/b` as `b`. */
export function lockedAt(file: string): { readonly text: string; readonly dev: boolean }[] {
  const { packages } = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockEntry> };
  return Object.entries(packages)
    .map(([place, entry]) => ({
      name: place.split('node_modules/').at(-1) ?? '',
      version: entry.version ?? '',
      dev: entry.dev === true,
    }))
    .filter(({ name }) => name !== '' && name !== 'chartgate')
    .map(({ name, version, dev }) => ({ text: `${name}@${version}`, dev }));
}

async function start(node: string, args: readonly string[], cwd: string, ready: RegExp): Promise<Started> {
  const child = spawn(node, args, { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  guard(child);
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? ''));
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let seen = '';
  const take = (text: string) => {
    seen += text;
    const line = seen.split('\n').find((each) => ready.test(each));
    if (line !== undefined) resolve(line);
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  child.once('error', reject);
  void ended.then((how) => reject(new Error(`${args.join(' ')} ended at once (${how}):\n${seen}`)));
  const timer = setTimeout(
    () => reject(new Error(`${args.join(' ')} did not become ready:\n${seen}`)),
    30_000,
  );
  try {
    return { readyLine: await promise, child, ended };
  } finally {
    clearTimeout(timer);
  }
}
