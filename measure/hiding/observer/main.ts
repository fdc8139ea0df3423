import { runBeside } from './beside.ts';
import { runBytes } from './bytes.ts';
import { runFeatures } from './features.ts';
import { runLoad } from './load.ts';
import type { Job } from './messages.ts';
import { runOrder } from './order.ts';
import { runTiming } from './timing.ts';

/** Whoever tries to find out from outside, as a process of its own: jobs come over the channel to its parent. */
function run(job: Job): Promise<unknown> {
  switch (job.kind) {
    case 'timing':
      return runTiming(job);
    case 'order':
      return runOrder(job);
    case 'bytes':
      return runBytes(job);
    case 'features':
      return runFeatures(job);
    case 'beside':
      return runBeside(job);
    case 'load':
      return runLoad(job);
  }
}

process.on('message', (message: { readonly number: number; readonly job: Job }) => {
  const { number } = message;
  run(message.job).then(
    (result) => process.send?.({ number, result }),
    (error: unknown) =>
      process.send?.({
        number,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }),
  );
});
process.once('disconnect', () => process.exit(0));
