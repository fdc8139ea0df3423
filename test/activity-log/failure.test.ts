import { execFileSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { type ChainWriter, openActivityLog, verifyActivityLog } from '../../activity-log/index.ts';
import { CHANNELS } from '../../contracts/events.ts';
import { APPENDER, Child } from './support/child.ts';
import { entriesOf, NAME, pathOf, workFolder } from './support/directory.ts';
import { intent, requestId } from './support/entries.ts';

function alarms(): unknown[] {
  const seen: unknown[] = [];
  const listener = (message: unknown): void => void seen.push(message);
  subscribe(CHANNELS.alarm, listener);
  onTestFinished(() => void unsubscribe(CHANNELS.alarm, listener));
  return seen;
}

async function untilHealthy(log: ChainWriter): Promise<void> {
  while (!log.healthy) await sleep(10);
}

const REFUSED = { code: 'activity-log-unavailable' };

function recoveries(directory: string): Record<string, unknown>[] {
  return entriesOf(directory).filter(({ event }) => event === 'recovered');
}

it('stops at a full file-size limit, cuts the half-written batch, and goes on when there is room', async () => {
  using folder = workFolder();
  // The kernel refuses growth past the limit (EFBIG, like ENOSPC after a partial write); the shell
  // hands the ignored signal down. Works for any user.
  await using child = new Child('/bin/sh', [
    '-c',
    'trap "" XFSZ; ulimit -S -f 64; exec "$@"',
    'sh',
    process.execPath,
    APPENDER,
    folder.path,
    NAME,
    '16',
  ]);
  const at = await child.until((line) => line === 'refused');
  execFileSync('prlimit', ['--pid', String(child.process.pid), '--fsize=unlimited:']);
  await child.until((line) => line === 'healthy', at);
  await child.until((line) => line.startsWith('ack '), at);
  await child.kill();
  const log = await openActivityLog({ directory: folder.path, name: NAME });
  await log.close();
  expect(await verifyActivityLog(folder.path)).toMatchObject({ intact: true, faults: [] });
  expect(recoveries(folder.path)[0]).toMatchObject({ cause: 'EFBIG' });
  const kept = new Set(entriesOf(folder.path).map(({ request }) => request));
  const acknowledged = child.lines
    .filter((line) => /^ack \d+$/.test(line))
    .map((line) => Number(line.slice(4)));
  expect(acknowledged.filter((number) => !kept.has(requestId(number)))).toEqual([]);
});

it.runIf(process.geteuid?.() === 0)('stops when the disk is full and goes on when it is not', async () => {
  using folder = workFolder();
  const directory = join(folder.path, 'disk');
  mkdirSync(directory);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=0700', 'tmpfs', directory], {
      stdio: 'ignore',
    });
  } catch {
    // Root of a container without the capability; the test above covers the same with a limit.
    return;
  }
  try {
    const seen = alarms();
    writeFileSync(join(directory, 'ballast'), Buffer.alloc(100_000));
    const log = await openActivityLog({ directory, name: NAME, recoverEveryMs: 20 });
    const kept: number[] = [];
    const lost: number[] = [];
    for (let number = 0; log.healthy; number += 1) {
      await log.append(intent(requestId(number))).then(
        () => kept.push(number),
        (error: unknown) => {
          expect(error).toMatchObject({ ...REFUSED, message: expect.stringContaining('ENOSPC') });
          lost.push(number);
        },
      );
    }
    expect(lost).toHaveLength(1);
    await expect(log.append(intent())).rejects.toMatchObject(REFUSED);
    await sleep(100);
    expect(log.healthy).toBe(false);
    expect(seen).toEqual([{ alarm: 'activity-log', tenant: '' }]);
    rmSync(join(directory, 'ballast'));
    await untilHealthy(log);
    await log.append(intent(requestId(1_000_000)));
    await log.close();
    expect(await verifyActivityLog(directory)).toMatchObject({ intact: true, faults: [] });
    expect(recoveries(directory)).toEqual([expect.objectContaining({ cause: 'ENOSPC' })]);
    const requests = entriesOf(directory)
      .map(({ request }) => request)
      .filter((request) => request);
    expect(requests).toEqual([...kept, 1_000_000].map((number) => requestId(number)));
  } finally {
    execFileSync('umount', ['-l', directory]);
  }
});

const CHANGED: readonly [string, (path: string) => void, (path: string) => void][] = [
  ['was deleted', (path) => rmSync(path), (path) => renameSync(`${path}.kept`, path)],
  [
    'was replaced by another',
    (path) => {
      rmSync(path);
      writeFileSync(path, 'something else\n', { mode: 0o600 });
    },
    (path) => renameSync(`${path}.kept`, path),
  ],
];

it.each(CHANGED)(
  'acknowledges nothing when its file %s, and goes on when it is back',
  async (_how, change, restore) => {
    using folder = workFolder();
    const seen = alarms();
    const log = await openActivityLog({ directory: folder.path, name: NAME, recoverEveryMs: 20 });
    await log.append(intent(requestId(1)));
    const path = pathOf(folder.path);
    linkSync(path, `${path}.kept`);
    change(path);
    await expect(log.append(intent(requestId(2)))).rejects.toMatchObject(REFUSED);
    expect(seen).toEqual([{ alarm: 'activity-log', tenant: '' }]);
    await sleep(100);
    expect(log.healthy).toBe(false);
    restore(path);
    await untilHealthy(log);
    await log.append(intent(requestId(3)));
    await log.close();
    expect((await verifyActivityLog(folder.path)).intact).toBe(true);
    const requests = entriesOf(folder.path)
      .map(({ request }) => request)
      .filter((request) => request);
    expect(requests).toEqual([requestId(1), requestId(3)]);
  },
);

it('cuts what somebody else added to its file, and says so', async () => {
  using folder = workFolder();
  const log = await openActivityLog({ directory: folder.path, name: NAME, recoverEveryMs: 20 });
  await log.append(intent());
  appendFileSync(pathOf(folder.path), 'a line that is no record\n');
  await expect(log.append(intent())).rejects.toMatchObject(REFUSED);
  await untilHealthy(log);
  await log.append(intent());
  await log.close();
  expect((await verifyActivityLog(folder.path)).intact).toBe(true);
  const [recovery] = recoveries(folder.path);
  expect(recovery).toMatchObject({ cause: 'replaced' });
  expect(recovery?.cutBytes).toBeGreaterThan(25);
});

it('stays out of service when acknowledged records are gone', async () => {
  using folder = workFolder();
  const log = await openActivityLog({ directory: folder.path, name: NAME, recoverEveryMs: 20 });
  for (let number = 0; number < 5; number += 1) await log.append(intent(requestId(number)));
  truncateSync(pathOf(folder.path), statSync(pathOf(folder.path)).size - 900);
  await expect(log.append(intent())).rejects.toMatchObject(REFUSED);
  await sleep(200);
  expect(log.healthy).toBe(false);
  await expect(log.append(intent())).rejects.toMatchObject(REFUSED);
  await log.close();
});

it('does not rotate into a file that is already there', async () => {
  using folder = workFolder();
  const log = await openActivityLog({
    directory: folder.path,
    name: NAME,
    recoverEveryMs: 20,
    maxFileBytes: 1000,
  });
  writeFileSync(pathOf(folder.path, 2), 'in the way\n', { mode: 0o600 });
  const results = await Promise.allSettled([0, 1, 2].map((number) => log.append(intent(requestId(number)))));
  expect(results.every(({ status }) => status === 'fulfilled')).toBe(true);
  await expect(log.append(intent())).rejects.toMatchObject({ message: expect.stringContaining('EEXIST') });
  rmSync(pathOf(folder.path, 2));
  await untilHealthy(log);
  await log.append(intent(requestId(9)));
  await log.close();
  expect(await verifyActivityLog(folder.path)).toMatchObject({ intact: true, faults: [] });
});

it('refuses everybody when the disk hangs, and goes on when it answers again', async () => {
  using folder = workFolder();
  execFileSync('mkfifo', [join(folder.path, 'hang')]);
  // With one thread in its pool, a blocked open of the pipe stops every write of the process.
  await using child = new Child(
    process.execPath,
    [join(import.meta.dirname, 'support', 'staller.ts'), folder.path, NAME, join(folder.path, 'hang')],
    { UV_THREADPOOL_SIZE: '1' },
  );
  await child.until((line) => line === 'refused');
  execFileSync('/bin/sh', ['-c', ': > "$0"', join(folder.path, 'hang')]);
  await child.until((line) => line === 'recovered');
  await child.until((line) => line === 'closed');
  expect((await verifyActivityLog(folder.path)).intact).toBe(true);
  expect(recoveries(folder.path)).toEqual([expect.objectContaining({ cause: 'stalled', cutBytes: 0 })]);
});
