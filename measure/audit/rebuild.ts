import { inspect } from 'node:util';
import type { Connection, ConnectionOptions } from 'mysql2/promise';
import type { BinlogCoverage } from '../../audit-sql/coverage/binlog.ts';
import {
  compareContent,
  compareRestored,
  type Rebuilt,
  type RestoredDifference,
  rebuild,
  restoreSchema,
  snapshotSchema,
} from '../../audit-sql/trail/index.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { nextLog, readLogs } from './binary-log.ts';
import type { SchemaName } from './schemas/load.ts';
import { readContent } from './second-opinion/content.ts';
import { secondOpinion, trailEnds } from './second-opinion/replay.ts';
import { administrator } from './servers.ts';
import { type Audited, startAudit } from './start.ts';
import { runWorkload, type WorkloadResult } from './workload/run.ts';
import { readShape } from './workload/shape.ts';

export interface RebuildOptions {
  readonly schema: SchemaName;
  readonly seed: string | number;
  readonly statements: number;
  readonly sessions: number;
  readonly events: number;
  /** See `WorkloadOptions`. */
  readonly cascadesAbove?: boolean;
  readonly log?: (line: string) => void;
}

/** Three ways of saying that the trail tells everything; a table counts as equal only if all three agree. */
export interface Rebuild {
  readonly workload: WorkloadResult;
  readonly auditRows: number;
  /** Rows of cascades that did not come about, which readers leave out. */
  readonly void: number;
  /** Live rows compared, of all tables. */
  readonly rows: number;
  readonly tables: number;
  /** Tables that all three found equal. */
  readonly equal: number;
  /**
   * Audit rows that do not fit what came before. MySQL shows a trigger the row as a joined DELETE read it,
   * even if a cascade of the same statement has changed it since.
   */
  readonly contradictions: number;
  /** By table, in a few words; may hold data of the workload. */
  readonly differences: readonly { readonly table: string; readonly said: string }[];
  /** Undefined where the server writes no binary log. */
  readonly log: BinlogCoverage | undefined;
  /** Seconds that rebuilding and comparing took, without the workload. */
  readonly seconds: number;
}

/**
 * Writes at random to a schema that is audited, then rebuilds what it holds from what it held before and
 * the audit rows alone: with the product's own replay, as real tables restored from that and compared byte
 * by byte, and with an implementation of its own (`second-opinion/`).
 */
export async function writeAndRebuild(server: PrivateDatabase, options: RebuildOptions): Promise<Rebuild> {
  const { schema } = options;
  const { engine } = server;
  const connection = await administrator(server);
  // The product's reader streams over a connection that it has to itself.
  const reader = await server.connect({ charset: 'utf8mb4' });
  try {
    const audited = await startAudit(connection, engine, schema);
    const shape = await readShape(connection, schema);
    const before = await readContent(connection, engine, shape);
    const auditSchema = audited.names.auditSchema;
    const trailAfter = await trailEnds(connection, auditSchema);
    const snapshot = await snapshotSchema(reader, audited);
    const firstLog = await nextLog(connection);

    const workload = await runWorkload({
      ...options,
      engine,
      connect: (extra?: ConnectionOptions) => server.connect(extra),
      files: server.directory,
    });

    const log = firstLog === undefined ? undefined : await readLogs(connection, server, audited, firstLog);
    const began = performance.now();
    const after = await readContent(connection, engine, shape);
    const opinion = await secondOpinion(connection, { shape, auditSchema, before, after, trailAfter });
    const rebuilt = await rebuild(reader, audited, snapshot);
    const live = await snapshotSchema(reader, audited);
    const encoded = compareContent(rebuilt.content, live.tables);
    const faulty = encoded.some(({ missing, extra, different }) => missing + extra + different > 0);
    // What is not even alike would not go into tables with keys.
    const restored = faulty ? [] : await restoreAndCompare(reader, audited, rebuilt);

    const unequal = new Set([
      ...shape.tables.map(({ name }) => name).filter((name) => !opinion.equal.includes(name)),
      ...encoded
        .filter(({ missing, extra, different }) => missing + extra + different > 0)
        .map((t) => t.table),
      ...restored.filter(({ missing, extra }) => missing + extra > 0).map((t) => t.table),
    ]);
    const differences = [
      ...opinion.faults.map(({ table, what, auditId }) => ({
        table,
        said: `second opinion${auditId === undefined ? '' : `, audit row ${auditId}`}: ${what}`,
      })),
      ...rebuilt.breaks.map((found) => ({
        table: found.table,
        said: `replay: ${inspect(found, { breakLength: Infinity })}`,
      })),
      ...encoded
        .filter(({ table, examples }) => unequal.has(table) && examples.length > 0)
        .map(({ table, examples }) => ({ table, said: `replay differs: ${examples.join('; ')}` })),
      ...restored
        .filter(({ missing, extra }) => missing + extra > 0)
        .map(({ table, missing, extra }) => ({
          table,
          said: `restored: ${missing} rows too many, ${extra} missing`,
        })),
    ];
    return {
      workload,
      auditRows: opinion.auditRows,
      void: opinion.void,
      rows: opinion.rowsCompared,
      tables: shape.tables.length,
      equal: shape.tables.filter(({ name }) => !unequal.has(name)).length,
      contradictions: Math.max(opinion.contradictions, rebuilt.breaks.length),
      differences,
      log,
      seconds: (performance.now() - began) / 1000,
    };
  } finally {
    await reader.end();
    await connection.end();
  }
}

/** Real tables from the rebuilt content, compared with the live ones by what the server holds. */
async function restoreAndCompare(
  connection: Connection,
  audited: Audited,
  rebuilt: Rebuilt,
): Promise<readonly RestoredDifference[]> {
  const target = `${audited.names.emrSchema}_replay`;
  await restoreSchema(connection, audited, rebuilt.content, target);
  return compareRestored(connection, audited, target);
}
