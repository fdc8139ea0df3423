import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { confineFlags } from '../../../cli/confine/index.ts';

const STATE = pathToFileURL(join(import.meta.dirname, '../../../identity/state/index.ts')).href;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cg-state-confined-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(sqlite: boolean | undefined, script: string): string {
  const needs = {
    read: [`${folder}/`],
    write: [`${folder}/`],
    children: false,
    ...(sqlite === undefined ? {} : { sqlite }),
  };
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [...confineFlags(needs), '--input-type=module', '--eval', script],
    { encoding: 'utf8' },
  );
  return stdout + stderr;
}

const USE = `
  const { openState } = await import(${JSON.stringify(STATE)});
  const file = process.argv[1] ?? FILE;
  const store = await openState({ kind: 'sqlite', file });
  console.log(await store.insert('session', 'a', { body: {} }), await store.healthy());
  await store.close();
`;
const use = (): string => USE.replace('FILE', JSON.stringify(join(folder, 'state.db')));

describe('under the permission model', () => {
  it('a process whose state is in a SQLite file opens it', () => {
    expect(run(true, use())).toBe('true true\n');
  });

  it.each([false, undefined])('a process that does not say so (%s) has no SQLite at all', (sqlite) => {
    expect(run(sqlite, use())).toMatch(/No such built-in module: node:sqlite/);
  });

  it('loading the store loads no driver', () => {
    const script = `
      await import(${JSON.stringify(STATE)});
      const loaded = process.moduleLoadList.filter((name) => /sqlite/.test(name));
      console.log(JSON.stringify(loaded));
    `;
    expect(run(true, script)).toBe('[]\n');
  });
});
