import { afterAll, describe, expect, it } from 'vitest';
import { MARIADB, MYSQL, MYSQL_NATIVE, type ServerKind } from '../../../measure/audit/plan.ts';
import { type Rebuild, writeAndRebuild } from '../../../measure/audit/rebuild.ts';
import { type SchemaName, schemaIsHere } from '../../../measure/audit/schemas/load.ts';
import { engineIsHere } from '../../../measure/audit/servers.ts';
import { STATEMENT_KINDS } from '../../../measure/audit/workload/kinds.ts';
import { startWorkloadServer, stopWorkloadServers } from './support.ts';

/** The short form of `npm run measure -- audit`, which writes 20,000 statements to each. */
const SHORT: readonly (readonly [ServerKind, SchemaName, number])[] = [
  [MARIADB, 'openemr', 1_000],
  [MARIADB, 'demo', 1_000],
  [MARIADB, 'awkward', 1_000],
  [MYSQL, 'openemr', 1_000],
  [MYSQL_NATIVE, 'demo', 1_000],
  [MYSQL_NATIVE, 'awkward', 1_000],
];

afterAll(stopWorkloadServers);

describe.each(
  SHORT.filter(([server, schema]) => engineIsHere(server.engine) && schemaIsHere(schema)).map(
    ([server, schema, statements]) => ({ title: `${server.title}, ${schema}`, server, schema, statements }),
  ),
)('random statements on $title', ({ server: kind, schema, statements }) => {
  let found: Rebuild;

  it('rebuilds every table from a snapshot and the audit rows alone, in three independent ways', async () => {
    const server = await startWorkloadServer('reconstruction', kind);
    found = await writeAndRebuild(server, { schema, statements, seed: 'test', sessions: 3, events: 0 });
    // MySQL shows a trigger the row as a joined DELETE read it, whatever a cascade has changed since.
    if (found.equal < found.tables || kind.engine === 'mariadb') expect(found.differences).toEqual([]);
    expect(found.equal).toBe(found.tables);
    expect(found.workload.tally.statements).toBeGreaterThanOrEqual(statements);
  }, 120_000);

  it('wrote to every table, in every way, and mostly with success', () => {
    const { tally, shape } = found.workload;
    expect(shape.tables.map(({ name }) => name).filter((name) => !tally.tables.has(name))).toEqual([]);
    expect(STATEMENT_KINDS.filter((name) => name !== 'delete all rows' && !tally.kinds.has(name))).toEqual(
      [],
    );
    expect(tally.failed).toBeLessThan(tally.statements / 5);
  });

  it('finds an audit row for every row change of the binary log, and no audit row without a reason', () => {
    const { log } = found;
    expect(log?.rowChanges).toBeGreaterThan(statements / 2);
    expect(log?.missing).toEqual([]);
    expect(log?.audited).toBe(log?.rowChanges);
    expect(log?.beyond.filter(({ reason }) => reason === 'unexplained')).toEqual([]);
    expect([log?.otherObjects, log?.statements, log?.whileStopped]).toEqual([[], [], 0]);
  });
});
