import {
  appendFileSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openActivityLog, verifyActivityLog } from '../../activity-log/index.ts';
import { linesOf, NAME, pathOf, workFolder } from './support/directory.ts';
import { intent, requestId } from './support/entries.ts';

/** One chain of five files, made once; each test tampers with a copy of it. */
const original = workFolder();
let heads: { readonly seq: number; readonly hash: string };
const FILES = 5;

beforeAll(async () => {
  const log = await openActivityLog({ directory: original.path, name: NAME, maxFileBytes: 4000 });
  for (let number = 0; number < 35; number += 1) await log.append(intent(requestId(number)));
  heads = log.head;
  await log.close();
  expect(readdirSync(original.path)).toHaveLength(FILES);
});
afterAll(() => original[Symbol.dispose]());

function copy(to: string): void {
  for (const name of readdirSync(original.path)) copyFileSync(join(original.path, name), join(to, name));
}

function change(directory: string, file: number, edit: (lines: string[]) => string[]): void {
  writeFileSync(pathOf(directory, file), edit(linesOf(directory, file)).join('\n'));
}

function at(lines: readonly string[], index: number): string {
  const line = lines[index];
  if (line === undefined) throw new Error('no such line');
  return line;
}

function seqOf(line: string): number {
  return (JSON.parse(line) as { seq: number }).seq;
}

it('finds nothing in an untouched chain and tells its head', async () => {
  const report = await verifyActivityLog(original.path);
  expect(report).toMatchObject({ intact: true, faults: [], warnings: [], records: heads.seq });
  expect(report.chains).toEqual([
    { chain: NAME, files: FILES, records: heads.seq, head: { ...heads, time: expect.any(String) } },
  ]);
});

interface Tamper {
  readonly what: string;
  readonly do: (directory: string) => void;
  /** The first fault. */
  readonly code: string;
  readonly file: number;
  readonly line: number;
}

const TAMPERS: readonly Tamper[] = [
  {
    what: 'an edited byte of an entry',
    do: (d) => change(d, 2, (l) => l.with(4, at(l, 4).replace('user-17', 'user-18'))),
    code: 'hash-mismatch',
    file: 2,
    line: 5,
  },
  {
    what: 'an edited number',
    do: (d) => change(d, 2, (l) => l.with(4, at(l, 4).replace(/"seq":\d+/, '"seq":999'))),
    code: 'hash-mismatch',
    file: 2,
    line: 5,
  },
  {
    what: 'an edited time',
    do: (d) => change(d, 2, (l) => l.with(4, at(l, 4).replace(/"time":"20../, '"time":"2001'))),
    code: 'hash-mismatch',
    file: 2,
    line: 5,
  },
  {
    what: 'an edited hash',
    do: (d) => change(d, 2, (l) => l.with(4, at(l, 4).replace(/[0-9a-f]{64}"\}$/, `${'0'.repeat(64)}"}`))),
    code: 'hash-mismatch',
    file: 2,
    line: 5,
  },
  {
    what: 'an edited previous hash',
    do: (d) =>
      change(d, 2, (l) => l.with(4, at(l, 4).replace(/"prev":"[0-9a-f]{64}/, `"prev":"${'0'.repeat(64)}`))),
    code: 'hash-mismatch',
    file: 2,
    line: 5,
  },
  {
    what: 'a space that no parser would notice',
    do: (d) => change(d, 2, (l) => l.with(4, at(l, 4).replace('"entry":{', '"entry":{ '))),
    code: 'hash-mismatch',
    file: 2,
    line: 5,
  },
  {
    what: 'a carriage return at the end of a line',
    do: (d) => change(d, 2, (l) => l.with(4, `${at(l, 4)}\r`)),
    code: 'line-malformed',
    file: 2,
    line: 5,
  },
  {
    what: 'a deleted line',
    do: (d) => change(d, 2, (l) => l.toSpliced(4, 1)),
    code: 'records-missing',
    file: 2,
    line: 5,
  },
  {
    what: 'several deleted lines',
    do: (d) => change(d, 2, (l) => l.toSpliced(3, 4)),
    code: 'records-missing',
    file: 2,
    line: 4,
  },
  {
    what: 'a deleted first line of a file',
    do: (d) => change(d, 2, (l) => l.slice(1)),
    code: 'records-missing',
    file: 2,
    line: 1,
  },
  {
    what: 'a deleted first line of the chain',
    do: (d) => change(d, 1, (l) => l.slice(1)),
    code: 'records-missing',
    file: 1,
    line: 1,
  },
  {
    what: 'an inserted empty line',
    do: (d) => change(d, 2, (l) => l.toSpliced(4, 0, '')),
    code: 'line-malformed',
    file: 2,
    line: 5,
  },
  {
    what: 'an inserted forged line',
    do: (d) => change(d, 2, (l) => l.toSpliced(4, 0, '{"seq":1}')),
    code: 'line-malformed',
    file: 2,
    line: 5,
  },
  {
    what: 'a repeated line',
    do: (d) => change(d, 2, (l) => l.toSpliced(5, 0, at(l, 4))),
    code: 'out-of-order',
    file: 2,
    line: 6,
  },
  {
    what: 'two swapped lines',
    do: (d) => change(d, 2, (l) => l.with(4, at(l, 5)).with(5, at(l, 4))),
    code: 'records-missing',
    file: 2,
    line: 5,
  },
  {
    what: 'an endless line',
    do: (d) => change(d, 2, (l) => l.with(4, 'x'.repeat(300_000))),
    code: 'line-malformed',
    file: 2,
    line: 5,
  },
  {
    what: 'a file of zero bytes',
    do: (d) => writeFileSync(pathOf(d, 2), Buffer.alloc(6000)),
    code: 'file-truncated',
    file: 2,
    line: 1,
  },
  {
    what: 'an emptied file in the middle',
    do: (d) => truncateSync(pathOf(d, 2)),
    code: 'file-truncated',
    file: 2,
    line: 0,
  },
  {
    what: 'a file in the middle cut inside a line',
    do: (d) => truncateSync(pathOf(d, 2), linesOf(d, 2).slice(0, 3).join('\n').length + 50),
    code: 'file-truncated',
    file: 2,
    line: 4,
  },
  {
    what: 'a file in the middle cut between lines',
    do: (d) => change(d, 2, (l) => [...l.slice(0, 5), '']),
    code: 'records-missing',
    file: 3,
    line: 1,
  },
  {
    what: 'a missing file in the middle',
    do: (d) => rmSync(pathOf(d, 2)),
    code: 'file-missing',
    file: 2,
    line: 0,
  },
  { what: 'a missing first file', do: (d) => rmSync(pathOf(d, 1)), code: 'file-missing', file: 1, line: 0 },
  {
    what: 'two missing files',
    do: (d) => {
      rmSync(pathOf(d, 2));
      rmSync(pathOf(d, 3));
    },
    code: 'file-missing',
    file: 2,
    line: 0,
  },
  {
    what: 'two files that changed their names',
    do: (d) => {
      renameSync(pathOf(d, 2), `${pathOf(d, 2)}.x`);
      renameSync(pathOf(d, 3), pathOf(d, 2));
      renameSync(`${pathOf(d, 2)}.x`, pathOf(d, 3));
    },
    code: 'records-missing',
    file: 2,
    line: 1,
  },
  {
    what: 'one file twice',
    do: (d) => copyFileSync(pathOf(d, 2), pathOf(d, 6)),
    code: 'out-of-order',
    file: 6,
    line: 1,
  },
];

it.each(TAMPERS)('finds and locates $what', async ({ do: tamper, code, file, line }) => {
  using folder = workFolder();
  copy(folder.path);
  tamper(folder.path);
  const report = await verifyActivityLog(folder.path);
  expect(report.intact).toBe(false);
  const name = `worker-1.0000000${file}.jsonl`;
  expect(report.faults[0]).toMatchObject({ code, file: name, line });
  // One tamper is not reported as hundreds.
  expect(report.faultCount).toBeLessThan(6);
});

it('names the record that was tampered with', async () => {
  using folder = workFolder();
  copy(folder.path);
  const seq = seqOf(at(linesOf(folder.path, 2), 4));
  change(folder.path, 2, (l) => l.with(4, at(l, 4).replace('user-17', 'user-18')));
  change(folder.path, 3, (l) => l.toSpliced(2, 1));
  const { faults } = await verifyActivityLog(folder.path);
  expect(faults.map(({ code, seq: at }) => [code, at])).toEqual([
    ['hash-mismatch', seq],
    ['records-missing', seqOf(at(linesOf(original.path, 3), 3))],
  ]);
});

it('finds a record that was replaced by another one with a hash of its own', async () => {
  using folder = workFolder();
  const other = await openActivityLog({ directory: folder.path, name: NAME, maxFileBytes: 4000 });
  for (let number = 0; number < 35; number += 1)
    await other.append(intent(requestId(number), { subject: 'user-18' }));
  await other.close();
  const forged = at(linesOf(folder.path, 2), 4);
  copy(folder.path);
  change(folder.path, 2, (l) => l.with(4, forged));
  const { faults } = await verifyActivityLog(folder.path);
  expect(faults[0]).toMatchObject({ code: 'link-broken', line: 5, seq: seqOf(forged) });
});

it('finds a file of another chain under this name', async () => {
  using folder = workFolder();
  for (const name of ['worker-1', 'worker-2']) {
    const log = await openActivityLog({ directory: folder.path, name });
    await log.append(intent());
    await log.close();
  }
  expect((await verifyActivityLog(folder.path)).intact).toBe(true);
  renameSync(join(folder.path, 'worker-2.00000001.jsonl'), pathOf(folder.path));
  const { faults } = await verifyActivityLog(folder.path);
  expect(faults).toEqual([expect.objectContaining({ code: 'header-wrong', chain: NAME, line: 1 })]);
});

it('finds any single changed, removed or added byte but for a cut at the very end', async () => {
  using folder = workFolder();
  const content = readFileSync(pathOf(original.path, 1));
  const path = pathOf(folder.path, 1);
  copy(folder.path);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(content.length - 1),
      fc.integer({ min: 1, max: 255 }),
      fc.constantFrom('change', 'remove', 'add'),
      async (offset, delta, how) => {
        const byte = Buffer.from([((content[offset] ?? 0) + delta) % 256]);
        const rest = content.subarray(how === 'add' ? offset : offset + 1);
        writeFileSync(
          path,
          Buffer.concat([content.subarray(0, offset), how === 'remove' ? Buffer.alloc(0) : byte, rest]),
        );
        expect((await verifyActivityLog(folder.path)).intact).toBe(false);
      },
    ),
    { numRuns: 150 },
  );
});

it('sees a cut at the very end only with a head that was kept elsewhere', async () => {
  using folder = workFolder();
  copy(folder.path);
  const expectHeads = [{ chain: NAME, ...heads }];
  expect((await verifyActivityLog(folder.path, { expectHeads })).intact).toBe(true);
  change(folder.path, FILES, (l) => l.toSpliced(-2, 1));
  expect((await verifyActivityLog(folder.path)).intact).toBe(true);
  expect((await verifyActivityLog(folder.path, { expectHeads })).faults).toEqual([
    expect.objectContaining({ code: 'head-missing', seq: heads.seq }),
  ]);
});

it('sees a chain that was made anew, or taken away, with a head that was kept elsewhere', async () => {
  using folder = workFolder();
  const other = await openActivityLog({ directory: folder.path, name: NAME });
  for (let number = 0; number < 60; number += 1) await other.append(intent());
  await other.close();
  const { faults } = await verifyActivityLog(folder.path, {
    expectHeads: [
      { chain: NAME, ...heads },
      { chain: 'worker-7', ...heads },
    ],
  });
  expect(faults.map(({ code, chain }) => [code, chain])).toEqual([
    ['head-different', NAME],
    ['head-missing', 'worker-7'],
  ]);
});

it('warns of a clock that went back and of a line that is being written, and calls neither broken', async () => {
  using folder = workFolder();
  let wall = Date.UTC(2026, 0, 31, 12);
  const clock = { wall: () => wall, monotonic: () => performance.now() };
  const log = await openActivityLog({ directory: folder.path, name: NAME, clock });
  await log.append(intent());
  wall -= 3_600_000;
  await log.append(intent());
  await log.close();
  appendFileSync(pathOf(folder.path), '{"seq":4,');
  const report = await verifyActivityLog(folder.path);
  expect(report).toMatchObject({ intact: true, faults: [], records: 3 });
  expect(report.warnings.map(({ code, line }) => [code, line])).toEqual([
    ['time-back', 3],
    ['tail-incomplete', 4],
  ]);
});

it('keeps a bounded number of faults and counts the rest', async () => {
  using folder = workFolder();
  copy(folder.path);
  appendFileSync(pathOf(folder.path, 2), 'x\n'.repeat(20_000));
  const report = await verifyActivityLog(folder.path);
  expect(report.faults).toHaveLength(1000);
  expect(report.faultCount).toBeGreaterThanOrEqual(20_000);
});

it('is unavailable, not intact, when there is nothing to read', async () => {
  using folder = workFolder();
  for (const directory of [folder.path, join(folder.path, 'absent')]) {
    await expect(verifyActivityLog(directory)).rejects.toMatchObject({ code: 'activity-log-unavailable' });
  }
});
