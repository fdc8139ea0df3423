import { chmodSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { openState } from '../../../identity/state/index.ts';
import { contendedContract } from './contended.ts';
import { stateContract } from './contract.ts';
import { lossContract } from './loss.ts';
import { modelContract } from './model.ts';
import type { Subject } from './support/subject.ts';

describe('the state store in a SQLite file', () => {
  let subject: Subject;
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cg-state-'));
    const file = join(folder, 'state.db');
    const settings = { kind: 'sqlite', file } as const;
    subject = {
      settings,
      open: (clock) => openState(settings, clock),
      async lose() {
        for (const end of ['', '-wal', '-shm']) renameSync(`${file}${end}`, `${file}${end}.away`);
      },
      async regain() {
        for (const end of ['', '-wal', '-shm']) renameSync(`${file}${end}.away`, `${file}${end}`);
      },
    };
    chmodSync(folder, 0o700);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  stateContract(() => subject);
  contendedContract(() => subject);
  modelContract(() => subject, 100);
  lossContract(() => subject);
});
