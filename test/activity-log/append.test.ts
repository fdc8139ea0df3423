import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { entriesIn } from '../../activity-log/format.ts';
import { openActivityLog, readActivityLog, verifyActivityLog } from '../../activity-log/index.ts';
import type { ActivityEntry } from '../../contracts/activity.ts';
import { entriesOf, linesOf, NAME, pathOf, workFolder } from './support/directory.ts';
import { asWritten, intent, outcome, requestId } from './support/entries.ts';

it('keeps every entry, in order, with its fields and no others', async () => {
  using folder = workFolder();
  const log = await openActivityLog({ directory: folder.path, name: NAME });
  const request = requestId();
  const entries: ActivityEntry[] = [
    intent(request),
    outcome(request),
    {
      kind: 'unverified-write',
      request,
      tenant: 'clinic-a' as never,
      database: 'emr-a' as never,
      epochBefore: 'e1',
      epochAfter: '',
      findings: ['trigger-missing'],
    },
    { kind: 'interrupted', request, by: 'client', bytes: 4711 },
    { kind: 'process', event: 'start', detail: 'worker 1' },
  ];
  await Promise.all(entries.map((entry) => log.append({ ...entry, token: 'hung on by mistake' } as never)));
  await log.close();
  expect(entriesOf(folder.path).slice(1)).toEqual(entries.map(asWritten));
});

it('is checked with nothing but SHA-256 over the bytes of a line', async () => {
  using folder = workFolder();
  const log = await openActivityLog({ directory: folder.path, name: NAME });
  await log.append(intent());
  await log.append(outcome());
  await log.close();
  let prev = '0'.repeat(64);
  const lines = linesOf(folder.path).slice(0, -1);
  expect(lines).toHaveLength(3);
  for (const [index, line] of lines.entries()) {
    const covered = line.slice(0, line.lastIndexOf(',"hash":"'));
    const record = JSON.parse(line) as Record<string, unknown>;
    expect(record).toMatchObject({ seq: index + 1, prev });
    expect(record.hash).toBe(createHash('sha256').update(covered).digest('hex'));
    prev = String(record.hash);
  }
  expect(log.head).toEqual({ seq: 3, hash: prev });
});

it('has written an entry to its file before the append resolves', async () => {
  using folder = workFolder();
  const log = await openActivityLog({ directory: folder.path, name: NAME });
  for (let number = 0; number < 20; number += 1) {
    const request = requestId(number);
    await log.append(intent(request));
    expect(readFileSync(pathOf(folder.path), 'utf8')).toContain(request);
  }
  await log.close();
});

it('gives all entries of one turn one promise and one write', async () => {
  using folder = workFolder();
  const log = await openActivityLog({ directory: folder.path, name: NAME });
  const promises = new Set(Array.from({ length: 100 }, () => log.append(intent())));
  expect(promises.size).toBe(1);
  await Promise.all(promises);
  // One record for what was written together, or a few where a line would become too long.
  expect(log.head.seq).toBeLessThan(10);
  expect(entriesOf(folder.path).filter(({ kind }) => kind === 'intent')).toHaveLength(100);
  await log.close();
});

it('keeps the order of appends while writes are under way', async () => {
  using folder = workFolder();
  const log = await openActivityLog({ directory: folder.path, name: NAME, maxFileBytes: 20_000 });
  let next = 0;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (next < 1000) await log.append(intent(requestId(next++)));
    }),
  );
  await log.close();
  const requests = entriesOf(folder.path)
    .filter(({ kind }) => kind === 'intent')
    .map(({ request }) => request);
  expect(requests).toEqual(Array.from({ length: requests.length }, (_, number) => requestId(number)));
  expect((await verifyActivityLog(folder.path)).warnings).toEqual([]);
});

it('survives every string in every field without breaking a line or the chain', async () => {
  using folder = workFolder();
  const log = await openActivityLog({ directory: folder.path, name: NAME });
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.constantFrom('","hash":"', '\n{"seq":1', '\u0000', '\ud800', '"}\n', '\u2028', '\\u0022', '\r\n'),
  );
  const written: string[] = [];
  await fc.assert(
    fc.asyncProperty(text, text, text, async (subject, client, issuer) => {
      written.push(subject.toWellFormed());
      await log.append(intent(requestId(1), { subject, client, issuer, peer: subject, method: client }));
    }),
    { numRuns: 300 },
  );
  await log.close();
  const report = await verifyActivityLog(folder.path);
  expect(report).toMatchObject({ intact: true, records: written.length + 1, faults: [], warnings: [] });
  const subjects = entriesOf(folder.path)
    .slice(1)
    .map(({ subject }) => String(subject ?? '').toWellFormed());
  expect(subjects).toEqual(written);
});

it('refuses one entry that is not of the contract, and goes on', async () => {
  using folder = workFolder();
  const log = await openActivityLog({ directory: folder.path, name: NAME });
  const bad: readonly [unknown, string][] = [
    [{ kind: 'nonsense' }, 'unknown kind'],
    [{ kind: 'chain', event: 'begin' }, "the log's own kind"],
    [intent(requestId(), { subject: 'x'.repeat(70_000) }), 'too long'],
    [intent(requestId(), { subject: '語'.repeat(25_000) }), 'too long in UTF-8'],
  ];
  for (const [entry, why] of bad) {
    await expect(log.append(entry as ActivityEntry), why).rejects.toMatchObject({ code: 'internal' });
  }
  expect(log.healthy).toBe(true);
  await log.append(intent(requestId(), { subject: 'x'.repeat(60_000) }));
  await log.close();
  expect(await verifyActivityLog(folder.path)).toMatchObject({ intact: true, records: 2 });
});

it('lets nobody else read the folder or the files', async () => {
  using folder = workFolder();
  const directory = join(folder.path, 'deep', 'log');
  const log = await openActivityLog({ directory, name: NAME });
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(statSync(pathOf(directory)).mode & 0o777).toBe(0o600);
  await log.close();
});

it('writes what was appended before close, and refuses what comes after', async () => {
  using folder = workFolder();
  const log = await openActivityLog({ directory: folder.path, name: NAME });
  const last = log.append(intent());
  await log.close();
  await expect(last).resolves.toBeUndefined();
  await expect(log.append(intent())).rejects.toMatchObject({ code: 'activity-log-unavailable' });
  expect(log.healthy).toBe(false);
});

it('finds one entry among those that were written together, and passes over what is none', async () => {
  using folder = workFolder();
  const log = await openActivityLog({ directory: folder.path, name: NAME });
  await Promise.all(Array.from({ length: 50 }, (_, number) => log.append(intent(requestId(number)))));
  await log.close();
  const found = [];
  for await (const record of readActivityLog(folder.path, { request: requestId(17) }))
    found.push(record.entry);
  expect(found).toEqual([asWritten(intent(requestId(17)))]);
  expect(entriesIn({ kind: 'group', entries: [null, 7, 'x', {}, { kind: 'stop' }] })).toEqual([
    { kind: 'stop' },
  ]);
  expect(entriesIn({ kind: 'group', entries: 'forged' })).toHaveLength(1);
});
