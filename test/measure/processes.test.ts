import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../../examples/support/ports.ts';
import { launch, runToEnd } from '../../measure/processes.ts';

const root = join(import.meta.dirname, '..', '..');
const directory = join(root, '.work', 'measure-test-processes');
mkdirSync(directory, { recursive: true });

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a program that ends at once is an error that shows what it said', async () => {
  const starting = launch({
    name: 'the broken one',
    command: 'sh',
    args: ['-c', 'echo no such configuration >&2; exit 3'],
    core: undefined,
    log: join(directory, 'broken.log'),
    port: await freePort(),
  });
  await expect(starting).rejects.toThrow(/the broken one did not start:\nno such configuration/);
});

test('a program that does not exist is an error, not a hang', async () => {
  await expect(runToEnd('/no/such/program', [], undefined, 5_000)).rejects.toThrow('ENOENT');
});

test('a run that fails is an error that shows what it said', async () => {
  await expect(runToEnd('sh', ['-c', 'echo bad url; exit 1'], undefined, 5_000)).rejects.toThrow('bad url');
});

test('a run that outlives its bound is ended', async () => {
  await expect(runToEnd('sleep', ['30'], undefined, 200)).rejects.toThrow('SIGKILL');
});

test.each(['SIGKILL', 'SIGINT'] as const)(
  'what was started ends when the measurement gets %s',
  async (signal) => {
    const port = await freePort();
    const script = `
    import { launch } from ${JSON.stringify(join(root, 'measure', 'processes.ts'))};
    const running = await launch({
      name: 'server', command: process.execPath, core: undefined, port: ${port},
      args: ['-e', 'require("net").createServer().listen(${port}, "127.0.0.1")'],
      log: ${JSON.stringify(join(directory, `server-${signal}.log`))},
    });
    console.log(running.pid);
    setInterval(() => {}, 1000);
  `;
    const measuring = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(measuring.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    measuring.kill(signal);
    const deadline = performance.now() + 15_000;
    while (isAlive(pid) && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isAlive(pid)).toBe(false);
  },
);
