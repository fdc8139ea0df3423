import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CoverageReport } from '../../../audit-sql/index.ts';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { findProgram } from '../../../examples/support/private-mariadb.ts';
import { mysqlProgram } from '../../../examples/support/private-mysql.ts';
import { asRecommended, ENGINES, lenient, startServer } from '../support.ts';
import { SMALL_EMR } from './schema.ts';
import { type Cli, commandLine } from './support.ts';

// Each command is a process of its own, and a fresh server takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

describe.each(ENGINES)('what an auditor asks on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let cli: Cli;
  let binlogProgram: string;

  beforeAll(async () => {
    server = await startServer(`audit-sql-auditor-${engine}`, engine, [
      ...asRecommended(engine),
      '--log-bin=binary',
      '--binlog-format=ROW',
      '--server-id=1',
    ]);
    cli = commandLine(server);
    admin = await lenient(server, 'mysql');
    await admin.query('CREATE DATABASE emr');
    for (const statement of SMALL_EMR) await admin.query(statement);
    const program =
      engine === 'mariadb' ? [findProgram('mariadb-binlog') ?? ''] : mysqlProgram('usr/bin/mysqlbinlog');
    binlogProgram = join(cli.folder, 'binlog-program');
    writeFileSync(binlogProgram, `#!/bin/sh\nexec ${program.map((part) => `'${part}'`).join(' ')} "$@"\n`);
    chmodSync(binlogProgram, 0o755);
    for (const script of ['start', 'guard'])
      expect(await cli.run(script, '--apply')).toMatchObject({ status: 0 });
    for (const statement of [
      "INSERT INTO emr.patient VALUES (7, 'Müller ', 'A'), (8, 'Öz', 'B')",
      "UPDATE emr.patient SET name = 'Meier' WHERE id = 7",
      "INSERT INTO emr.encounter VALUES (1, 7, 'cough')",
      'UPDATE emr.patient SET id = 9 WHERE id = 7',
      'DELETE FROM emr.patient WHERE id = 9',
    ]) {
      await admin.query(statement);
    }
  });

  afterAll(async () => {
    await admin?.end().catch(() => {});
    await server?.stop();
  });

  it('history prints the life of a record as a table and as JSON', async () => {
    const life = await cli.run('history', 'patient', '7');
    expect(life).toMatchObject({ status: 0, stderr: '' });
    expect(life.stdout).toMatch(/insert[\s\S]*Meier[\s\S]*delete/);
    expect(life.stdout).toContain('root@');
    const parsed: unknown = JSON.parse((await cli.run('history', 'patient', 'id=7', '--json')).stdout);
    expect(parsed).toEqual(expect.any(Object));
    const cascaded = await cli.run('history', 'encounter', '1');
    expect(cascaded.stdout).toMatch(/cascade-update[\s\S]*cascade-delete/);
  });

  const WRONG: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['a table that is not there', ['pateint', '7'], /patient/],
    ['a column that is no key', ['patient', 'nmae=x'], /nmae|id/],
    ['a time that is none', ['patient', '7', '--since', 'yesterday'], /yesterday|UTC/],
  ];

  it.each(WRONG)('history refuses %s with exit code 2', async (_, arguments_, said) => {
    const ran = await cli.run('history', ...arguments_);
    expect(ran.stderr).toMatch(said);
    expect(ran.status).toBe(2);
  });

  it('verify finds everything in order', async () => {
    const verified = await cli.run('verify', '--content');
    expect(verified.stdout + verified.stderr).not.toMatch(/FINDING/i);
    expect(verified.status).toBe(0);
  });

  it('coverage --binlog finds an audit row for every row change', async () => {
    const ran = await cli.run('coverage', '--binlog', '--binlog-program', binlogProgram, '--json');
    expect(ran.stderr).toBe('');
    const report = JSON.parse(ran.stdout) as CoverageReport;
    expect(report.binaryLog).toMatchObject({ complete: true, ratio: 1 });
    expect(report.binaryLog?.rowChanges).toBeGreaterThanOrEqual(6);
    expect(report).toMatchObject({ covered: true, faults: [] });
    expect(ran.status).toBe(0);
  });

  it('coverage finds a trigger of the EMR that came after ours, and start puts ours last again', async () => {
    await admin.query(
      'CREATE TRIGGER emr.late BEFORE UPDATE ON emr.patient FOR EACH ROW SET NEW.id = NEW.id + 0',
    );
    const found = await cli.run('coverage');
    expect(found.stdout).toMatch(/"patient": HALF covered: the BEFORE UPDATE trigger comes before another/);
    expect(found.status).toBe(1);
    expect(await cli.run('start', '--apply')).toMatchObject({ status: 0 });
    expect((await cli.run('coverage')).status).toBe(0);
  });

  it('verify and coverage --binlog find what was changed while a trigger was away', async () => {
    const [rows] = await admin.query(
      "SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'emr' AND EVENT_OBJECT_TABLE = 'patient' AND EVENT_MANIPULATION = 'UPDATE' AND ACTION_TIMING = 'AFTER'",
    );
    const name = (rows as { name: string }[])[0]?.name ?? '';
    await admin.query(`DROP TRIGGER emr.\`${name}\``);
    await admin.query("UPDATE emr.patient SET name = 'someone else' WHERE id = 8");
    expect(await cli.run('start', '--apply')).toMatchObject({ status: 0 });
    expect((await cli.run('coverage')).status).toBe(0);

    const verified = await cli.run('verify', '--content', 'patient', '--keys');
    expect(verified.status).toBe(1);
    expect(verified.stdout).toMatch(/patient/);
    const log = await cli.run('coverage', '--binlog', '--binlog-program', binlogProgram);
    expect(log.status).toBe(1);
    expect(log.stdout).toMatch(/MISSING "patient": update of 1 row/);
    expect(log.stdout).toMatch(/binary-log-statements: .*DROP TRIGGER/);
  });

  it('coverage --binlog counts the changes also where the log in which auditing was started is gone', async () => {
    for (let left = 2, tries = 0; left > 1 && tries < 20; tries += 1) {
      await admin.query('FLUSH BINARY LOGS');
      await delay(200);
      const [logs] = await admin.query<RowDataPacket[]>('SHOW BINARY LOGS');
      await admin.query(`PURGE BINARY LOGS TO '${String(logs.at(-1)?.Log_name)}'`);
      left = (await admin.query<RowDataPacket[]>('SHOW BINARY LOGS'))[0].length;
    }
    await admin.query("UPDATE emr.patient SET name = 'later' WHERE id = 8");
    const ran = await cli.run('coverage', '--binlog', '--binlog-program', binlogProgram, '--json');
    const { binaryLog } = JSON.parse(ran.stdout) as CoverageReport;
    expect(binaryLog).toMatchObject({ rowChanges: 1, audited: 1, whileStopped: 0, complete: true });
  });

  it('coverage lists who may replay row events, which fire no trigger', async () => {
    const privilege = engine === 'mariadb' ? 'BINLOG REPLAY' : 'BINLOG_ADMIN';
    await admin.query(`CREATE USER 'player'@'localhost'; GRANT ${privilege} ON *.* TO 'player'@'localhost'`);
    const report = JSON.parse((await cli.run('coverage', '--json')).stdout) as CoverageReport;
    expect(report.powerfulAccounts).toContainEqual(
      expect.objectContaining({ account: 'player@localhost', powers: ['bypass'] }),
    );
  });

  it("verify does not call what another schema's audit on the same server needs too much", async () => {
    await admin.query('CREATE DATABASE ward_2; CREATE TABLE ward_2.bed (id INT PRIMARY KEY)');
    expect(await commandLine(server, 'ward_2').run('start', '--apply')).toMatchObject({ status: 0 });
    expect((await cli.run('verify')).stdout).not.toContain('account-privilege-extra');
    await admin.query(
      "GRANT DELETE ON ward_2_audit.audit_row TO 'chartgate_audit'@'localhost'; GRANT TRIGGER ON `ward%`.* TO 'chartgate_audit'@'localhost'",
    );
    const extra = (await cli.run('verify')).stdout.match(/account-privilege-extra: .*/g);
    expect(extra).toHaveLength(2);
    expect(extra?.join()).toMatch(/has DELETE on `ward_2_audit`\.`audit_row`/);
  });

  it('verify --content counts the rows of which no audit row tells, such as one inserted around the audit', async () => {
    const ward = commandLine(server, 'ward_2');
    await admin.query('INSERT INTO ward_2.bed VALUES (1)');
    expect((await ward.run('verify', '--content')).stdout).not.toContain('rows-unknown');
    const [[trigger]] = await admin.query<RowDataPacket[]>(
      "SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'ward_2' AND EVENT_MANIPULATION = 'INSERT'",
    );
    await admin.query(`DROP TRIGGER ward_2.\`${String(trigger?.name)}\``);
    await admin.query('INSERT INTO ward_2.bed VALUES (2), (3)');
    await ward.run('start', '--apply');
    expect((await ward.run('verify', '--content')).stdout).toMatch(/rows-unknown: 2 rows .* "bed" \(2\)\./);
  });

  it('does the same whatever the server has set for new sessions', async () => {
    const scripts = async (): Promise<string[]> => {
      const ran = [await cli.run('start'), await cli.run('protect'), await cli.run('coverage', '--json')];
      return ran.map(({ stdout }) => stdout.replace(/"(takenAt|at)":"[^"]*"/g, ''));
    };
    const entries = async (): Promise<number> =>
      (await admin.query<RowDataPacket[]>('SELECT 1 FROM emr_audit.audit_instatement_log'))[0].length;
    const [before, started] = [await scripts(), await entries()];
    const [[mode]] = await admin.query<RowDataPacket[]>('SELECT @@GLOBAL.sql_mode AS mode');
    await admin.query(
      "SET GLOBAL autocommit = 0, GLOBAL sql_select_limit = 3, GLOBAL sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH'",
    );
    const during = await scripts();
    expect(await cli.run('start', '--apply')).toMatchObject({ status: 0 });
    await admin.query('SET GLOBAL autocommit = 1, GLOBAL sql_select_limit = DEFAULT, GLOBAL sql_mode = ?', [
      mode?.mode,
    ]);
    expect(during).toEqual(before);
    expect(await entries()).toBe(started + 1);
  });

  it('says what is missing where the binary log does not show rows', async () => {
    await admin.query("SET GLOBAL binlog_row_image = 'MINIMAL'");
    const ran = await cli.run('coverage', '--binlog', '--binlog-program', binlogProgram);
    await admin.query("SET GLOBAL binlog_row_image = 'FULL'");
    expect(ran.status).toBe(2);
    expect(ran.stderr).toMatch(/binlog_row_image=FULL; here .*binlog_row_image=MINIMAL/);
  });
});
