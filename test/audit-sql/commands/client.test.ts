import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { findProgram } from '../../../examples/support/private-mariadb.ts';
import { mysqlProgram } from '../../../examples/support/private-mysql.ts';
import { asRecommended, lenient, startServer, type TestEngine } from '../support.ts';
import { SMALL_EMR } from './schema.ts';
import { type Cli, commandLine } from './support.ts';

// Each command is a process of its own, and a fresh server takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const CLIENTS: readonly (readonly [string, TestEngine, () => readonly string[]])[] = [
  ['mariadb', 'mariadb', () => [findProgram('mariadb') ?? 'mariadb']],
  ['mysql', 'mysql', () => mysqlProgram('usr/bin/mysql')],
];

describe.each(CLIENTS)('the scripts fed to the %s client by hand', (name, engine, program) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let cli: Cli;

  beforeAll(async () => {
    server = await startServer(`audit-sql-client-${name}`, engine, asRecommended(engine));
    cli = commandLine(server);
    admin = await lenient(server);
    await admin.query('CREATE DATABASE emr');
    for (const statement of SMALL_EMR) await admin.query(statement);
  });

  afterAll(async () => {
    await admin?.end().catch(() => {});
    await server?.stop();
  });

  function feed(file: string): void {
    const [command = '', ...arguments_] = program();
    const fed = spawnSync(
      command,
      // The client's own defaults, a clinic's odd ones included: the script must set what it needs itself.
      [
        ...arguments_,
        '--no-defaults',
        `--socket=${server.socket}`,
        '--user=root',
        '--default-character-set=latin1',
      ],
      {
        input: readFileSync(file),
        env: { ...process.env, MYSQL_PWD: server.administrator.password },
        encoding: 'utf8',
      },
    );
    expect(fed.stderr.replace(/^.*Using a password.*\n/m, '')).toBe('');
    expect(fed.status).toBe(0);
  }

  /** Everything that the audit consists of, without the times at which it was made. */
  async function catalogue(): Promise<unknown> {
    const read = async (sql: string): Promise<unknown> => (await admin.query(sql))[0];
    const schemas = "IN ('emr', 'emr_audit')";
    return {
      triggers: await read(
        `SELECT TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER,
                ACTION_STATEMENT, DEFINER, SQL_MODE, CHARACTER_SET_CLIENT, COLLATION_CONNECTION
           FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA ${schemas} ORDER BY 1, 2`,
      ),
      columns: await read(
        `SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, COLLATION_NAME, IS_NULLABLE, EXTRA, COLUMN_COMMENT
           FROM information_schema.COLUMNS WHERE TABLE_SCHEMA ${schemas} ORDER BY 1, 2, ORDINAL_POSITION`,
      ),
      keys: await read(
        `SELECT TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS
          WHERE TABLE_SCHEMA ${schemas} ORDER BY 1, 2, 3`,
      ),
      views: await read(
        `SELECT TABLE_NAME, VIEW_DEFINITION, DEFINER, SECURITY_TYPE FROM information_schema.VIEWS
          WHERE TABLE_SCHEMA ${schemas} ORDER BY 1`,
      ),
      routines: await read(
        `SELECT ROUTINE_NAME, ROUTINE_DEFINITION, DEFINER, SECURITY_TYPE, SQL_MODE, CHARACTER_SET_CLIENT
           FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA ${schemas} ORDER BY 1`,
      ),
      grants: [
        await read("SHOW GRANTS FOR 'chartgate_audit'@'localhost'"),
        await read("SHOW GRANTS FOR 'chartgate_guard'@'localhost'"),
      ],
    };
  }

  it('make the same catalogue as --apply, and --apply finds nothing left to do', async () => {
    const folder = join(cli.folder, 'sql');
    for (const script of ['start', 'guard']) {
      expect(await cli.run(script, '--out', folder)).toMatchObject({ status: 0, stderr: '' });
      feed(join(folder, `${script}.sql`));
    }
    const byHand = await catalogue();
    expect((await cli.run('coverage')).status).toBe(0);
    const again = JSON.parse((await cli.run('start', '--apply', '--json')).stdout) as { skipped: number };
    expect(again.skipped).toBeGreaterThan(20);

    await cli.run('stop', '--apply');
    await admin.query('DROP DATABASE emr_audit');
    await admin.query("DROP USER 'chartgate_audit'@'localhost', 'chartgate_guard'@'localhost'");
    for (const script of ['start', 'guard'])
      expect(await cli.run(script, '--apply')).toMatchObject({ status: 0 });
    expect(await catalogue()).toEqual(byHand);
  });

  it('stop what they started', async () => {
    const folder = join(cli.folder, 'sql');
    await cli.run('stop', '--out', folder);
    feed(join(folder, 'stop.sql'));
    const stopped = await cli.run('coverage');
    expect(stopped.status).toBe(1);
    expect(stopped.stdout).toMatch(/0 of 6 covered[\s\S]*- stopped: Auditing was stopped on /);
  });
});
