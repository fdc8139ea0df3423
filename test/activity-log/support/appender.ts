import { openActivityLog } from '../../../activity-log/index.ts';
import { intent, requestId } from './entries.ts';

/**
 * A process that appends as fast as it can and says on standard output which requests were
 * acknowledged, in the order of acknowledgement: `ready`, then `ack N`, `refused`, `healthy`.
 * Arguments: directory, name, number of concurrent appenders, first request number, pause in ms.
 */
const [directory = '', name = '', concurrent = '1', first = '0', pause = '0'] = process.argv.slice(2);
const log = await openActivityLog({ directory, name, maxFileBytes: 200_000, recoverEveryMs: 50 });
process.stdout.write('ready\n');
let next = Number(first);
let refused = false;
for (let i = 0; i < Number(concurrent); i += 1) void appender();

async function appender(): Promise<void> {
  for (;;) {
    const number = next++;
    try {
      await log.append(intent(requestId(number)));
      if (refused) process.stdout.write('healthy\n');
      refused = false;
      process.stdout.write(`ack ${number}\n`);
    } catch {
      if (!refused) process.stdout.write('refused\n');
      refused = true;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    if (pause !== '0') await new Promise((resolve) => setTimeout(resolve, Number(pause)));
  }
}
