import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../contracts/clock.ts';
import type { StateStore } from '../../../contracts/state.ts';
import { openState } from '../../../identity/state/index.ts';
import { MIGRATIONS, type Migration } from '../../../identity/state/sqlite/schema.ts';
import { openSqlite } from '../../../identity/state/sqlite/store.ts';
import { startContenders } from './support/processes.ts';

let folder: string;
let file: string;
const opened: StateStore[] = [];

async function open(): Promise<StateStore> {
  const store = await openState({ kind: 'sqlite', file });
  opened.push(store);
  return store;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cg-state-file-'));
  file = join(folder, 'state.db');
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the file of a state store', () => {
  it('is made for its user alone, with what SQLite puts beside it', async () => {
    const mask = process.umask(0);
    try {
      await (await open()).insert('session', 'a', { body: {} });
      expect(readdirSync(folder).sort()).toEqual(['state.db', 'state.db-shm', 'state.db-wal']);
      for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    } finally {
      process.umask(mask);
    }
  });

  it.each<[string, () => void, RegExp]>([
    ['in a folder that is not there', () => rmSync(folder, { recursive: true }), /folder .*does not exist/],
    ['in a folder that its group may read', () => chmodSync(folder, 0o750), /open to other users.*0700/],
    ['in a folder where everybody may write', () => chmodSync(folder, 0o1777), /open to other users/],
    [
      'in something that is no folder',
      () => {
        rmSync(folder, { recursive: true });
        writeFileSync(folder, '');
      },
      /not a folder/,
    ],
    ['that others may read', () => writeFileSync(file, '', { mode: 0o644 }), /open to other users.*0600/],
    [
      'that is a link',
      () => {
        writeFileSync(join(folder, 'other'), '', { mode: 0o600 });
        symlinkSync(join(folder, 'other'), file);
      },
      /not a regular file/,
    ],
    ['that is a folder', () => mkdirSync(file), /not a regular file/],
    [
      'that is no SQLite file',
      () => writeFileSync(file, 'x'.repeat(4096), { mode: 0o600 }),
      /not a SQLite file/,
    ],
    [
      'of another program',
      () => {
        const db = new DatabaseSync(file);
        db.exec('CREATE TABLE theirs (a)');
        db.close();
        chmodSync(file, 0o600);
      },
      /another program/,
    ],
    [
      'of a newer Chartgate',
      () => {
        const db = new DatabaseSync(file);
        db.exec('PRAGMA application_id = 0x43677374; PRAGMA user_version = 99');
        db.close();
        chmodSync(file, 0o600);
      },
      /newer Chartgate \(schema 99/,
    ],
  ])('is refused %s, and left as it is', async (_, prepare, message) => {
    prepare();
    const before = existsSync(file) && statSync(file).isFile() ? readFileSync(file) : undefined;
    await expect(openState({ kind: 'sqlite', file })).rejects.toMatchObject({
      code: 'state-unavailable',
      message: expect.stringMatching(message),
    });
    if (before !== undefined) expect(readFileSync(file)).toEqual(before);
  });

  it.runIf(process.geteuid?.() === 0)(
    'is refused when it, or its folder, belongs to another user',
    async () => {
      writeFileSync(file, '', { mode: 0o600 });
      chownSync(file, 12_345, 12_345);
      await expect(open()).rejects.toMatchObject({
        message: expect.stringMatching(/belongs to another user \(12345/),
      });
      rmSync(file);
      chownSync(folder, 12_345, 12_345);
      await expect(open()).rejects.toMatchObject({
        message: expect.stringMatching(/folder.* another user \(12345/),
      });
    },
  );

  it('is made once by four processes that start together', async () => {
    const contenders = await startContenders({ kind: 'sqlite', file }, 4);
    const counts = await Promise.all(contenders.map((one) => one.attempt('insert', 'same')));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1);
    await Promise.all(contenders.map((one) => one.stop()));
    expect(readdirSync(folder)).toEqual(['state.db']);
  });

  it('holds every document that was confirmed before its process was killed', async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'support/durable.ts'), file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.length > 2_000) child.kill('SIGKILL');
      });
      child.once('close', () => resolve());
    });
    const confirmed = said.split('\n').slice(0, -1);
    expect(confirmed.length).toBeGreaterThan(100);
    const store = await open();
    for (const id of confirmed) expect(await store.get('used-code', id)).toBeDefined();
  });

  it('shows nothing any more of what was removed', async () => {
    const store = await open();
    const mark = 'a-secret-that-was-removed';
    await store.insert('held-form', 'a', { body: { mark }, indexes: { session: mark } });
    await store.remove('held-form', 'a');
    await store.close();
    expect(readFileSync(file).includes(mark)).toBe(false);
  });

  it('is not replaced by an empty one when it is gone, and used again when it is back', async () => {
    const store = await open();
    await store.insert('session', 'a', { body: {} });
    copyFileSync(file, join(folder, 'kept'));
    linkSync(file, join(folder, 'away'));
    rmSync(file);
    await expect(store.insert('session', 'b', { body: {} })).rejects.toMatchObject({
      code: 'state-unavailable',
    });
    expect(existsSync(file)).toBe(false);
    linkSync(join(folder, 'away'), file);
    expect(await store.insert('session', 'b', { body: {} })).toBe(true);
  });

  it('is left for another that was put in its place, at the next write at the latest', async () => {
    const store = await open();
    await store.insert('session', 'a', { body: {} });
    const theirs = { kind: 'sqlite', file: join(folder, 'other.db') } as const;
    const other = await openState(theirs);
    await other.insert('session', 'b', { body: {} });
    await other.close();
    for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`);
    linkSync(theirs.file, file);
    expect(await store.insert('session', 'c', { body: {} })).toBe(true);
    expect((await store.list('session')).map(({ id }) => id)).toEqual(['b', 'c']);
  });
});

describe('a migration', () => {
  const addition: Migration = (database) => database.exec('CREATE TABLE added (a INTEGER) STRICT');
  const copies = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.backup'));

  it('makes a copy of what was there, for its user alone, and keeps the documents', async () => {
    const before = await open();
    await before.insert('session', 'a', { body: { n: 1 }, indexes: { tenant: 't' } });
    await before.close();
    const told: string[] = [];
    const after = await openSqlite({ kind: 'sqlite', file }, systemClock, {
      migrations: [...MIGRATIONS, addition],
      copied: (path) => told.push(path),
    });
    expect((await after.find('session', 'tenant', 't')).map(({ body }) => body)).toEqual([{ n: 1 }]);
    await after.close();
    expect(copies()).toHaveLength(1);
    const copy = join(folder, copies()[0] ?? '');
    expect(told).toEqual([copy]);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    // It is one that the older program takes.
    await expect(openState({ kind: 'sqlite', file })).rejects.toMatchObject({
      message: expect.stringContaining('newer'),
    });
    rmSync(file);
    copyFileSync(copy, file);
    expect((await (await open()).get('session', 'a'))?.body).toEqual({ n: 1 });
  });

  it('is made once, with one copy, by all who start together', async () => {
    await (await open()).close();
    const migrations = [...MIGRATIONS, addition];
    const stores = await Promise.all(
      Array.from({ length: 5 }, () => openSqlite({ kind: 'sqlite', file }, systemClock, { migrations })),
    );
    expect(await Promise.all(stores.map((store) => store.healthy()))).toEqual(Array(5).fill(true));
    await Promise.all(stores.map((store) => store.close()));
    expect(copies()).toHaveLength(1);
  });

  it('that fails leaves everything as it was', async () => {
    const before = await open();
    await before.insert('session', 'a', { body: {} });
    await before.close();
    const broken: Migration = (database) => database.exec('CREATE TABLE half (a); CREATE TABLE half (a)');
    await expect(
      openSqlite({ kind: 'sqlite', file }, systemClock, { migrations: [...MIGRATIONS, addition, broken] }),
    ).rejects.toMatchObject({ code: 'state-unavailable' });
    expect(await (await open()).get('session', 'a')).toBeDefined();
    const tables = new DatabaseSync(file)
      .prepare("SELECT name FROM sqlite_schema WHERE name IN ('added', 'half')")
      .all();
    expect(tables).toEqual([]);
  });

  it('makes nothing of a new file, and needs no copy of it', async () => {
    await (
      await openSqlite({ kind: 'sqlite', file }, systemClock, { migrations: [...MIGRATIONS, addition] })
    ).close();
    expect(copies()).toEqual([]);
  });
});
