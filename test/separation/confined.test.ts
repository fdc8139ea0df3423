import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { give } from '../../examples/demo/isolation.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { until } from '../support/process.ts';
import { stackFor } from '../support/stack.ts';
import { attemptAs, commandLine } from './support/probe.ts';

/** What gateway and checker may do at most, as Node's permission model holds them to it. */

let stack: Stack;
/** Every OS user may read and write what is in it, so that a refusal is the permission model's. */
let open: string;

beforeAll(async () => {
  open = mkdtempSync(join(tmpdir(), 'cg-open-'));
  chmodSync(open, 0o777);
  writeFileSync(join(open, 'anything'), 'text');
  chmodSync(join(open, 'anything'), 0o666);
  stack = await stackFor('confined');
});
afterAll(async () => {
  await stack?.stop();
  rmSync(open, { recursive: true, force: true });
});

const fs = (call: string): string => `(await import('node:fs')).${call}`;
const DENIED = 'ERR_ACCESS_DENIED';

/** Refused to every process, whatever its settings. @param free a folder that the OS leaves open to everybody */
const never = (free: string): Readonly<Record<string, readonly [attempt: string, refusal: string]>> => ({
  'read a file that everybody may read': [fs(`readFileSync('/etc/passwd')`), DENIED],
  'read its own environment': [fs(`readFileSync('/proc/self/environ')`), DENIED],
  'read what another process is': [fs(`readFileSync('/proc/1/status')`), DENIED],
  'list the root folder': [fs(`readdirSync('/')`), DENIED],
  'climb out of a folder it may read': [fs(`readFileSync('${free}/../../etc/passwd')`), DENIED],
  'write where everybody may write': [fs(`writeFileSync('${free}/new', '')`), DENIED],
  'append to a file that everybody may write': [fs(`appendFileSync('${free}/anything', 'x')`), DENIED],
  'delete a file that everybody may delete': [fs(`rmSync('${free}/anything')`), DENIED],
  'change a mode elsewhere': [fs(`chmodSync('${free}/anything', 0o777)`), DENIED],
  'plant a symbolic link': [fs(`symlinkSync('/etc/passwd', '${free}/link')`), DENIED],
  'load an environment file': [`process.loadEnvFile('/etc/environment')`, DENIED],
  'write a diagnostic report': [`process.report.writeReport('${free}/report.json')`, DENIED],
  'write a heap snapshot, secrets and all': [
    `(await import('node:v8')).writeHeapSnapshot('${free}/heap')`,
    DENIED,
  ],
  'open a database file': [`import('node:sqlite')`, 'ERR_UNKNOWN_BUILTIN_MODULE'],
  'call a foreign function': [`import('node:ffi')`, 'ERR_UNKNOWN_BUILTIN_MODULE'],
  'run WASI': [`new (await import('node:wasi')).WASI({ version: 'preview1' })`, DENIED],
  'start a thread': [`new (await import('node:worker_threads')).Worker('1', { eval: true })`, DENIED],
  'open the inspector': [`(await import('node:inspector')).open(0)`, DENIED],
  'reach the internals': [`process.binding('fs')`, DENIED],
});

/** The gateway's engine against injection is an addon; which files may be executed is the unit's matter there. */
const ADDON: ReturnType<typeof never> = {
  'load an addon': [`process.dlopen({ exports: {} }, '/lib/x.node')`, 'ERR_DLOPEN_DISABLED'],
};

/** Refused to whatever handles requests of clients or of the gateway. */
const START: Readonly<Record<string, readonly [attempt: string, refusal: string]>> = {
  'spawn a program': [`(await import('node:child_process')).spawnSync('/bin/true').error ?? 0`, DENIED],
  'run a shell': [`(await import('node:child_process')).execSync('true')`, DENIED],
  'fork itself': [`(await import('node:child_process')).fork('/dev/null')`, DENIED],
  'fork through cluster': [
    `((cluster) => { cluster.setupPrimary({ exec: '/dev/null' }); cluster.fork() })((await import('node:cluster')).default)`,
    DENIED,
  ],
  'become another program': [`process.execve('/bin/true', ['true'], {})`, DENIED],
};

function refusals(pid: number, table: ReturnType<typeof never>): [found: object, wanted: object] {
  const attempts = Object.fromEntries(Object.entries(table).map(([name, [attempt]]) => [name, attempt]));
  const wanted = Object.fromEntries(Object.entries(table).map(([name, [, refusal]]) => [name, refusal]));
  return [attemptAs(pid, attempts), wanted];
}

const worker = (): number => stack.gatewayPids()[0] ?? 0;

describe('a gateway worker', () => {
  it('can start nothing, read nothing and write nothing but its own', () => {
    const [found, wanted] = refusals(worker(), { ...never(open), ...START });
    expect(found).toEqual(wanted);
  });

  it("is refused the checker's files by its own runtime, before the operating system is asked", () => {
    const files = ['checker.yaml', 'attestation.secret', 'north.password', 'north.baseline.json'];
    const attempts = Object.fromEntries(
      files.map((name) => [name, fs(`readFileSync(${JSON.stringify(join(stack.layout.checker, name))})`)]),
    );
    expect(attemptAs(worker(), attempts)).toEqual(Object.fromEntries(files.map((name) => [name, DENIED])));
  });

  it('reads its settings, writes its log and connects', () => {
    const { gateway, activity } = stack.layout;
    const target = join(activity, 'probe');
    const found = attemptAs(worker(), {
      read: fs(`readFileSync(${JSON.stringify(join(gateway, 'gateway.yaml'))})`),
      write: fs(`writeFileSync(${JSON.stringify(target)}, '')`),
      remove: fs(`rmSync(${JSON.stringify(target)})`),
      'write its settings': fs(`writeFileSync(${JSON.stringify(join(gateway, 'gateway.yaml'))}, '')`),
      connect: `new Promise((resolve, reject) => { import('node:net').then(({ connect }) => connect(${JSON.stringify(stack.layout.socket)}).on('connect', resolve).on('error', reject)) })`,
    });
    expect(found).toEqual({
      read: 'ok',
      write: 'ok',
      remove: 'ok',
      'write its settings': DENIED,
      connect: 'ok',
    });
  });
});

describe('the supervisor', () => {
  it('may start its workers, and is held to the same files as they are', () => {
    const [found, wanted] = refusals(stack.gateway.pid, never(open));
    expect(found).toEqual(wanted);
    expect(commandLine(stack.gateway.pid).flags).toContain('--allow-child-process');
    for (const pid of stack.gatewayPids())
      expect(commandLine(pid).flags).not.toContain('--allow-child-process');
  });

  it('is the process that was started, so that a service manager sees no other', () => {
    // The stack started `bin/chartgate.mjs start`; nothing was forked in between.
    expect(commandLine(stack.gateway.pid).flags).toContain('--permission');
    expect(commandLine(stack.gateway.pid).script).toMatch(/chartgate\.mjs$/);
  });
});

describe('the checker', () => {
  it('can start nothing, read nothing and write nothing but its own', () => {
    const [found, wanted] = refusals(stack.checker.pid, { ...never(open), ...ADDON, ...START });
    expect(found).toEqual(wanted);
  });

  it('may write its socket alone, not even its own folder', () => {
    const { checker, run, gateway, activity } = stack.layout;
    const write = (path: string): string => fs(`writeFileSync(${JSON.stringify(path)}, '')`);
    expect(
      attemptAs(stack.checker.pid, {
        settings: write(join(checker, 'checker.yaml')),
        baseline: write(join(checker, 'north.baseline.json')),
        beside: write(join(run, 'other')),
        log: write(join(activity, 'x')),
        key: fs(`readFileSync(${JSON.stringify(join(gateway, 'certificate.key'))})`),
        mode: fs(`chmodSync(${JSON.stringify(stack.layout.socket)}, 0o660)`),
        baselineRead: fs(`readFileSync(${JSON.stringify(join(checker, 'north.baseline.json'))})`),
      }),
    ).toEqual({
      settings: DENIED,
      baseline: DENIED,
      beside: DENIED,
      log: DENIED,
      key: DENIED,
      mode: 'ok',
      baselineRead: 'ok',
    });
  });
});

describe('a reload', () => {
  const logText = (): string => readFileSync(join(stack.layout.logs, 'gateway.log'), 'utf8');
  const count = (event: string): number => logText().split(`"event":"${event}"`).length - 1;

  async function reload(event: 'reloaded' | 'reload-refused'): Promise<void> {
    const before = count(event);
    stack.gateway.signal('SIGHUP');
    await until(event, () => count(event) > before, 20_000);
  }

  it('takes a new file beside the settings, and says "restart needed" of one elsewhere', async () => {
    const settings = join(stack.layout.gateway, 'gateway.yaml');
    const original = readFileSync(settings, 'utf8');
    const use = (certificate: string): void => {
      writeFileSync(
        settings,
        original.replace('certificate: certificate.pem', `certificate: ${certificate}`),
      );
    };
    const certificate = join(stack.layout.gateway, 'certificate.pem');
    const elsewhere = join(open, 'certificate.pem');
    copyFileSync(certificate, elsewhere);
    chmodSync(elsewhere, 0o644);
    use(elsewhere);
    await reload('reload-refused');
    expect(logText()).toMatch(/listen\.certificate: restart needed/);

    const beside = join(stack.layout.gateway, 'renewed.pem');
    copyFileSync(certificate, beside);
    give(beside, stack.isolation.gateway);
    use('renewed.pem');
    await reload('reloaded');
  });
});
