import { setTimeout as delay } from 'node:timers/promises';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CoverageReport } from '../../../audit-sql/index.ts';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { ENGINES, lenient, startServer } from '../support.ts';
import { type Cli, commandLine } from './support.ts';

// Each command is a process of its own, and a fresh server takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const TABLES = 60;

describe.each(ENGINES)('applying on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let cli: Cli;

  beforeAll(async () => {
    server = await startServer(`audit-sql-apply-${engine}`, engine);
    cli = commandLine(server);
    admin = await lenient(server);
    await admin.query('CREATE DATABASE emr');
    const tables = Array.from(
      { length: TABLES },
      (_, n) => `CREATE TABLE emr.t${n} (id INT PRIMARY KEY, name VARCHAR(40), born DATE, note TEXT)`,
    );
    await admin.query(tables.join(';'));
  });

  afterAll(async () => {
    await admin?.end().catch(() => {});
    await server?.stop();
  });

  async function triggers(connection: Connection): Promise<number> {
    const [[row]] = await connection.query<RowDataPacket[]>(
      "SELECT COUNT(*) AS n FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'emr'",
    );
    return Number(row?.n);
  }

  async function coverage(): Promise<CoverageReport & { readonly status: number | null }> {
    const ran = await cli.run('coverage', '--json');
    return { ...(JSON.parse(ran.stdout) as CoverageReport), status: ran.status };
  }

  it('says that nothing is covered before it was started', async () => {
    const report = await coverage();
    expect(report.status).toBe(1);
    expect(report.counts).toEqual({ covered: 0, half: 0, uncovered: TABLES });
    expect(report.faults.map(({ code }) => code)).toContain('not-started');
  });

  it('goes on where it broke off after the server was killed in the middle', async () => {
    const running = cli.run('start', '--apply');
    const seen = await lenient(server);
    while ((await triggers(seen)) < TABLES / 2) await new Promise((resolve) => setTimeout(resolve, 5));
    seen.destroy();
    await server.kill();
    const broken = await running;
    expect(broken.status).toBe(4);
    expect(broken.stderr).toMatch(/broke off at statement \d+ of \d+ \(.* trigger of "t\d+"\)/);
    expect(broken.stderr).toContain('the server does not answer');
    expect(broken.stderr).toContain('can be run again');
    await server.restart();
    admin.destroy();
    admin = await lenient(server);

    const between = await coverage();
    expect(between.status).toBe(1);
    expect(between.counts.uncovered).toBeGreaterThan(0);
    expect(between.counts.covered + between.counts.half + between.counts.uncovered).toBe(TABLES);
    expect((await cli.run('coverage')).stdout).toContain('NOT COVERED');

    const again = await cli.run('start', '--apply', '--json');
    expect(again).toMatchObject({ status: 0, stderr: '' });
    expect((JSON.parse(again.stdout) as { skipped: number }).skipped).toBeGreaterThan(0);
    expect(await cli.run('guard', '--apply')).toMatchObject({ status: 0 });
    const after = await coverage();
    expect(after).toMatchObject({ status: 0, covered: true, faults: [] });
    expect(after.counts).toEqual({ covered: TABLES, half: 0, uncovered: 0 });
  });

  it('changes no trigger where all are as they should be', async () => {
    const made = async (): Promise<unknown> => {
      const [rows] = await admin.query(
        "SELECT TRIGGER_NAME, CREATED FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'emr' ORDER BY 1",
      );
      return rows;
    };
    const before = await made();
    expect(await cli.run('start', '--apply')).toMatchObject({ status: 0 });
    expect(await made()).toEqual(before);
  });

  const DAMAGE: readonly (readonly [string, string, RegExp])[] = [
    ['a trigger that is missing', 'DROP TRIGGER', /"t7": HALF covered: the AFTER DELETE trigger is missing/],
    [
      'a trigger that does nothing',
      'REPLACE',
      /"t7": HALF covered: the AFTER DELETE trigger .*has another body/,
    ],
  ];

  it.each(DAMAGE)('finds %s, and start repairs it', async (_, how, said) => {
    const [[row]] = await admin.query<RowDataPacket[]>(
      "SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'emr' AND EVENT_OBJECT_TABLE = 't7' AND EVENT_MANIPULATION = 'DELETE'",
    );
    await admin.query(`DROP TRIGGER emr.\`${String(row?.name)}\``);
    if (how === 'REPLACE') {
      await admin.query(
        `CREATE TRIGGER emr.\`${String(row?.name)}\` AFTER DELETE ON emr.t7 FOR EACH ROW SET @x = 1`,
      );
    }
    const found = await cli.run('coverage');
    expect(found.stdout).toMatch(said);
    expect(found.status).toBe(1);
    expect(await cli.run('start', '--apply')).toMatchObject({ status: 0 });
    expect((await cli.run('coverage')).status).toBe(0);
  });

  it('names who holds a table, what is covered, and the exit code 4, when a table stays in use', async () => {
    await admin.query('ALTER TABLE emr.t3 ADD COLUMN later INT');
    const holder = await lenient(server, 'emr');
    await holder.query('START TRANSACTION');
    await holder.query('SELECT * FROM t3');
    const waited = await cli.run('start', '--apply', '--lock-timeout', '1');
    const stopping = await cli.run('stop', '--apply', '--lock-timeout', '1');
    await holder.query('COMMIT');
    expect(stopping.stderr).toMatch(/waited 1 s for the table "t3"/);
    expect(stopping.status).toBe(4);
    expect(waited.status).toBe(4);
    expect(waited.stderr).toMatch(/waited 1 s for the table "t3"/);
    expect(waited.stderr).toContain(`connection ${holder.threadId} (`);
    expect(waited.stderr).toMatch(/Tables now: \d+ covered, \d+ half covered, \d+ not covered/);
    await holder.end();
    expect(await cli.run('start', '--apply', '--lock-timeout', '1')).toMatchObject({ status: 0 });
  });

  it('refuses a second apply on the same schema while one is under way', async () => {
    await admin.query('ALTER TABLE emr.t4 ADD COLUMN later INT');
    const holder = await lenient(server, 'emr');
    await holder.query('START TRANSACTION');
    await holder.query('SELECT * FROM t4');
    const first = cli.run('start', '--apply', '--lock-timeout', '20');
    for (;;) {
      const [rows] = await admin.query<RowDataPacket[]>(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table metadata lock%'",
      );
      if (rows.length > 0) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const command of ['start', 'stop', 'guard']) {
      const second = await cli.run(command, '--apply');
      expect(second.stderr).toMatch(
        /Another script is being applied to the schema "emr" by the server's connection \d+/,
      );
      expect(second.status).toBe(4);
    }
    await holder.query('COMMIT');
    await holder.end();
    expect(await first).toMatchObject({ status: 0 });
  });

  it('writes the same bytes each time', async () => {
    const text = (await cli.run('start')).stdout;
    expect(text.length).toBeGreaterThan(1000);
    expect((await cli.run('start')).stdout).toBe(text);
  });

  it('says so when the schema was changed while start ran', async () => {
    await admin.query(
      'CREATE DATABASE ward; CREATE TABLE ward.a (id INT PRIMARY KEY); CREATE TABLE ward.z LIKE ward.a',
    );
    const other = await lenient(server);
    await other.query('LOCK TABLES ward.z READ');
    const running = commandLine(server, 'ward').run('start', '--apply', '--json');
    for (let made = 0; made === 0; await delay(20)) {
      const [rows] = await admin.query<RowDataPacket[]>(
        "SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table metadata lock'",
      );
      made = rows.length;
    }
    await admin.query('CREATE TABLE ward.fresh (id INT PRIMARY KEY)');
    await other.end();
    const ran = await running;
    expect(ran.status).toBe(4);
    expect(JSON.parse(ran.stdout)).toEqual({
      error: {
        code: 'database-busy',
        message: expect.stringMatching(
          /not all of it is audited:\n- The table "fresh" is new, with 1 columns/,
        ),
      },
    });
  });
});
