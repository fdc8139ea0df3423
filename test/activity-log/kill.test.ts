import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openActivityLog, verifyActivityLog } from '../../activity-log/index.ts';
import { APPENDER, Child } from './support/child.ts';
import { entriesOf, NAME, workFolder } from './support/directory.ts';
import { requestId } from './support/entries.ts';

it('loses no acknowledged record and no claim to kill -9, again and again on one chain', async () => {
  using folder = workFolder();
  const acknowledged: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    await using child = new Child(process.execPath, [
      APPENDER,
      folder.path,
      NAME,
      '32',
      String(round * 1_000_000),
    ]);
    await child.until((line) => line.startsWith('ack '));
    await sleep(Math.random() * 150);
    await child.kill();
    acknowledged.push(
      ...child.lines.filter((line) => /^ack \d+$/.test(line)).map((line) => Number(line.slice(4))),
    );
  }
  const log = await openActivityLog({ directory: folder.path, name: NAME });
  await log.close();
  expect(await verifyActivityLog(folder.path)).toMatchObject({ intact: true, faults: [] });
  const kept = new Set(entriesOf(folder.path).map(({ request }) => request));
  expect(acknowledged.length).toBeGreaterThan(5);
  expect(acknowledged.filter((number) => !kept.has(requestId(number)))).toEqual([]);
});

it('does not let a second process write a chain, and lets it when the first was killed', async () => {
  using folder = workFolder();
  await using child = new Child(process.execPath, [APPENDER, folder.path, NAME, '1', '0', '5']);
  await child.until((line) => line === 'ready');
  await expect(openActivityLog({ directory: folder.path, name: NAME })).rejects.toMatchObject({
    code: 'activity-log-unavailable',
    message: expect.stringContaining('another process'),
  });
  const other = await openActivityLog({ directory: folder.path, name: 'worker-2' });
  await other.close();
  child.process.kill('SIGSTOP');
  await expect(openActivityLog({ directory: folder.path, name: NAME })).rejects.toThrow('another process');
  await child.kill();
  const log = await openActivityLog({ directory: folder.path, name: NAME });
  await log.close();
  expect((await verifyActivityLog(folder.path)).intact).toBe(true);
});

it('gives a chain to at most one of many that open it at once', async () => {
  using folder = workFolder();
  const opened = await Promise.allSettled(
    Array.from({ length: 8 }, () => openActivityLog({ directory: folder.path, name: NAME })),
  );
  const holders = opened.filter((result) => result.status === 'fulfilled');
  expect(holders.length).toBeLessThanOrEqual(1);
  for (const holder of holders) await holder.value.close();
});
