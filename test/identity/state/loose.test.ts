import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOOSE_KINDS } from '../../../contracts/state.ts';
import { openState } from '../../../identity/state/index.ts';

const STATE = pathToFileURL(join(import.meta.dirname, '../../../identity/state/index.ts')).href;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cg-state-loose-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('counts that do not wait for the disk', () => {
  it('are those of failed guesses alone', () => {
    expect([...LOOSE_KINDS]).toEqual(['attempts']);
  });

  it('survive kill -9 of the process that wrote them, as everything else does', async () => {
    const file = join(folder, 'state.db');
    const script = `
      const { openState } = await import(${JSON.stringify(STATE)});
      const store = await openState({ kind: 'sqlite', file: ${JSON.stringify(file)} });
      for (const kind of ['session', 'attempts', 'session', 'attempts'])
        for (let at = 0; at < 50; at += 1) await store.insert(kind, kind + at + Math.random(), { body: {} });
      process.kill(process.pid, 'SIGKILL');
    `;
    const { signal } = spawnSync(process.execPath, ['--input-type=module', '--eval', script]);
    expect(signal).toBe('SIGKILL');
    const store = await openState({ kind: 'sqlite', file });
    expect(await store.list('attempts')).toHaveLength(100);
    expect(await store.list('session')).toHaveLength(100);
    await store.close();
  });
});
