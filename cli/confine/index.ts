import { realpathSync } from 'node:fs';
import { ChartgateError } from '../../contracts/errors.ts';
import { confineFlags } from './flags.ts';
import type { Needs } from './needs.ts';

export { confineFlags } from './flags.ts';
export { HASHING_MEMORY } from './memory.ts';
export { checkerNeeds, gatewayNeeds, issuerNeeds } from './needs.ts';

/**
 * Makes this process one that can do no more than `needs` says, by becoming the same command under Node's
 * permission model: same process id, arguments, environment and streams, so that whoever started it sees no
 * difference. Does not return the first time; returns at once in a process that was started under the
 * permission model, by this function or by whoever wrote flags of their own.
 *
 * It is a second line. Node says that it keeps trusted code from doing what it was not meant to do, and is no
 * wall against hostile code; the wall is the operating system's (deploy/systemd).
 * @param environment variables that are set then, unless whoever started it set them
 * @throws ChartgateError `usage`, `configuration-invalid`, `internal`
 */
export function confine(needs: () => Needs, environment: Readonly<Record<string, string>> = {}): void {
  if (process.permission !== undefined) return;
  // What is allowed there would be allowed to workers too.
  if (/(^|\s)--(allow-|no-permission)/.test(process.env.NODE_OPTIONS ?? '')) {
    throw new ChartgateError('usage', 'NODE_OPTIONS must not hold permissions (--allow-…); remove them.');
  }
  const [, script, ...args] = process.argv;
  if (script === undefined || process.execve === undefined) {
    throw new ChartgateError('internal', 'This Node cannot start itself anew under its permission model.');
  }
  const flags = confineFlags(needs());
  process.execve(
    process.execPath,
    [process.execPath, ...process.execArgv, ...flags, realpathSync(script), ...args],
    { ...environment, ...process.env },
  );
}
