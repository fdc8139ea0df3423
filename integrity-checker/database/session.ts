import type { Connection } from 'mysql2/promise';
import { type Baseline, compareSnapshot, readState } from '../../audit-sql/fingerprint/index.ts';
import type { CheckedDatabase } from '../../contracts/settings.ts';
import { guardedRows, type RowReader } from '../seal/rows.ts';
import { comparisonLimit } from '../watch/limits.ts';
import type { CheckFinding, Comparison, Counters, DatabaseSession } from '../watch/types.ts';
import type { BaselineFile } from './baseline-file.ts';
import { compareClocks } from './clock.ts';
import { connect, type Link } from './connect.ts';
import { sameServer } from './same-server.ts';
import { TextMemory } from './text-memory.ts';

/** ER_MAX_PREPARED_STMT_COUNT_REACHED: one bound for the whole server, which any account can use up. */
const TOO_MANY_PREPARED = 1461;

/** What is known of sealed audit rows; part of every comparison. */
export interface SealedRows {
  check(reader: RowReader): Promise<readonly CheckFinding[]>;
}

/**
 * Opens the two connections of a session: one for probes, so that they never queue behind a
 * comparison, and one for comparisons.
 */
export async function openSession(
  database: CheckedDatabase,
  baseline: BaselineFile<Baseline>,
  sealer: SealedRows | undefined,
): Promise<DatabaseSession> {
  let listener: ((error: Error) => void) | undefined;
  let lost: Error | undefined;
  const onLost = (error: Error): void => {
    if (lost !== undefined) return;
    lost = error;
    listener?.(error);
  };
  const made = await Promise.allSettled([
    connect(database, onLost),
    connect(database, onLost, comparisonLimit(database.timeoutMs)),
  ]);
  const links = made.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const [probing, comparing] = links;
  if (probing === undefined || comparing === undefined) {
    for (const link of links) link.destroy();
    throw made.find((result) => result.status === 'rejected')?.reason;
  }
  try {
    await sameServer(probing.connection.promise(), comparing.connection.promise());
  } catch (error) {
    for (const link of links) link.destroy();
    throw error;
  }
  return {
    statements: probing.probe.queries,
    counters: prober(probing, database),
    compare: comparer(comparing, database, baseline, sealer),
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
function prober(link: Link, database: CheckedDatabase): () => Promise<Counters> {
  const { sql, reader, queries } = link.probe;
  const read = reader(database.clockDifferenceMs);
  // Prepared, the server is spared a fifth of its work: the list of names is long. Two statements cannot be.
  let prepared = queries === 1;
  return () =>
    new Promise((resolve, reject) => {
      const before = Date.now();
      const answered = (error: NodeJS.ErrnoException | null, rows: unknown): void => {
        if (prepared && error?.errno === TOO_MANY_PREPARED) {
          prepared = false;
          link.connection.query({ sql, rowsAsArray: true }, answered);
          return;
        }
        if (error !== null) {
          reject(error);
          return;
        }
        try {
          resolve(read(rows, { before, after: Date.now() }));
        } catch (fault) {
          reject(fault as Error);
        }
      };
      if (prepared) link.connection.execute({ sql, rowsAsArray: true }, answered);
      else link.connection.query({ sql, rowsAsArray: true }, answered);
    });
}

function comparer(
  link: Link,
  database: CheckedDatabase,
  file: BaselineFile<Baseline>,
  sealer: SealedRows | undefined,
): () => Promise<Comparison> {
  const counters = prober(link, database);
  const driver: Connection = link.connection.promise();
  const names = { emrSchema: database.emrSchema, auditSchema: database.auditSchema };
  const reader = guardedRows(driver, database.auditSchema);
  const memory = new TextMemory();
  return async () => {
    await link.forgetRoutines();
    const before = await counters();
    // Taken once per comparison: a file swapped meanwhile counts from the next one.
    const { state } = file;
    const now = state.ok ? await readState(driver, names, memory.recall(before)) : undefined;
    const findings: readonly CheckFinding[] = [
      ...(state.ok && now !== undefined ? compareSnapshot(state.baseline, now.snapshot) : []),
      ...(state.ok ? [] : [state.finding]),
      ...(await compareClocks(driver, database.clockDifferenceMs)),
      ...((await sealer?.check(reader)) ?? []),
    ];
    const after = await counters();
    if (now !== undefined) memory.keep(now.texts, before, after);
    return { before, findings, pending: (now?.pending ?? 0) > 0, after };
  };
}
