import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends `child` when this process ends for any reason, `kill -9` included: a detached shell holds the
 * reading end of a pipe whose writing end only this process has, and wakes when that end closes.
 */
export function guard(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const guardian = spawn(
    'sh',
    [
      '-c',
      'cat >/dev/null; kill -TERM "$1" 2>/dev/null && sleep 10 && kill -KILL "$1" 2>/dev/null',
      'guardian',
      String(child.pid),
    ],
    { stdio: ['pipe', 'ignore', 'ignore'], detached: true },
  );
  // The child is gone: so is the reason for the guardian, and its number may soon be another process's.
  child.once('exit', () => guardian.kill('SIGKILL'));
  guardian.on('error', () => {});
  guardian.stdin?.on('error', () => {});
  guardian.unref();
  (guardian.stdin as unknown as { unref?: () => void } | null)?.unref?.();
}
