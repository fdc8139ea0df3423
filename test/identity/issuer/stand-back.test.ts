import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

  it('do so under the permission model of the issuer, which may read the list of its own threads', () => {
    const flags = confineFlags({ read: ['/proc/self/task/'], write: [], children: false });
    const script = `const { standBack } = await import(${JSON.stringify(MODULE)}); console.log(await standBack());`;
    const { stdout } = spawnSync(process.execPath, [...flags, '--input-type=module', '--eval', script], {
      encoding: 'utf8',
    });
    expect(Number(stdout)).toBeGreaterThan(0);
  });
});
