import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What one attempt came to: the error's code, or `ok`. */
export type Outcomes = Readonly<Record<string, string>>;

/** The command line of a running process: the runtime, its flags, the script and what the script was given. */
export function commandLine(pid: number): { runtime: string; flags: readonly string[]; script: string } {
  const [runtime = '', ...rest] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  const at = rest.findIndex((argument) => !argument.startsWith('-'));
  return { runtime, flags: rest.slice(0, at), script: rest[at] ?? '' };
}

/** Numeric user and group of a running process. */
export function accountOf(pid: number): { uid: number; gid: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const id = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { uid: id('Uid'), gid: id('Gid') };
}

/**
 * Starts the command line of a running process once more, same runtime, same flags, same user, with another
 * script in place of its own: what this one cannot do, that one cannot.
 * @param attempts name → JavaScript expression, evaluated in turn with `await`
 */
export function attemptAs(pid: number, attempts: Readonly<Record<string, string>>): Outcomes {
  const { runtime, flags } = commandLine(pid);
  const lines = Object.entries(attempts).map(
    ([name, code]) =>
      `try { await (async () => (${code}))(); out[${JSON.stringify(name)}] = 'ok' } catch (error) { out[${JSON.stringify(name)}] = error.code ?? error.name }`,
  );
  const program = `const out = {};\n${lines.join('\n')}\nconsole.log(JSON.stringify(out));process.exit(0)`;
  const { stdout, stderr } = spawnSync(runtime, [...flags, '--input-type=module', '-e', program], {
    encoding: 'utf8',
    cwd: '/',
    env: {},
    ...accountOf(pid),
  });
  if (stdout === '') throw new Error(`the probe said nothing: ${stderr.slice(0, 2000)}`);
  return JSON.parse(stdout) as Outcomes;
}
