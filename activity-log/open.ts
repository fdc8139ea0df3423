import { join } from 'node:path';
import { type Clock, systemClock } from '../contracts/clock.ts';
import { ChartgateError } from '../contracts/errors.ts';
import { claimChain } from './claim.ts';
import { errorCode, listChains, prepareDirectory, unavailable } from './directory.ts';
import { isChainName } from './format.ts';
import { resumeChain } from './resume.ts';
import { ChainWriter } from './writer.ts';

export interface ActivityLogOptions {
  /** Made with mode 0700 when missing. On a local file system. */
  readonly directory: string;
  /** The chain's name, such as `worker-1`: one process each. 1–63 characters of `a-z 0-9 -`. */
  readonly name: string;
  /** A file that has reached this size is followed by another. Default 64 MiB. */
  readonly maxFileBytes?: number;
  /** Milliseconds between attempts to recover. Default 500. */
  readonly recoverEveryMs?: number;
  /** A write that takes longer than this many milliseconds counts as failed. Default 5000. */
  readonly stallMs?: number;
  readonly clock?: Clock;
}

/**
 * Opens one chain of the activity log for writing: claims it, checks its newest file completely, cuts
 * an unfinished last line (and records that), and goes on after its last record.
 *
 * An append resolves when its record is durable; all entries of one write share one promise. When
 * writing fails, everybody who waits is rejected with `activity-log-unavailable`, `healthy` is false, an
 * alarm is published once, and it tries to recover by itself; until then each append is rejected at once.
 * @throws ChartgateError `activity-log-unavailable` (permissions, disk, chain in use by another
 * process), `activity-log-broken` (the existing chain is not intact; nothing was changed)
 */
export async function openActivityLog(options: ActivityLogOptions): Promise<ChainWriter> {
  const { directory, name } = options;
  if (!isChainName(name)) throw new ChartgateError('internal', 'The name of an activity log is not valid.');
  await prepareDirectory(directory);
  const claim = await claimChain(directory, name);
  try {
    const files = (await listChains(directory)).get(name);
    const from = files && (await resumeChain(directory, name, files));
    const settings = {
      directory,
      name,
      maxFileBytes: options.maxFileBytes ?? 67_108_864,
      recoverEveryMs: options.recoverEveryMs ?? 500,
      stallMs: options.stallMs ?? 5000,
      clock: options.clock ?? systemClock,
    };
    return await ChainWriter.start(settings, claim, from);
  } catch (error) {
    await claim.release();
    if (error instanceof ChartgateError) throw error;
    throw unavailable(join(directory, name), errorCode(error), error);
  }
}
