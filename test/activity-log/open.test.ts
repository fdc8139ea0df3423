import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openActivityLog, verifyActivityLog } from '../../activity-log/index.ts';
import { entriesOf, linesOf, NAME, pathOf, workFolder } from './support/directory.ts';
import { intent, requestId } from './support/entries.ts';

/** Writes `count` records, two a file when `maxFileBytes` is 1000, and closes. */
async function write(directory: string, count: number, maxFileBytes = 1_000_000): Promise<void> {
  const log = await openActivityLog({ directory, name: NAME, maxFileBytes });
  for (let number = 0; number < count; number += 1) await log.append(intent(requestId(number)));
  await log.close();
}

it('goes on where the last process stopped', async () => {
  using folder = workFolder();
  await write(folder.path, 3);
  await write(folder.path, 2);
  expect(await verifyActivityLog(folder.path)).toMatchObject({ intact: true, records: 6 });
  expect(readdirSync(folder.path)).toEqual(['worker-1.00000001.jsonl']);
});

it('starts a new file when one is full, each naming its place in the chain', async () => {
  using folder = workFolder();
  await write(folder.path, 10, 1000);
  await write(folder.path, 3, 1000);
  const report = await verifyActivityLog(folder.path);
  expect(report).toMatchObject({ intact: true, faults: [], warnings: [] });
  const names = readdirSync(folder.path);
  expect(names.length).toBeGreaterThan(4);
  expect(names).toEqual(names.map((_, index) => `worker-1.${String(index + 1).padStart(8, '0')}.jsonl`));
  const headers = entriesOf(folder.path).filter(({ kind }) => kind === 'chain');
  expect(headers.map(({ event, file }) => [event, file])).toEqual(
    names.map((_, index) => [index === 0 ? 'begin' : 'continue', index + 1]),
  );
  expect(new Set(headers.map(({ id }) => id)).size).toBe(1);
});

const TORN: readonly [string, (directory: string) => void, number][] = [
  ['half a record', (d) => appendFileSync(pathOf(d), '{"seq":5,"time":"2026-'), 22],
  ['a whole record but for its newline', (d) => truncateSync(pathOf(d), statSync(pathOf(d)).size - 1), -1],
  [
    'zero bytes, as a file system leaves after a power cut',
    (d) => appendFileSync(pathOf(d), Buffer.alloc(512)),
    512,
  ],
];

it.each(TORN)('cuts off an unfinished last line and records that: %s', async (_why, tear, bytes) => {
  using folder = workFolder();
  await write(folder.path, 3);
  tear(folder.path);
  await write(folder.path, 1);
  const entries = entriesOf(folder.path);
  expect(entries.filter(({ event }) => event === 'recovered')).toEqual([
    {
      kind: 'chain',
      event: 'recovered',
      cause: 'torn-tail',
      cutBytes: bytes === -1 ? expect.any(Number) : bytes,
      cutDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
  ]);
  expect((await verifyActivityLog(folder.path)).intact).toBe(true);
});

it('goes on when the process ended between making a file and writing its first record', async () => {
  using folder = workFolder();
  await write(folder.path, 4, 1000);
  const files = readdirSync(folder.path).length;
  for (const content of ['', '{"seq":']) {
    const next = pathOf(folder.path, files + 1);
    rmSync(next, { force: true });
    writeFileSync(next, content, { mode: 0o600 });
    await write(folder.path, 1);
    expect(await verifyActivityLog(folder.path)).toMatchObject({ intact: true, warnings: [] });
  }
  expect(linesOf(folder.path, files + 1)[0]).toContain('"event":"continue"');
});

it('begins anew in an empty first file', async () => {
  using folder = workFolder();
  writeFileSync(pathOf(folder.path), '', { mode: 0o600 });
  await write(folder.path, 1);
  expect(await verifyActivityLog(folder.path)).toMatchObject({ intact: true, records: 2 });
});

it('goes on when older files were archived', async () => {
  using folder = workFolder();
  await write(folder.path, 8, 1000);
  const newest = readdirSync(folder.path).length;
  for (let file = 1; file < newest; file += 1) rmSync(pathOf(folder.path, file));
  await write(folder.path, 2);
  const report = await verifyActivityLog(folder.path);
  expect(report.faults).toEqual([expect.objectContaining({ code: 'file-missing', line: 0 })]);
});

const BROKEN: readonly [string, (directory: string, newest: number) => void][] = [
  ['a byte of the newest file was edited', (d, n) => edit(pathOf(d, n), 'user-17', 'user-18')],
  ['a line of the newest file was deleted', (d, n) => dropLine(pathOf(d, n), 1)],
  ['the file before the newest was cut', (d, n) => truncateSync(pathOf(d, n - 1), 300)],
  ['the last record before the newest file was edited', (d, n) => editLast(pathOf(d, n - 1))],
  ['a file in the middle is missing', (d) => rmSync(pathOf(d, 2))],
  ['the newest file is another one under its name', (d, n) => renameSync(pathOf(d, 2), pathOf(d, n))],
  ['the newest file is an endless line', (d, n) => writeFileSync(pathOf(d, n), 'x'.repeat(200_000))],
  [
    'only an unfinished newest file is left',
    (d, n) => {
      for (let file = 1; file < n; file += 1) rmSync(pathOf(d, file));
      writeFileSync(pathOf(d, n), '{"seq":');
    },
  ],
];

function edit(path: string, from: string, to: string): void {
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}

function editLast(path: string): void {
  const text = readFileSync(path, 'utf8');
  const at = text.lastIndexOf('user-17');
  writeFileSync(path, `${text.slice(0, at)}user-18${text.slice(at + 7)}`);
}

function dropLine(path: string, index: number): void {
  writeFileSync(path, readFileSync(path, 'utf8').split('\n').toSpliced(index, 1).join('\n'));
}

it.each(BROKEN)('refuses a broken chain and changes nothing: %s', async (_why, tamper) => {
  using folder = workFolder();
  await write(folder.path, 12, 1500);
  expect(linesOf(folder.path, readdirSync(folder.path).length).length).toBeGreaterThan(3);
  const newest = readdirSync(folder.path).length;
  expect(newest).toBeGreaterThan(3);
  tamper(folder.path, newest);
  const before = readdirSync(folder.path).map((name) => readFileSync(join(folder.path, name), 'utf8'));
  await expect(openActivityLog({ directory: folder.path, name: NAME })).rejects.toMatchObject({
    code: 'activity-log-broken',
  });
  expect(readdirSync(folder.path).map((name) => readFileSync(join(folder.path, name), 'utf8'))).toEqual(
    before,
  );
});

const UNUSABLE: readonly [string, (path: string) => string][] = [
  [
    'others may write to the folder',
    (path) => {
      mkdirSync(join(path, 'open'));
      chmodSync(join(path, 'open'), 0o770);
      return join(path, 'open');
    },
  ],
  [
    'a file stands where the folder belongs',
    (path) => {
      writeFileSync(join(path, 'file'), '');
      return join(path, 'file');
    },
  ],
  [
    'the newest file is a link',
    (path) => {
      writeFileSync(join(path, 'elsewhere'), '');
      symlinkSync(join(path, 'elsewhere'), pathOf(path));
      return path;
    },
  ],
  ['the path is too long for a claim', (path) => join(path, 'x'.repeat(120))],
];

it.each(UNUSABLE)('refuses a place that cannot hold the log: %s', async (_why, prepare) => {
  using folder = workFolder();
  const directory = prepare(folder.path);
  await expect(openActivityLog({ directory, name: NAME })).rejects.toMatchObject({
    code: 'activity-log-unavailable',
  });
});

it.each(['', 'Worker', '../x', 'a.b', 'x'.repeat(64)])('refuses the name %j', async (name) => {
  using folder = workFolder();
  await expect(openActivityLog({ directory: folder.path, name })).rejects.toMatchObject({ code: 'internal' });
});
