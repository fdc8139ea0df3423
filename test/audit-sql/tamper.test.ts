import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Baseline,
  compareSnapshot,
  openBaseline,
  readSnapshot,
  remediesOf,
} from '../../audit-sql/fingerprint/index.ts';
import { type AuditNames, apply, type Scripts, takeBaseline } from '../../audit-sql/index.ts';
import { type RowOperation, triggerName } from '../../audit-sql/writers/triggers.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import {
  auditAll,
  CHECKER,
  CHECKER_PASSWORD,
  connectAs,
  ENGINES,
  generateFor,
  keyPair,
  lenient,
  makeEmrUser,
  startServer,
  trusting,
} from './support.ts';
import { TAMPERS } from './tampers/index.ts';

describe.each(ENGINES)('every tamper is found, on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let checker: Connection;
  let names: AuditNames;
  let scripts: Scripts;
  let baseline: Baseline;
  const key = keyPair();

  beforeAll(async () => {
    server = await startServer('audit-sql-tamper', engine);
    admin = await lenient(server);
    // As scripts do: what is made anew by a script must have the same collation as before.
    await admin.query('SET NAMES utf8mb4 COLLATE utf8mb4_bin');
    await admin.query(`
      CREATE DATABASE emr; CREATE DATABASE otherdb; USE emr;
      CREATE TABLE patient (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50));
      CREATE TABLE visit (id INT AUTO_INCREMENT PRIMARY KEY, patient INT,
                          CONSTRAINT of_patient FOREIGN KEY (patient) REFERENCES patient (id), note TEXT);
      CREATE TABLE note (id INT NOT NULL PRIMARY KEY);
      CREATE TABLE loose (id INT);
      CREATE DEFINER=root@localhost VIEW seen AS SELECT id FROM patient;
      CREATE ROLE powerful; GRANT DROP ON *.* TO powerful; CREATE ROLE weak;
      INSERT INTO patient (name) VALUES ('A');`);
    // By itself: MySQL keeps the semicolon of a batch as part of the routine.
    await admin.query('CREATE PROCEDURE emr.work() SELECT 1');
    await makeEmrUser(admin);
    ({ names, scripts } = await auditAll(admin, 'emr'));
    checker = await connectAs(server, CHECKER.user, CHECKER_PASSWORD);
    baseline = openBaseline(await takeBaseline(admin, names, key.privatePem), trusting(key.publicPem));
  });

  afterAll(async () => {
    await checker?.end();
    await admin?.end();
    await server?.stop();
  });

  const named = (event: string): string => triggerName('patient', event as RowOperation);

  async function remakeTrigger(event: string, change: string): Promise<void> {
    const name = named(event);
    const [[row]] = await admin.query<RowDataPacket[]>(
      `SELECT ACTION_TIMING AS timing, EVENT_OBJECT_TABLE AS t, ACTION_STATEMENT AS body, SQL_MODE AS mode
         FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'emr' AND TRIGGER_NAME = ?`,
      [name],
    );
    let create = `CREATE DEFINER=chartgate_audit@localhost TRIGGER emr.${name} ${row?.timing} ${event} ON emr.${row?.t} FOR EACH ROW ${row?.body}`;
    const substitute = /^s\/(.*)\/(.*)\/$/.exec(change);
    if (substitute !== null) create = create.replace(substitute[1] ?? '', substitute[2] ?? '');
    await admin.query(`DROP TRIGGER emr.${name}`);
    await admin.query(`SET SESSION sql_mode = '${change.startsWith('mode') ? '' : row?.mode}'`);
    await admin.query(
      `SET NAMES utf8mb4 COLLATE ${change === 'collation' ? 'utf8mb4_general_ci' : 'utf8mb4_bin'}`,
    );
    await admin.query(create);
  }

  /** Without the rest of the guard script, which would make the procedure anew: another finding. */
  async function remakeGuardAccount(): Promise<void> {
    const alter = scripts.guard.statements.find((s) => s.sql.startsWith('ALTER USER'));
    await admin.query(alter?.sql ?? 'the guard script locks its account');
  }

  async function run(what: string): Promise<void> {
    for (const part of what.split('; ')) {
      const [, event = '', change = ''] = /^@remake (\w+) (.*)$/.exec(part) ?? [];
      if (part === '@start') await apply(admin, scripts.start);
      else if (part === '@stop') await apply(admin, scripts.stop);
      else if (part === '@guard') await apply(admin, scripts.guard);
      else if (part === '@guard-account') await remakeGuardAccount();
      else if (event !== '') await remakeTrigger(event, change);
      else await admin.query(part.replace(/\{(\w+)\}/g, (_, event: string) => named(event)));
    }
  }

  /** As an administrator would: SQL as it stands, and commands of ours. */
  async function follow(remedy: string): Promise<void> {
    const [, command] = /^chartgate audit-sql (\w+) /.exec(remedy) ?? [];
    if (command === undefined) return void (await admin.query(remedy));
    const { scripts } = await generateFor(admin, 'emr');
    const script = Object.values(scripts).find(({ name }) => name === command);
    if (script !== undefined) await apply(admin, script);
  }

  const findings = async () => compareSnapshot(baseline, await readSnapshot(checker, names));

  it('finds nothing where nothing happened, whatever the EMR does', async () => {
    expect(await findings()).toEqual([]);
    await admin.query("INSERT INTO emr.patient (name) VALUES ('B')");
    await admin.query('CREATE TEMPORARY TABLE emr.scratch (a INT)');
    expect(await findings()).toEqual([]);
    await admin.query('DROP TEMPORARY TABLE emr.scratch');
  });

  it('finds nothing when another EMR on the same server is audited', async () => {
    await admin.query('CREATE DATABASE emr2; CREATE TABLE emr2.patient (id INT PRIMARY KEY)');
    const second = await generateFor(admin, 'emr2');
    await apply(admin, second.scripts.start);
    await apply(admin, second.scripts.guard);
    // Generated anew: the checker's account may be shared by both.
    await apply(admin, (await generateFor(admin, 'emr2')).scripts.protect);
    await admin.query(
      "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES ON emr.* TO 'emr'@'localhost'",
    );
    const made = second.scripts.start.statements.filter(
      (s) => /^TRIGGER /m.test(s.sql) && !/^DROP/.test(s.sql),
    );
    expect((await readSnapshot(checker, second.names)).triggers).toHaveLength(made.length);
    expect(await findings()).toEqual([]);
  });

  it('finds nothing when somebody gets a privilege that harms nothing', async () => {
    await admin.query(
      "CREATE USER auditor IDENTIFIED BY 'x'; GRANT SELECT ON emr_audit.* TO auditor; GRANT SELECT, INSERT ON emr.* TO auditor",
    );
    expect(await findings()).toEqual([]);
    await admin.query('DROP USER auditor');
  });

  it.each(TAMPERS.filter((t) => (t.on ?? engine) === engine).map((t) => [t.what, t.finds, t] as const))(
    '%s → %s, and what is told to do about it restores it',
    async (_, code, tamper) => {
      await run(tamper.does);
      const found = await findings();
      expect(found.map((f) => f.code)).toContain(code);
      for (const finding of found)
        expect(finding.sentence).toMatch(/^The? ?.*\.$|^Auditing .*\.$|^Entries .*\.$/);
      const remedies = remediesOf(found);
      if (tamper.unrestored !== true) {
        let failed: unknown;
        for (const remedy of remedies) await follow(remedy).catch((error: unknown) => (failed ??= error));
        const left = await findings();
        // So that the next tamper begins with the approved state, whatever became of this one.
        if (left.length > 0) await run(tamper.undo).catch(() => {});
        expect({ left, remedies, failed }).toEqual({ left: [], remedies, failed: undefined });
        return;
      }
      await run(tamper.undo);
      expect(await findings()).toEqual([]);
    },
  );

  it('texts that information_schema shows alike are told apart', async () => {
    const make = async (kind: string, head: string, literals: string): Promise<string> => {
      await admin.query(`DROP ${kind} IF EXISTS emr.alike`);
      await admin.query(`CREATE ${kind} emr.alike${head} SET @x = CONCAT(${literals})`);
      const snapshot = await readSnapshot(checker, names);
      const facts = [...snapshot.triggers, ...snapshot.routines, ...snapshot.events];
      return facts.find((fact) => fact.name === 'alike')?.body ?? '';
    };
    for (const [kind, head] of [
      ['TRIGGER', ' BEFORE INSERT ON emr.note FOR EACH ROW'],
      ['PROCEDURE', '()'],
      ['EVENT', ' ON SCHEDULE EVERY 1 DAY DO'],
    ] as const) {
      const three = await make(kind, head, "'a' , 1, 'b'");
      expect(three).toMatch(/^[0-9a-f]{64}$/);
      expect(await make(kind, head, "'a\\' , 1, \\'b'")).not.toBe(three);
      expect(await make(kind, head, "'a' , 1, 'b'")).toBe(three);
      await admin.query(`DROP ${kind} emr.alike`);
    }
  });

  it('a checker that lost its EXECUTE gets an error, never an empty answer', async () => {
    await admin.query(
      "REVOKE EXECUTE ON PROCEDURE emr_audit.chartgate_snapshot FROM 'chartgate_checker'@'localhost'",
    );
    await expect(findings()).rejects.toThrow(/denied|does not exist/);
    await admin.query(
      "GRANT EXECUTE ON PROCEDURE emr_audit.chartgate_snapshot TO 'chartgate_checker'@'localhost'",
    );
    expect(await findings()).toEqual([]);
  });

  it('a guard that lost its sight shows nothing, and that is not intact', async () => {
    await admin.query("REVOKE TRIGGER ON emr.* FROM 'chartgate_guard'@'localhost'");
    const codes = (await findings()).map((f) => f.code);
    expect(codes.filter((c) => c === 'trigger-missing')).toHaveLength(12);
    await admin.query("GRANT TRIGGER ON emr.* TO 'chartgate_guard'@'localhost'");
    expect(await findings()).toEqual([]);
  });

  /** Statements by which somebody replaces the snapshot procedure with one that leaves something out. */
  async function lie(): Promise<readonly string[]> {
    const [[row]] = await admin.query<RowDataPacket[]>('SHOW CREATE PROCEDURE emr_audit.chartgate_snapshot');
    const text = String(row?.['Create Procedure']);
    const lying = text.replaceAll(
      "EVENT_OBJECT_SCHEMA = 'emr'",
      "EVENT_OBJECT_SCHEMA = 'emr' AND TRIGGER_NAME <> 'extra'",
    );
    expect(lying).not.toBe(text);
    // As old as the one that it replaces, and with the same grants.
    const [[made]] = await admin.query<RowDataPacket[]>(
      "SELECT UNIX_TIMESTAMP(CREATED) AS at FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'emr_audit' AND ROUTINE_NAME = 'chartgate_snapshot'",
    );
    const mode = String(row?.sql_mode);
    return [
      'USE emr_audit',
      `SET SESSION timestamp = ${String(made?.at)}, sql_mode = '${mode}'`,
      'DROP PROCEDURE chartgate_snapshot',
      lying,
      "GRANT EXECUTE ON PROCEDURE chartgate_snapshot TO 'chartgate_guard'@'localhost', 'chartgate_checker'@'localhost'",
      "SET SESSION timestamp = DEFAULT, sql_mode = ''",
    ];
  }

  it('a guard procedure that was replaced by one with the old answer, as of the old time, is found', async () => {
    for (const sql of await lie()) await admin.query(sql);
    await admin.query(
      'CREATE TRIGGER emr.extra BEFORE UPDATE ON emr.patient FOR EACH ROW SET NEW.name = OLD.name',
    );
    const found = await findings();
    // It does lie: the trigger is not seen.
    expect(found.map((f) => f.code)).toContain('guard-changed');
    expect(found.map((f) => f.code)).not.toContain('trigger-added');
    await admin.query('DROP TRIGGER emr.extra');
    for (const remedy of remediesOf(found)) await follow(remedy);
    expect(await findings()).toEqual([]);
  });

  it('a guard procedure that was made anew, but is the same, needs no new approval', async () => {
    await apply(admin, (await generateFor(admin, 'emr')).scripts.guard);
    expect(await findings()).toEqual([]);
  });

  it('a guard procedure of another form is no answer', async () => {
    await admin.query(
      "DROP PROCEDURE emr_audit.chartgate_snapshot; CREATE DEFINER='chartgate_guard'@'localhost' PROCEDURE emr_audit.chartgate_snapshot() SELECT 1; GRANT EXECUTE ON PROCEDURE emr_audit.chartgate_snapshot TO 'chartgate_guard'@'localhost', 'chartgate_checker'@'localhost'",
    );
    await expect(findings()).rejects.toMatchObject({ code: 'privilege-missing' });
    await apply(admin, (await generateFor(admin, 'emr')).scripts.guard);
  });

  it('no baseline is taken of what is not audited', async () => {
    await apply(admin, scripts.guard);
    await admin.query('CREATE TABLE emr.late (a INT)');
    await expect(takeBaseline(admin, names, key.privatePem)).rejects.toMatchObject({
      code: 'baseline-invalid',
      message: expect.stringContaining('"late" has no insert trigger'),
    });
    await admin.query('DROP TABLE emr.late');
    await apply(admin, scripts.stop);
    await expect(takeBaseline(admin, names, key.privatePem)).rejects.toMatchObject({
      code: 'baseline-invalid',
    });
  });

  it('a server that was started without privilege checks is found', async () => {
    await server.stop();
    await server.restart(['--skip-grant-tables']);
    const unchecked = await connectAs(server, CHECKER.user, 'any password');
    const found = compareSnapshot(baseline, await readSnapshot(unchecked, names));
    expect(found.map((f) => [f.code, f.object])).toContainEqual(['setting-changed', 'guard_runs_as']);
    await unchecked.end();
  });
});
