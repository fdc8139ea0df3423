import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AuditNames,
  apply,
  describeServer,
  type Script,
  type ServerDescription,
  takeBaseline,
} from '../../audit-sql/index.ts';
import { parseGrants } from '../../audit-sql/preflight/held.ts';
import { needsOf } from '../../audit-sql/preflight/needs.ts';
import { type PreflightFinding, preflight } from '../../audit-sql/preflight.ts';
import { SCRIPT_NAMES } from '../../audit-sql/writers/script.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { connectAs, ENGINES, generateFor, keyPair, lenient, makeEmrUser, startServer } from './support.ts';

const codes = (findings: readonly PreflightFinding[]): string[] => findings.map(({ code }) => code);

describe.each(ENGINES)('before a script is applied, on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let dba: Connection;
  let names: AuditNames;
  let description: ServerDescription;

  beforeAll(async () => {
    server = await startServer('audit-sql-preflight', engine, [
      '--log-bin=log',
      '--server-id=1',
      '--binlog-format=ROW',
      ...(engine === 'mysql' ? ['--innodb-native-foreign-keys=ON'] : []),
    ]);
    admin = await lenient(server);
    await admin.query(`CREATE DATABASE old_emr; USE old_emr;
      CREATE TABLE patient (id INT PRIMARY KEY, name TEXT) ENGINE = InnoDB;
      CREATE TABLE visit (id INT PRIMARY KEY, patient INT, FOREIGN KEY (patient) REFERENCES patient (id) ON DELETE CASCADE);
      CREATE TABLE list (id INT PRIMARY KEY) ENGINE = MyISAM`);
    // As on a managed server: all that there is on its own schema, and nothing on the server.
    await admin.query(
      "CREATE USER emr@localhost IDENTIFIED BY 'password-of-a-test'; GRANT ALL PRIVILEGES ON `old\\_emr`.* TO emr@localhost",
    );
    await admin.query("CREATE USER dba@localhost IDENTIFIED BY 'password-of-a-test'");
    dba = await connectAs(server, 'dba', 'password-of-a-test');
    description = await describeServer(admin);
  });

  afterAll(async () => {
    await dba?.end();
    await admin?.end();
    await server?.stop();
  });

  async function check(connection: Connection, script: Script): Promise<readonly PreflightFinding[]> {
    return preflight(connection, { server: description, names, script });
  }

  it('the administrator of the machine lacks nothing', async () => {
    let scripts: Awaited<ReturnType<typeof generateFor>>['scripts'];
    ({ names, scripts } = await generateFor(admin, 'old_emr'));
    for (const name of SCRIPT_NAMES) expect(await check(admin, scripts[name])).toEqual([]);
  });

  it('an administrator without SUPER is told what is missing, and with just that every script goes through', async () => {
    for (const name of ['start', 'guard', 'protect', 'stop', 'start'] as const) {
      const script = (await generateFor(admin, 'old_emr')).scripts[name];
      const found = await check(dba, script);
      for (const { code, remedy } of found) {
        if (code === 'privilege-missing') {
          expect(remedy).toMatch(/^As an account that has them: GRANT .*'dba'@'localhost'.*;$/);
          expect(remedy).not.toMatch(/\bSUPER\b/);
          await admin.query(remedy.replace(/^.*?: /, ''));
        } else {
          expect(code).toBe('binary-log-trust');
          await admin.query(remedy.replace(/;.*/, ''));
        }
      }
      // Privileges on the whole server count from the next connection on.
      await dba.end();
      dba = await connectAs(server, 'dba', 'password-of-a-test');
      expect(await check(dba, script)).toEqual([]);
      await apply(dba, script);
    }
    const key = keyPair();
    await apply(admin, (await generateFor(admin, 'old_emr')).scripts.guard);
    await takeBaseline(admin, names, key.privatePem);
  });

  it('a stop of the preflight is a stop of the server', async () => {
    await admin.query(
      "CREATE USER nobody@localhost IDENTIFIED BY 'password-of-a-test'; GRANT SELECT ON old_emr.* TO nobody@localhost",
    );
    const nobody = await connectAs(server, 'nobody', 'password-of-a-test');
    for (const name of SCRIPT_NAMES) {
      const script = (await generateFor(admin, 'old_emr')).scripts[name];
      if (needsOf(script, description).length === 0) continue;
      const [missing] = await check(nobody, script);
      expect(missing).toMatchObject({ code: 'privilege-missing', severity: 'stop' });
      expect(missing?.sentence).toContain(`'nobody'@'localhost' lacks, for ${name}: `);
    }
    await nobody.end();
  });

  it('privileges that come through a role count where the role is active', async () => {
    await admin.query(
      "CREATE USER holder@localhost IDENTIFIED BY 'password-of-a-test'; CREATE ROLE auditing; GRANT ALL PRIVILEGES ON *.* TO auditing WITH GRANT OPTION; GRANT auditing TO holder@localhost",
    );
    const holder = await connectAs(server, 'holder', 'password-of-a-test');
    const { start } = (await generateFor(admin, 'old_emr')).scripts;
    expect(codes(await check(holder, start))).toContain('privilege-missing');
    await holder.query('SET ROLE auditing');
    expect(codes(await check(holder, start))).not.toContain('privilege-missing');
    await holder.end();
  });

  const SETTINGS: readonly (readonly [
    what: string,
    set: string,
    reset: string,
    code: string,
    only?: string,
  ])[] = [
    [
      'a statement-based log',
      "SET GLOBAL binlog_format = 'STATEMENT'",
      "SET GLOBAL binlog_format = 'ROW'",
      'statement-binary-log',
    ],
    [
      'a small packet',
      'SET GLOBAL max_allowed_packet = 1048576',
      'SET GLOBAL max_allowed_packet = 16777216',
      'packet-small',
    ],
    ['a read-only server', 'SET GLOBAL read_only = ON', 'SET GLOBAL read_only = OFF', 'server-read-only'],
    [
      'a server that is read only for all',
      'SET GLOBAL super_read_only = ON',
      'SET GLOBAL super_read_only = OFF, GLOBAL read_only = OFF',
      'server-read-only',
      'mysql',
    ],
    [
      'cascades that fire triggers',
      'SET GLOBAL enable_cascade_triggers = ON',
      'SET GLOBAL enable_cascade_triggers = OFF',
      'cascades-fire-triggers',
      'mysql',
    ],
    [
      'a strange table in the audit schema',
      'CREATE TABLE old_emr_audit.somebodys (a INT)',
      'DROP TABLE old_emr_audit.somebodys',
      'audit-schema-in-use',
    ],
    [
      "the definer's account in use",
      "ALTER USER 'chartgate_audit'@'localhost' ACCOUNT UNLOCK",
      "ALTER USER 'chartgate_audit'@'localhost' ACCOUNT LOCK",
      'account-in-use',
    ],
  ];

  it.each(
    SETTINGS.filter(([, , , , only]) => only === undefined || only === engine).map(
      ([what, set, reset, code]) => ({ what, set, reset, code }),
    ),
  )('$what is noticed', async ({ set, reset, code }) => {
    const { start } = (await generateFor(admin, 'old_emr')).scripts;
    expect(codes(await check(admin, start))).not.toContain(code);
    await admin.query(set);
    const found = await check(admin, start).finally(() => admin.query(reset));
    expect(codes(found)).toContain(code);
    for (const { sentence, remedy } of found)
      for (const text of [sentence, remedy]) expect(text).toMatch(/^\S.*[.;]$/s);
  });
});

describe.each(ENGINES)('on %s, a server whose SYSDATE() a session can set', (engine) => {
  it("is refused: the time in an audit row would be the session's", async () => {
    const other = await startServer(`audit-preflight-sysdate-${engine}`, engine, ['--sysdate-is-now']);
    try {
      const connection = await lenient(other);
      await connection.query('CREATE DATABASE old_emr; CREATE TABLE old_emr.t (id INT PRIMARY KEY)');
      await makeEmrUser(connection);
      const { names, scripts } = await generateFor(connection, 'old_emr');
      const found = await preflight(connection, {
        server: await describeServer(connection),
        names,
        script: scripts.start,
      });
      expect(codes(found)).toContain('time-not-the-servers');
      const [[row]] = await connection.query<RowDataPacket[]>('SELECT YEAR(NOW()) > 2000 AS now');
      expect(Number(row?.now)).toBe(1);
      await connection.end();
    } finally {
      await other.stop();
    }
  });
});

describe('what SHOW GRANTS says', () => {
  const ROWS: readonly (readonly [why: string, line: string, has: boolean, mayGrant: boolean])[] = [
    ['everything', 'GRANT ALL PRIVILEGES ON *.* TO `a`@`b` WITH GRANT OPTION', true, true],
    ['everything, not to be passed on', 'GRANT ALL PRIVILEGES ON *.* TO `a`@`b`', true, false],
    ['the schema', 'GRANT SELECT, TRIGGER ON `old_emr`.* TO `a`@`b` WITH GRANT OPTION', true, true],
    ['the schema with its wildcard escaped', 'GRANT TRIGGER ON `old\\_emr`.* TO `a`@`b`', true, false],
    ['a pattern', 'GRANT TRIGGER ON `old%`.* TO `a`@`b`', true, false],
    ['a pattern that is something else', 'GRANT TRIGGER ON `new%`.* TO `a`@`b`', false, false],
    ['an escaped wildcard that is not the name', 'GRANT TRIGGER ON `old\\%emr`.* TO `a`@`b`', false, false],
    ['one table', 'GRANT TRIGGER ON `old_emr`.`patient` TO `a`@`b`', false, false],
    ['columns', 'GRANT TRIGGER (`a, b)`, `TRIGGER ON *.*`) ON `old_emr`.* TO `a`@`b`', false, false],
    [
      'a password in the line',
      "GRANT TRIGGER ON *.* TO `a`@`b` IDENTIFIED BY PASSWORD '*WITH GRANT OPTION'",
      true,
      true,
    ],
    ['a role', 'GRANT `TRIGGER`@`%` TO `a`@`b`', false, false],
    ['a proxy', "GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION", false, false],
    ['nothing', 'GRANT USAGE ON *.* TO `a`@`b`', false, false],
    ['a quoted name as ANSI_QUOTES has it', 'GRANT TRIGGER ON "old_emr".* TO "a"@"b"', true, false],
    ['another privilege', 'GRANT SELECT ON *.* TO `a`@`b` WITH GRANT OPTION', false, false],
    ['no sense', 'banana', false, false],
  ];

  it.each(ROWS)('%s: %s', (_, line, has, mayGrant) => {
    const held = parseGrants([line], false);
    expect([
      held.has('TRIGGER', { schema: 'old_emr' }),
      held.mayGrant('TRIGGER', { schema: 'old_emr' }),
    ]).toEqual([has, mayGrant]);
  });

  it('what a partial revoke takes away is not held, but for what is given again below', () => {
    const lines = [
      'GRANT SELECT ON *.* TO `a`@`b` WITH GRANT OPTION',
      'REVOKE SELECT ON `mysql`.* FROM `a`@`b`',
    ];
    expect(parseGrants(lines, true).has('SELECT', { schema: 'mysql' })).toBe(false);
    expect(parseGrants(lines, true).has('SELECT', { schema: 'emr' })).toBe(true);
    expect(
      parseGrants([...lines, 'GRANT SELECT ON `mysql`.`user` TO `a`@`b`'], true).has('SELECT', {
        schema: 'mysql',
        object: 'user',
      }),
    ).toBe(true);
  });

  it('patterns are names where partial revokes are on', () => {
    const lines = ['GRANT TRIGGER ON `old_emr`.* TO `a`@`b`'];
    expect(parseGrants(lines, true).has('TRIGGER', { schema: 'oldXemr' })).toBe(false);
    expect(parseGrants(lines, false).has('TRIGGER', { schema: 'oldXemr' })).toBe(true);
  });
});
