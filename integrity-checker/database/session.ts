import type { Connection } from 'mysql2/promise';
import { type Baseline, compareSnapshot, readSnapshot } from '../../audit-sql/fingerprint/index.ts';
import type { CheckedDatabase } from '../../contracts/settings.ts';
import type { CheckFinding, Comparison, Counters, DatabaseSession } from '../watch/types.ts';
import type { BaselineFile } from './baseline-file.ts';
import { connect, type Link } from './connect.ts';
import { counterReader, probeStatement } from './counters.ts';

/**
 * Opens the two connections of a session: one for probes, so that they never queue behind a
 * comparison, and one for comparisons.
 */
export async function openSession(
  database: CheckedDatabase,
  baseline: BaselineFile<Baseline>,
): Promise<DatabaseSession> {
  let listener: ((error: Error) => void) | undefined;
  let lost: Error | undefined;
  const onLost = (error: Error): void => {
    if (lost !== undefined) return;
    lost = error;
    listener?.(error);
  };
  const made = await Promise.allSettled([connect(database, onLost), connect(database, onLost)]);
  const links = made.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const [probing, comparing] = links;
  if (probing === undefined || comparing === undefined) {
    for (const link of links) link.destroy();
    throw made.find((result) => result.status === 'rejected')?.reason;
  }
  return {
    counters: prober(probing),
    compare: comparer(comparing, database, baseline),
    onLost: (wanted) => {
      listener = wanted;
      if (lost !== undefined) wanted(lost);
    },
    destroy: () => {
      lost ??= new Error('destroyed');
      probing.destroy();
      comparing.destroy();
    },
  };
}

/** A function that runs the cheap probe on `link`. */
function prober(link: Link): () => Promise<Counters> {
  const sql = probeStatement(link.engine);
  const read = counterReader();
  return () =>
    new Promise((resolve, reject) => {
      link.connection.query({ sql, rowsAsArray: true }, (error: Error | null, rows: unknown) => {
        if (error !== null) return reject(error);
        try {
          resolve(read(rows));
        } catch (fault) {
          reject(fault as Error);
        }
      });
    });
}

function comparer(
  link: Link,
  database: CheckedDatabase,
  file: BaselineFile<Baseline>,
): () => Promise<Comparison> {
  const counters = prober(link);
  const driver: Connection = link.connection.promise();
  const names = { emrSchema: database.emrSchema, auditSchema: database.auditSchema };
  return async () => {
    const before = await counters();
    // Taken once per comparison: a file swapped meanwhile counts from the next one.
    const { state } = file;
    const findings: readonly CheckFinding[] = state.ok
      ? compareSnapshot(state.baseline, await readSnapshot(driver, names))
      : [state.finding];
    return { before, findings, after: await counters() };
  };
}
