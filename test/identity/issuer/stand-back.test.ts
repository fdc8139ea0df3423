import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { confineFlags } from '../../../cli/confine/index.ts';
import { standBack } from '../../../identity/issuer/stand-back.ts';

const MODULE = pathToFileURL(join(import.meta.dirname, '../../../identity/issuer/stand-back.ts')).href;

/** Nice values by name of thread (proc(5): the 17th after the name in brackets). */
function niceValues(): readonly { readonly name: string; readonly nice: number }[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const line = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    const after = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return { name: line.slice(line.indexOf('(') + 1, line.lastIndexOf(')')), nice: Number(after[16]) };
  });
}

describe.runIf(process.platform === 'linux')('threads that compute password hashes', () => {
  it('stand back behind those that serve requests, and only they do', async () => {
    const before = niceValues().filter(({ name }) => name !== 'libuv-worker');
    expect(await standBack()).toBeGreaterThan(0);
    const pool = niceValues().filter(({ name }) => name === 'libuv-worker');
    expect(pool.length).toBeGreaterThan(0);
    for (const { nice } of pool) expect(nice).toBe(10);
    expect(niceValues().filter(({ name }) => name !== 'libuv-worker')).toEqual(
      expect.arrayContaining(before),
    );
  });

  const flags = confineFlags({
    read: ['/proc/self/task/', '/proc/self/stat'],
    write: ['/proc/self/autogroup'],
    children: false,
  });
  const script = `
    const { standBack } = await import(${JSON.stringify(MODULE)});
    const { readdirSync, readFileSync } = await import('node:fs');
    const { getPriority } = await import('node:os');
    const count = await standBack();
    const nice = readdirSync('/proc/self/task')
      .filter((thread) => readFileSync('/proc/self/task/' + thread + '/comm', 'utf8').trim() === 'libuv-worker')
      .map((thread) => getPriority(Number(thread)));
    console.log(JSON.stringify({ count, nice }));
    // Until it was looked at from outside.
    process.stdin.resume();`;
  const started = async (detached: boolean) => {
    const child = spawn(process.execPath, [...flags, '--input-type=module', '--eval', script], {
      detached,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [said] = (await once(createInterface(child.stdout), 'line')) as [string];
    const group = existsSync('/proc/self/autogroup')
      ? readFileSync(`/proc/${child.pid}/autogroup`, 'utf8').trim()
      : undefined;
    child.stdin.end();
    await once(child, 'close');
    return { ...(JSON.parse(said) as { count: number; nice: number[] }), group };
  };

  it('do so under the permission model of the issuer, which may read the list of its own threads', async () => {
    const { count, nice, group } = await started(false);
    expect(count).toBeGreaterThan(0);
    expect(nice).toEqual(Array.from({ length: count }, () => 10));
    // Its session is others' too.
    if (group !== undefined) expect(group).toBe(readFileSync('/proc/self/autogroup', 'utf8').trim());
  });

  it.runIf(availableParallelism() > 1)(
    'stand back as far as can be where the process is a service, whose share of the cores is its own',
    async () => {
      const { count, nice, group } = await started(true);
      expect(count).toBeGreaterThan(0);
      expect(nice).toEqual(Array.from({ length: count }, () => 19));
      if (group !== undefined) expect(group).toMatch(/ nice 5$/);
    },
  );
});
