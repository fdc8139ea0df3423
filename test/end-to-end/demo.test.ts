import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const directory = join(root, '.work', 'demo-process');

/** Numbers of the processes that have the demo's folder on their command line or among their environment. */
function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        const state = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.[0];
        const where =
          readFileSync(`/proc/${name}/cmdline`, 'utf8') + readFileSync(`/proc/${name}/environ`, 'utf8');
        return state !== 'Z' && where.includes(folder);
      } catch {
        return false;
      }
    })
    .map(Number);
}

async function started(...more: string[]): Promise<{ child: ChildProcess; text: () => string }> {
  const words = [join(root, 'examples/demo/main.ts'), '--directory', directory, ...more];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  for (let waited = 0; waited < 90_000 && !text.includes('stops everything'); waited += 100) {
    if (child.exitCode !== null) throw new Error(text);
    await pause(100);
  }
  return { child, text: () => text };
}

async function allGone(withinMs: number): Promise<number[]> {
  for (let waited = 0; waited < withinMs && processesOf(directory).length > 0; waited += 100)
    await pause(100);
  return processesOf(directory);
}

// A dozen commands are run while it starts, each a process of its own.
describe('the demo', { timeout: 120_000 }, () => {
  afterEach(() => {
    for (const pid of processesOf(directory)) process.kill(pid, 'SIGKILL');
  });

  it('tells what runs and what to try, and stops everything on Ctrl-C', async () => {
    const { child, text } = await started();
    expect(text()).toMatch(/Northgate Clinic\s+https:\/\/north\.localhost:\d+/);
    expect(text()).toMatch(/TOKEN=\$\(curl/);
    expect(text()).toMatch(/uma\s+front desk\s+cat \S+uma\.password\s+npm run -s demo:code \S+uma\.totp/);
    expect(processesOf(directory).length).toBeGreaterThanOrEqual(7);
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    expect(await exited).toBe(130);
    expect(await allGone(2000)).toEqual([]);
  });

  it('leaves nothing behind when it is killed', async () => {
    const { child } = await started('--without-people');
    child.kill('SIGKILL');
    expect(await allGone(20_000)).toEqual([]);
  });

  it('does not start a second time in the same folder', async () => {
    const { child } = await started('--without-people');
    const second = spawn(process.execPath, [join(root, 'examples/demo/main.ts'), '--directory', directory], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    second.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    expect(await new Promise((resolve) => second.once('close', resolve))).toBe(1);
    expect(text).toContain('running already');
    child.kill('SIGTERM');
    expect(await allGone(20_000)).toEqual([]);
  });
});
