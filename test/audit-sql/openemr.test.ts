import { spawnSync } from 'node:child_process';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareSnapshot, openBaseline, readSnapshot } from '../../audit-sql/fingerprint/index.ts';
import { type AuditNames, apply, type Scripts, takeBaseline } from '../../audit-sql/index.ts';
import { findProgram, type PrivateMariadb } from '../../examples/support/private-mariadb.ts';
import {
  auditAll,
  auditRows,
  CHECKER,
  CHECKER_PASSWORD,
  connectAs,
  EMR_PASSWORD,
  generateFor,
  keyPair,
  lastAuditId,
  lenient,
  loadOpenemr,
  makeEmrUser,
  openemrIsHere,
  startServer,
  trusting,
} from './support.ts';

// The schema belongs to another project and lies beside this one, where it is there at all.
describe.runIf(openemrIsHere)('OpenEMR 5 on a real server', () => {
  let server: PrivateMariadb;
  let admin: Connection;
  let names: AuditNames;
  let scripts: Scripts;
  let expectedTables: readonly string[];

  beforeAll(async () => {
    server = await startServer('audit-sql-openemr');
    admin = await lenient(server);
    expectedTables = await loadOpenemr(admin, 'openemr');
    await makeEmrUser(admin);
    ({ names, scripts } = await auditAll(admin, 'openemr'));
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  it('has every table of the script', async () => {
    const [rows] = await admin.query<RowDataPacket[]>(
      "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'openemr' ORDER BY BINARY TABLE_NAME",
    );
    expect(rows.map((row) => row.name)).toEqual(expectedTables);
    expect(rows.length).toBeGreaterThan(200);
  });

  it('has an insert, an update and a delete trigger on every table', async () => {
    const [rows] = await admin.query<RowDataPacket[]>(
      `SELECT EVENT_OBJECT_TABLE AS t, GROUP_CONCAT(EVENT_MANIPULATION ORDER BY EVENT_MANIPULATION) AS events
         FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'openemr' AND ACTION_TIMING = 'AFTER'
        GROUP BY EVENT_OBJECT_TABLE ORDER BY BINARY EVENT_OBJECT_TABLE`,
    );
    expect(rows.map((row) => [row.t, row.events])).toEqual(
      expectedTables.map((table) => [table, 'DELETE,INSERT,UPDATE']),
    );
  });

  it('records insert, update and delete by the EMR, who, where and what', async () => {
    const emr = await connectAs(server, 'emr', EMR_PASSWORD, 'openemr');
    const before = await lastAuditId(admin, 'openemr');
    await emr.query("SET SESSION sql_mode = ''");
    const [inserted] = await emr.query(
      "INSERT INTO patient_data (fname, lname, DOB, sex, pid) VALUES ('Ada', 'O''Test \"x\" \\\\ ü', '1980-02-03', 'Female', 4711)",
    );
    const id = (inserted as { insertId: number }).insertId;
    await emr.query("UPDATE patient_data SET fname = 'ada' WHERE pid = 4711");
    await emr.query('DELETE FROM patient_data WHERE pid = 4711');
    const rows = await auditRows(admin, 'openemr', before);
    expect(rows.map((row) => row.operation)).toEqual(['insert', 'update', 'delete']);
    for (const row of rows) {
      expect(row.emr_table).toBe('patient_data');
      expect(row.login).toBe('emr@localhost');
      expect(row.ran_as).toBe('chartgate_audit@localhost');
      expect(row.connection).toBe(emr.threadId);
      expect(Math.abs(Date.now() - Date.parse(`${row.at.replace(' ', 'T')}Z`))).toBeLessThan(60_000);
      // OpenEMR declares no primary key here; its one unique key is on `pid`.
      expect(JSON.parse(row.row_key ?? '')).toEqual({ pid: '4711' });
    }
    const [insert, update, remove] = rows;
    expect(JSON.parse(insert?.new_values ?? '')).toMatchObject({
      id: String(id),
      fname: 'Ada',
      lname: 'O\'Test "x" \\ ü',
      DOB: '1980-02-03',
      date: null,
    });
    expect(JSON.parse(update?.changes ?? '')).toEqual({ fname: ['Ada', 'ada'] });
    expect(JSON.parse(remove?.old_values ?? '')).toMatchObject({ fname: 'ada', pid: '4711' });
    expect([insert?.old_values, update?.old_values, update?.new_values, remove?.new_values]).toEqual([
      null,
      null,
      null,
      null,
    ]);
    await emr.end();
  });

  it('records every row of statements that touch many', async () => {
    const before = await lastAuditId(admin, 'openemr');
    await admin.query('USE openemr');
    await admin.query("REPLACE INTO `groups` (id, name, user) VALUES (900, 'a', 'x'), (901, 'b', 'y')");
    await admin.query("REPLACE INTO `groups` (id, name, user) VALUES (900, 'a2', 'x')");
    await admin.query(
      "INSERT INTO `groups` (id, name, user) VALUES (901, 'b', 'y') ON DUPLICATE KEY UPDATE name = 'b2'",
    );
    await admin.query(
      'INSERT INTO `groups` (name, user) SELECT name, user FROM `groups` WHERE id IN (900, 901)',
    );
    await admin.query("UPDATE `groups` a JOIN `groups` b ON a.id = b.id SET a.user = 'z' WHERE a.id >= 900");
    await admin.query('DELETE a FROM `groups` a WHERE a.id >= 900');
    const operations = (await auditRows(admin, 'openemr', before)).map((row) => row.operation);
    expect(operations.filter((o) => o === 'insert')).toHaveLength(5);
    expect(operations.filter((o) => o === 'delete')).toHaveLength(5);
    expect(operations.filter((o) => o === 'update').length).toBeGreaterThanOrEqual(5);
  });

  it('generates the same bytes again, from the same schema', async () => {
    const again = await generateFor(admin, 'openemr');
    for (const name of ['start', 'stop', 'guard'] as const) {
      expect(again.scripts[name]).toEqual(scripts[name]);
    }
    // What protect had to do is done by now.
    expect((await generateFor(admin, 'openemr')).scripts.protect).toEqual(again.scripts.protect);
    expect(again.scripts.start.text).toBe((await generateFor(admin, 'openemr')).scripts.start.text);
  });

  it('gives the mariadb client files that do exactly what --apply does', async () => {
    const client = findProgram('mariadb', 'mysql');
    if (client === undefined) throw new Error('the mariadb client is missing');
    const key = keyPair();
    const before = openBaseline(await takeBaseline(admin, names, key.privatePem), trusting(key.publicPem));
    for (const script of [scripts.stop, scripts.start]) {
      const run = spawnSync(client, ['--no-defaults', `--socket=${server.socket}`, '--user=root'], {
        input: script.text,
        encoding: 'utf8',
        env: { ...process.env, MYSQL_PWD: server.administrator.password },
      });
      expect([run.status, run.stderr]).toEqual([0, '']);
      if (script.name === 'stop') {
        const codes = new Set(compareSnapshot(before, await readSnapshot(admin, names)).map((f) => f.code));
        expect(codes).toEqual(new Set(['trigger-missing', 'audit-not-started']));
      }
    }
    expect(compareSnapshot(before, await readSnapshot(admin, names))).toEqual([]);
  });

  it('gives the guard and protect files to the client as well', async () => {
    const client = findProgram('mariadb', 'mysql') ?? '';
    for (const script of [scripts.guard, scripts.protect]) {
      const run = spawnSync(client, ['--no-defaults', `--socket=${server.socket}`, '--user=root'], {
        input: script.text,
        encoding: 'utf8',
        env: { ...process.env, MYSQL_PWD: server.administrator.password },
      });
      expect([run.status, run.stderr]).toEqual([0, '']);
    }
    const checker = await connectAs(server, CHECKER.user, CHECKER_PASSWORD);
    expect((await readSnapshot(checker, names)).triggers.length).toBe(expectedTables.length * 3 + 6);
    await checker.end();
  });

  it('can be started again without a finding against the baseline taken before', async () => {
    const key = keyPair();
    const baseline = openBaseline(await takeBaseline(admin, names, key.privatePem), trusting(key.publicPem));
    await apply(admin, scripts.start);
    expect(compareSnapshot(baseline, await readSnapshot(admin, names))).toEqual([]);
  });
});
