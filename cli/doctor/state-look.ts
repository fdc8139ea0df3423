import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ChartgateError } from '../../contracts/errors.ts';
import { inspectState, type StateReport } from '../../identity/state/upkeep.ts';
import type { Account } from './accounts.ts';

/**
 * Looks at a SQLite store as `account` with its groups and nobody else's powers, in a process made for it.
 * Only for root. @throws ChartgateError `state-unavailable`
 */
export function inspectAs(account: Account, file: string): StateReport {
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', fileURLToPath(import.meta.url)],
    {
      input: JSON.stringify({ account, file }),
      encoding: 'utf8',
      cwd: '/',
      env: {},
      timeout: 60_000,
      maxBuffer: 16 * 1024 * 1024,
    },
  );
  if (status !== 0) {
    throw new ChartgateError('state-unavailable', `${file}: cannot be looked at as uid ${account.uid}.`);
  }
  const answer = JSON.parse(stdout) as { report: StateReport } | { fault: string };
  if ('fault' in answer) throw new ChartgateError('state-unavailable', answer.fault);
  return answer.report;
}

// The other half of `inspectAs`: this very file, started as a program.
if (import.meta.main) {
  const { account, file } = JSON.parse(readFileSync(0, 'utf8')) as { account: Account; file: string };
  process.setgroups?.([...account.groups]);
  process.setgid?.(account.gid);
  process.setuid?.(account.uid);
  process.umask(0o077);
  try {
    process.stdout.write(JSON.stringify({ report: await inspectState({ kind: 'sqlite', file }) }));
  } catch (error) {
    if (!(error instanceof ChartgateError)) throw error;
    process.stdout.write(JSON.stringify({ fault: error.message }));
  }
}
