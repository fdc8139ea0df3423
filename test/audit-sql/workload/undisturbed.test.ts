import { afterAll, describe, expect, it } from 'vitest';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { MARIADB, MYSQL_NATIVE, type ServerKind } from '../../../measure/audit/plan.ts';
import { loadSchema, type SchemaName, schemaIsHere } from '../../../measure/audit/schemas/load.ts';
import { type Content, readContent } from '../../../measure/audit/second-opinion/content.ts';
import { administrator, engineIsHere } from '../../../measure/audit/servers.ts';
import { startAudit } from '../../../measure/audit/start.ts';
import { runWorkload } from '../../../measure/audit/workload/run.ts';
import { readShape } from '../../../measure/audit/workload/shape.ts';
import { startWorkloadServer, stopWorkloadServers } from './support.ts';

/** Any moment will do; both runs must have the same. */
const CLOCK = 1_790_000_000;
const STATEMENTS = 700;

interface Run {
  readonly lines: readonly string[];
  readonly content: Content;
}

/** The same seed on the same content gives the same statements, as long as the server answers the same. */
async function run(server: PrivateDatabase, schema: SchemaName, audited: boolean): Promise<Run> {
  const connection = await administrator(server);
  try {
    for (const name of [schema, `${schema}_audit`, `${schema}_workload`]) {
      await connection.query(`DROP DATABASE IF EXISTS ${name}`);
    }
    await connection.query(`SET timestamp = ${CLOCK}`);
    if (audited) await startAudit(connection, server.engine, schema);
    else await loadSchema(connection, server.engine, schema);
    const lines: string[] = [];
    await runWorkload({
      engine: server.engine,
      connect: (options) => server.connect(options),
      schema,
      seed: 'undisturbed',
      statements: STATEMENTS,
      sessions: 1,
      files: server.directory,
      events: 0,
      clock: CLOCK,
      // Where REPLACE puts the row in a table without transactions depends on whether it has a trigger at all;
      // statements that take "the first two rows" then take others.
      tables: (table) => table.engine === 'InnoDB',
      log: (line) => lines.push(line),
    });
    return {
      lines,
      content: await readContent(connection, server.engine, await readShape(connection, schema)),
    };
  } finally {
    await connection.end();
  }
}

afterAll(stopWorkloadServers);

const CASES: readonly (readonly [ServerKind, SchemaName])[] = [
  [MARIADB, 'demo'],
  [MARIADB, 'openemr'],
  [MYSQL_NATIVE, 'demo'],
];

describe.each(
  CASES.filter(([kind, schema]) => engineIsHere(kind.engine) && schemaIsHere(schema)).map(
    ([kind, schema]) => ({ title: `${kind.title}, ${schema}`, kind, schema }),
  ),
)('an EMR under audit: $title', ({ kind, schema }) => {
  it('gets the same answer to every statement and ends with the same rows as without', async () => {
    const server = await startWorkloadServer('undisturbed', kind);
    const plain = await run(server, schema, false);
    const audited = await run(server, schema, true);
    const first = plain.lines.findIndex((line, index) => line !== audited.lines[index]);
    expect(first < 0 ? [] : [plain.lines[first], audited.lines[first]]).toEqual([]);
    expect(plain.lines.length).toBeGreaterThan(STATEMENTS);
    for (const [table, rows] of plain.content) {
      const sorted = (content: Content): string[] =>
        (content.get(table) ?? []).map((row) => JSON.stringify([...row])).sort();
      expect([table, sorted(audited.content)]).toEqual([
        table,
        rows.map((r) => JSON.stringify([...r])).sort(),
      ]);
    }
  }, 120_000);
});
