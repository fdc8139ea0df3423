import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { SHAPES, type Shape } from './cascade-shapes.ts';
import { contentOf, counting, lastTrailId, replayed, startAudit, trailRows } from './following.ts';
import { lenient, startServer, type TestEngine } from './support.ts';

/**
 * Who cascades: InnoDB on MariaDB and, where told, on MySQL; MySQL's own layer since 9.6, which can also
 * fire the children's triggers.
 */
const MODES: readonly (readonly [string, TestEngine, readonly string[]])[] = [
  ['MariaDB', 'mariadb', []],
  ['MySQL, cascades by its own layer', 'mysql', []],
  ['MySQL, cascades by its own layer with triggers', 'mysql', ['--enable-cascade-triggers=ON']],
  ['MySQL, cascades by InnoDB', 'mysql', ['--innodb-native-foreign-keys=ON']],
];

describe.each(MODES)('%s', (mode, engine, extra) => {
  let server: PrivateDatabase;
  let admin: Connection;

  beforeAll(async () => {
    server = await startServer(
      `audit-sql-cascades-${MODES.findIndex(([name]) => name === mode)}`,
      engine,
      extra,
    );
    admin = await lenient(server);
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  /** A schema of its own with the shape's tables and rows. */
  async function make(name: string, shape: Shape): Promise<void> {
    await admin.query(`DROP DATABASE IF EXISTS ${name}; DROP DATABASE IF EXISTS ${name}_audit`);
    await admin.query(`CREATE DATABASE ${name}; USE ${name}; ${shape.tables}`);
    await admin.query(`SET foreign_key_checks = 0; ${shape.rows}; SET foreign_key_checks = 1`);
  }

  /** The error's number, or 0. */
  async function run(schema: string, statement: string): Promise<number> {
    const failed = await admin.query(`USE ${schema}; ${statement}`).then(
      () => 0,
      (error: { errno?: number }) => error.errno ?? -1,
    );
    await admin.query('SET foreign_key_checks = 1');
    return failed;
  }

  it.each(SHAPES.filter((shape) => !shape.not?.includes(mode)))('$name', async (shape) => {
    // A twin without the audit: every statement must end the same in both.
    await make('twin', shape);
    await make('shape', shape);
    const model = await startAudit(admin, 'shape');
    for (const statement of shape.statements) {
      const before = await contentOf(admin, model);
      const last = await lastTrailId(admin, 'shape');
      const ended = await run('shape', statement);
      expect({ statement, ended }).toEqual({ statement, ended: await run('twin', statement) });
      expect(await contentOf(admin, { ...model, schema: 'twin' })).toEqual(await contentOf(admin, model));
      const rows = counting(await trailRows(admin, 'shape', last));
      expect({ statement, content: replayed(before, rows, model) }).toEqual({
        statement,
        content: await contentOf(admin, model),
      });
      // The view for auditors follows the same rule.
      expect(await trailRows(admin, 'shape', last, 'audit_trail')).toEqual(rows);
      for (const row of rows) if (row.operation === 'cascade-update') expect(row.changes).not.toBe('{}');
    }
  });
});
