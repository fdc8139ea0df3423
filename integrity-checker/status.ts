import { type Baseline, openBaseline, remediesOf } from '../audit-sql/fingerprint/index.ts';
import type { CheckedDatabase, CheckerSettings } from '../contracts/settings.ts';
import { BaselineFile } from './database/baseline-file.ts';
import { LastBaseline, lastBaselineFile } from './database/last-baseline.ts';
import { openSession } from './database/session.ts';
import { comparisonLimit } from './watch/limits.ts';
import { describe, late } from './watch/trouble.ts';
import type { CheckFinding, DatabaseSession } from './watch/types.ts';
import { within } from './within.ts';

/** What one comparison found, for a person. */
export interface DatabaseStatus {
  readonly database: string;
  readonly state: 'intact' | 'broken' | 'unverified';
  /** Digest of the baseline; empty when there is none that counts. */
  readonly baseline: string;
  readonly findings: readonly CheckFinding[];
  /** What would restore the approved state, in an order in which it can be followed. */
  readonly remedies: readonly string[];
}

/**
 * Compares every database once, with the checker's own accounts and baselines, as the running checker does.
 * Sealed audit rows are left to the checker and to `chartgate audit verify`: what it remembers of them has one
 * writer. Changes nothing.
 */
export function readStatus(settings: CheckerSettings): Promise<readonly DatabaseStatus[]> {
  return Promise.all(settings.databases.map((database) => statusOf(database, settings.seal?.directory)));
}

async function statusOf(database: CheckedDatabase, directory: string | undefined): Promise<DatabaseStatus> {
  const last = new LastBaseline(
    directory === undefined ? undefined : lastBaselineFile(directory, database.id),
    { readOnly: true },
  );
  const file = new BaselineFile<Baseline>(database.baseline, (bytes) =>
    last.admit(openBaseline(bytes, database.baselineTrust)),
  );
  await file.refresh();
  const baseline = file.state.ok ? file.state.baseline.digest : '';
  let session: DatabaseSession | undefined;
  try {
    session = await openSession(database, file, undefined);
    const { findings } = await within(comparisonLimit(database.timeoutMs), session.compare(), late);
    const state = findings.length === 0 ? 'intact' : 'broken';
    return { database: database.id, state, baseline, findings, remedies: remediesOf(findings) };
  } catch (error) {
    const findings = [describe(error)];
    return { database: database.id, state: 'unverified', baseline, findings, remedies: [] };
  } finally {
    session?.destroy();
  }
}
