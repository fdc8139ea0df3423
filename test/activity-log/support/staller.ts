import { open } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openActivityLog } from '../../../activity-log/index.ts';
import { intent } from './entries.ts';

/** A process whose only file-system thread hangs in the open of a named pipe until somebody writes to it. */
const [directory = '', name = '', pipe = ''] = process.argv.slice(2);
const log = await openActivityLog({ directory, name, recoverEveryMs: 20, stallMs: 200 });
open(pipe, 'r', () => undefined);
try {
  await log.append(intent());
} catch {
  process.stdout.write('refused\n');
}
while (!log.healthy) await sleep(20);
await log.append(intent());
process.stdout.write('recovered\n');
await log.close();
process.stdout.write('closed\n');
