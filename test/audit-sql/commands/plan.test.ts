import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Plan } from '../../../audit-sql/index.ts';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { asRecommended, ENGINES, lenient, startServer } from '../support.ts';
import { SMALL_EMR } from './schema.ts';
import { type Cli, commandLine } from './support.ts';

// Each command is a process of its own, and a fresh server takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

describe.each(ENGINES)('chartgate audit-sql plan on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let cli: Cli;

  beforeAll(async () => {
    server = await startServer(`audit-sql-plan-${engine}`, engine, asRecommended(engine));
    cli = commandLine(server);
    admin = await lenient(server);
    await admin.query('CREATE DATABASE emr');
    for (const statement of SMALL_EMR) await admin.query(statement);
  });

  afterAll(async () => {
    await admin?.end().catch(() => {});
    await server?.stop();
  });

  const WRITES =
    /^Com_(?!show_)(?:.*(?:create|alter|drop|insert|update|delete|replace|grant|revoke|rename|truncate|load|lock_tables|flush|kill|set_password).*)$/;

  async function writes(): Promise<unknown> {
    const [rows] = await admin.query<(RowDataPacket & { Variable_name: string; Value: string })[]>(
      "SHOW GLOBAL STATUS LIKE 'Com\\_%'",
    );
    return rows.filter((row) => WRITES.test(row.Variable_name));
  }

  async function catalogue(): Promise<unknown> {
    const read = async (sql: string): Promise<unknown> => (await admin.query(sql))[0];
    return [
      await read('SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY 1'),
      await read(
        "SELECT TABLE_SCHEMA, TABLE_NAME, CREATE_TIME FROM information_schema.TABLES WHERE TABLE_SCHEMA LIKE 'emr%' ORDER BY 1, 2",
      ),
      await read('SELECT TRIGGER_NAME, CREATED FROM information_schema.TRIGGERS ORDER BY TRIGGER_SCHEMA, 1'),
      await read('SELECT User, Host FROM mysql.user ORDER BY 1, 2'),
    ];
  }

  it('changes nothing on the server, nor does coverage', async () => {
    const before = [await writes(), await catalogue()];
    expect(await cli.run('plan')).toMatchObject({ status: 0, stderr: '' });
    expect((await cli.run('coverage')).status).toBe(1);
    expect([await writes(), await catalogue()]).toEqual(before);
  });

  it('says for each table how it is recorded, and sums it up first', async () => {
    const plan = JSON.parse((await cli.run('plan', '--json')).stdout) as Plan;
    expect(plan.summary).toMatchObject({ tables: 6, keyless: 1, emrTriggers: 1, staleTriggers: 0 });
    expect(plan.summary.triggers).toMatchObject({ replace: 0, keep: 0 });
    const patient = plan.tables.find(({ table }) => table === 'patient');
    expect(patient).toMatchObject({ key: ['id'], cascades: ['encounter', 'vitals'] });
    expect(patient?.emrTriggers.map(({ name }) => name)).toEqual(['emr_own']);
    expect(plan.tables.find(({ table }) => table === 'document')?.computed).toEqual(['bytes']);
    const codes = plan.blindSpots.map(({ code }) => code);
    expect(codes).toEqual(
      expect.arrayContaining(['binary-hashed', 'no-key', 'reading', 'table-statements', 'view']),
    );
    const text = (await cli.run('plan')).stdout;
    expect(text.split('\n')[0]).toBe('Plan for the schema "emr"; nothing was changed');
    expect(text).toContain('"log_line" (InnoDB, 1 column): no key: whole rows are recorded');
    expect(text.indexOf('blind spots')).toBeLessThan(text.indexOf('Tables\n'));
  });

  it('keeps what is there, replaces what was changed and makes what is missing', async () => {
    expect(await cli.run('start', '--apply')).toMatchObject({ status: 0 });
    const [own] = await admin.query<RowDataPacket[]>(
      "SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'emr' AND EVENT_OBJECT_TABLE = 'log_line' ORDER BY 1",
    );
    await admin.query(`DROP TRIGGER emr.\`${String(own[0]?.name)}\``);
    await admin.query('ALTER TABLE emr.`order` ADD COLUMN more INT');
    const { summary } = JSON.parse((await cli.run('plan', '--json')).stdout) as Plan;
    expect(summary.triggers.make).toBe(1);
    expect(summary.triggers.replace).toBe(3);
    expect(summary.triggers.keep).toBeGreaterThan(10);
  });

  it('says what a migration changed, before and when auditing starts again', async () => {
    expect(await cli.run('stop', '--apply')).toMatchObject({ status: 0 });
    await admin.query('ALTER TABLE emr.patient ADD COLUMN email VARCHAR(80)');
    await admin.query('CREATE TABLE emr.consent (id INT PRIMARY KEY)');
    expect((await cli.run('plan')).stdout).toMatch(
      /since[\s\S]*"consent" is new[\s\S]*"email" of "patient" is new/,
    );
    const started = await cli.run('start', '--apply');
    expect(started.stdout).toMatch(
      /Changed in the schema[\s\S]*"consent" is new[\s\S]*"email" of "patient" is new/,
    );
    expect((await cli.run('start', '--apply')).stdout).toContain('The tables are as they were');
    await admin.query('ALTER TABLE emr.patient DROP COLUMN email');
    await admin.query('DROP TABLE emr.consent');
  });

  it('writes files that are the same bytes on another server with the same schema', async () => {
    const other = await startServer(`audit-sql-plan-other-${engine}`, engine, asRecommended(engine));
    try {
      const there = commandLine(other);
      const connection = await lenient(other);
      await connection.query('CREATE DATABASE emr');
      // In another order, with rows: neither may show.
      const [patient, ...rest] = SMALL_EMR;
      const order = [patient, rest[3], rest[4], rest[2], rest[0], rest[1], rest[6], rest[5]];
      for (const statement of order) await connection.query(statement ?? '');
      await connection.query("INSERT INTO emr.log_line VALUES ('x')");
      await connection.end();
      await admin.query('ALTER TABLE emr.`order` DROP COLUMN more');
      await cli.run('start', '--apply');
      for (const name of ['start', 'stop', 'guard']) {
        await cli.run(name, '--out', join(cli.folder, 'sql'));
        await there.run(name, '--out', join(there.folder, 'sql'));
        const file = (one: Cli): string => readFileSync(join(one.folder, 'sql', `${name}.sql`), 'utf8');
        expect(file(there)).toBe(file(cli));
      }
    } finally {
      await other.stop();
    }
  });
});
