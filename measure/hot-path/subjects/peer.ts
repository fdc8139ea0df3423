import { family } from '../../machine.ts';
import type { Running } from '../../processes.ts';
import type { RunningSubject, SubjectContext } from '../subject.ts';

/** What the installed proxies have in common: one port for both protocols, and nobody who checks a token. */
export function peer(
  context: SubjectContext,
  running: Running,
  port: number,
  version: string,
  verify: RunningSubject['verify'] = async () => [],
): RunningSubject {
  return {
    version: version.trim(),
    http1: `localhost:${port}`,
    http2: `localhost:${port}`,
    authority: context.authority,
    token: async () => undefined,
    pids: () => family(running.pid),
    verify,
    stop: running.stop,
  };
}
