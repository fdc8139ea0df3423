import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dialectOf } from '../../audit-sql/dialect.ts';
import { auditNames, describeServer, preflight, readModel, type SchemaModel } from '../../audit-sql/index.ts';
import { blindSpots } from '../../audit-sql/writers/blind-spots.ts';
import { startScript } from '../../audit-sql/writers/start.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { SHAPES } from './cascade-shapes.ts';
import { contentOf, counting, lastTrailId, startAudit, trailRows } from './following.ts';
import { lenient, startServer } from './support.ts';

/*
 * MySQL 9.6 and later do foreign keys above InnoDB unless told otherwise. Faults of that layer, none of which
 * an audit can mend, with the sentence of the plan that foretells them. When one of these tests fails because
 * a newer MySQL is right, that sentence can go.
 */

const THREE = `
  CREATE TABLE p (id INT PRIMARY KEY);
  CREATE TABLE e (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE);
  CREATE TABLE o (id INT PRIMARY KEY, e INT, v INT, FOREIGN KEY (e) REFERENCES e (id) ON DELETE SET NULL);
  CREATE TABLE f (id INT PRIMARY KEY); CREATE TABLE u (id INT PRIMARY KEY, f INT, FOREIGN KEY (f) REFERENCES f (id) ON DELETE SET NULL);
  CREATE TABLE d (id INT PRIMARY KEY, u INT, FOREIGN KEY (u) REFERENCES u (id) ON DELETE SET NULL);
  CREATE TABLE alone (id INT PRIMARY KEY); CREATE TABLE leaf (id INT PRIMARY KEY, a INT, FOREIGN KEY (a) REFERENCES alone (id) ON DELETE CASCADE)`;
const ROWS = `DELETE FROM o; DELETE FROM e; DELETE FROM p; INSERT INTO p VALUES (1), (2);
  INSERT INTO e VALUES (10, 1), (11, 1), (12, 2); INSERT INTO o VALUES (100, 10, 0), (101, 10, 0), (102, 11, 0), (103, 12, 0);
  DELETE FROM d; DELETE FROM u; DELETE FROM f; INSERT INTO f VALUES (1); INSERT INTO u VALUES (10, 1), (11, NULL); INSERT INTO d VALUES (100, 10), (101, 11)`;

async function layerSpots(admin: Connection, model: SchemaModel): Promise<ReadonlyMap<string, string>> {
  const spots = blindSpots(model, dialectOf(await describeServer(admin)));
  return new Map(
    spots.filter((s) => s.reason === 'cascade-layer').map(({ object, sentence }) => [object, sentence]),
  );
}

describe('cascades by MySQL itself', () => {
  let server: PrivateDatabase;
  let admin: Connection;
  let model: SchemaModel;

  beforeAll(async () => {
    server = await startServer('audit-sql-cascade-layer', 'mysql');
    admin = await lenient(server);
    await admin.query(`CREATE DATABASE emr; USE emr; ${THREE}`);
    model = await startAudit(admin, 'emr');
  });
  beforeEach(() => admin.query(ROWS));

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  it('calls a statement done whose cascade a lock wait broke off, and keeps rows without a parent', async () => {
    const other = await server.connect({ database: 'emr', multipleStatements: true });
    await other.query('START TRANSACTION; UPDATE o SET v = 1 WHERE id = 101');
    await admin.query('SET innodb_lock_wait_timeout = 1; DELETE FROM p WHERE id = 1').catch(() => {});
    await other.query('ROLLBACK');
    await other.end();
    const [orphans] = await admin.query<RowDataPacket[]>(
      'SELECT e.id FROM e LEFT JOIN p ON p.id = e.p WHERE p.id IS NULL',
    );
    // Recording the cascade locks its rows first, so that the server meets no lock it could pass over.
    expect(orphans).toEqual([]);
    expect((await layerSpots(admin, model)).get('p')).toMatch(/a lock wait, a deadlock/);
  });

  it('fires no trigger for the second table of a DELETE from two, where it should fire triggers', async () => {
    await admin.query('SET enable_cascade_triggers = ON');
    const last = await lastTrailId(admin, 'emr');
    const before = await contentOf(admin, model);
    await admin
      .query('DELETE f, u FROM f JOIN u ON u.f = f.id')
      .finally(() => admin.query('SET enable_cascade_triggers = OFF'));
    const rows = counting(await trailRows(admin, 'emr', last));
    expect(rows.map((row) => `${row.operation} ${row.emr_table} ${row.row_key}`)).toEqual([
      'update u {"id":10}',
      'delete f {"id":1}',
      'delete u {"id":10}',
    ]);
    expect((await contentOf(admin, model)).d).not.toEqual(before.d);
    expect((await layerSpots(admin, model)).get('u')).toMatch(/a DELETE from it and a parent/);
  });

  it('is foretold table by table, and only where the foreign keys give rise to a fault', async () => {
    const spots = await layerSpots(admin, model);
    expect([...spots.keys()]).toEqual(['e', 'p', 'u']);
    for (const sentence of spots.values()) expect(sentence).toMatch(/innodb_native_foreign_keys = ON\.$/);
  });

  it('stops start, unless somebody accepts it in so many words', async () => {
    const names = auditNames({ emrSchema: 'emr' });
    const description = await describeServer(admin);
    const script = startScript(await readModel(admin, 'emr'), names, dialectOf(description));
    const about = { server: description, names, script };
    const severities = async (more: { acceptCascadesAboveInnodb?: boolean }) =>
      (await preflight(admin, { ...about, ...more })).map(({ code, severity }) => [code, severity]);
    expect(await severities({})).toEqual([['cascades-above-innodb', 'stop']]);
    expect(await severities({ acceptCascadesAboveInnodb: true })).toEqual([
      ['cascades-above-innodb', 'warn'],
    ]);
  });

  it.each(SHAPES.filter((shape) => shape.not !== undefined))(
    '$name: the plan says so',
    async ({ tables }) => {
      await admin.query(`DROP DATABASE IF EXISTS shape; CREATE DATABASE shape; USE shape; ${tables}`);
      const spots = await layerSpots(admin, await readModel(admin, 'shape'));
      await admin.query('DROP DATABASE shape; USE emr');
      expect(spots.size).toBeGreaterThan(0);
    },
  );
});
