import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  apply,
  auditNames,
  checkProtection,
  describeServer,
  generate,
  type ProtectCheck,
  type ProtectPlan,
  parsePolicy,
  readModel,
  readProtectPlan,
  type Script,
  type ServerDescription,
} from '../../../audit-sql/index.ts';
import { GUARD_PROCEDURES } from '../../../audit-sql/names.ts';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { CHECKER, connectAs, EMR_PASSWORD, EMR_USER, ENGINES, lenient, startServer } from '../support.ts';
import { ANN, WAYS, WEB } from './ways.ts';

const NAMES = auditNames({ emrSchema: 'rx_1' });
const PASSWORD = 'password-of-a-test';

describe.each(ENGINES)('protect --check, on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let description: ServerDescription;

  const plan = (policy?: string): Promise<ProtectPlan> =>
    readProtectPlan(admin, {
      server: description,
      names: NAMES,
      emrAccounts: [EMR_USER],
      checker: CHECKER,
      ...(policy === undefined ? {} : { policy: parsePolicy(Buffer.from(policy), 'policy.yaml') }),
    });
  const script = async (protect: ProtectPlan): Promise<Script> =>
    generate(await readModel(admin, 'rx_1'), { names: NAMES, server: description, protect }).protect;
  const protect = async (policy?: string): Promise<void> => {
    await apply(admin, await script(await plan(policy)));
    await admin.query("SET SESSION sql_mode = ''");
  };
  const check = async (policy?: string): Promise<ProtectCheck> => checkProtection(await plan(policy));
  const said = (result: ProtectCheck): string =>
    [
      ...result.differences.map((one) => one.sentence),
      ...result.histograms.map((one) => one.sentence),
      ...result.problems.map((one) => `${one.object}: ${one.sentence}`),
    ].join('\n');

  beforeAll(async () => {
    server = await startServer(`audit-sql-privileges-${engine}`, engine);
    admin = await lenient(server);
    description = await describeServer(admin);
    await admin.query(`
      CREATE DATABASE rx_1; CREATE DATABASE elsewhere; CREATE DATABASE test;
      CREATE TABLE rx_1.patient (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50));
      CREATE TABLE rx_1.prescription (id INT AUTO_INCREMENT PRIMARY KEY, status VARCHAR(9), filled_at DATETIME, note TEXT);
      CREATE TABLE rx_1.users (id INT PRIMARY KEY, password VARCHAR(50));
      CREATE VIEW rx_1.everything AS SELECT * FROM rx_1.prescription;
      CREATE PROCEDURE rx_1.read_all() SELECT * FROM rx_1.patient;
      CREATE FUNCTION rx_1.one() RETURNS INT DETERMINISTIC RETURN 1;
      CREATE ROLE reader; GRANT SELECT ON \`rx\\_1\`.* TO reader; CREATE ROLE outer_role; GRANT reader TO outer_role;
      CREATE USER ${ANN} IDENTIFIED BY '${PASSWORD}'; CREATE USER ${WEB} IDENTIFIED BY '${PASSWORD}';
      CREATE USER 'pharmacyTech_tom'@'localhost' IDENTIFIED BY '${PASSWORD}';
      CREATE USER 'emr'@'localhost' IDENTIFIED BY '${EMR_PASSWORD}'; GRANT ALL ON \`rx\\_1\`.* TO 'emr'@'localhost'`);
    const model = await readModel(admin, 'rx_1');
    const scripts = generate(model, { names: NAMES, server: description, protect: await plan() });
    for (const name of ['start', 'guard', 'protect'] as const) await apply(admin, scripts[name]);
    await admin.query("SET SESSION sql_mode = ''");
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  it('says nothing once protect was applied, and protect has nothing more to do', async () => {
    const result = await check();
    expect(said(result)).toBe('');
    expect(result.ok).toBe(true);
    const again = await script(await plan());
    expect(again.statements.map((one) => one.sql).slice(2)).toEqual(
      GUARD_PROCEDURES.map(
        (name) => `GRANT EXECUTE ON PROCEDURE \`rx_1_audit\`.\`${name}\` TO 'chartgate_checker'@'localhost'`,
      ),
    );
    expect((await script(await plan())).text).toBe(again.text);
  });

  it('gave each role what it needs, per table and per column', async () => {
    const held = new Map(
      (await plan()).accounts.map((one) => [
        one.account.user,
        one.wanted.map((grant) => `${grant.privilege} ${grant.object.slice(1).join('.')}`),
      ]),
    );
    expect(held.get('clinicFacility_1')).toEqual(['INSERT prescription']);
    expect(held.get('pharmacyTech_tom')).toEqual([
      'SELECT prescription',
      'UPDATE prescription.status',
      'UPDATE prescription.filled_at',
      'SELECT patient',
    ]);
    expect(held.get('pharmacist_ann')).toEqual([
      'SELECT patient',
      'SELECT prescription',
      'INSERT patient',
      'UPDATE patient',
      'INSERT prescription',
      'UPDATE prescription',
    ]);
    const tom = await connectAs(server, 'pharmacyTech_tom', PASSWORD, 'rx_1');
    await tom.query("UPDATE prescription SET status = 'x' WHERE id = 1");
    await expect(tom.query("UPDATE prescription SET note = 'x' WHERE id = 1")).rejects.toThrow(/denied/);
    await expect(tom.query('SELECT * FROM users')).rejects.toThrow(/denied/);
    await tom.end();
  });

  const ways = WAYS.filter((one) => one.engine === undefined || one.engine === engine);

  it.each(ways.map((one) => [one.what, one.sql, one] as const))('finds %s: %s', async (_what, _sql, way) => {
    await admin.query(way.sql);
    const found = await check();
    expect(found.ok).toBe(false);
    expect(said(found)).toMatch(way.says);
    if (!/stored but/.test(way.says.source) && !/in force but/.test(way.says.source)) await protect();
    if (way.undo !== undefined) await admin.query(way.undo);
    expect(said(await check())).toBe('');
  });

  it('knows at least 20 ways', () => {
    expect(ways.length).toBeGreaterThanOrEqual(20);
  });

  it('is re-run when users are added: each gets the grants of its role, the others are left', async () => {
    await admin.query("CREATE USER 'pharmacist_new'@'10.%' IDENTIFIED BY 'x'");
    const next = await plan();
    const found = checkProtection(next);
    expect(found.differences.every((one) => one.account.user === 'pharmacist_new')).toBe(true);
    expect(found.differences.map((one) => one.change)).toContain('grant');
    expect((await script(next)).text).not.toMatch(/TO 'pharmacist_ann'|FROM 'pharmacist_ann'/);
    await protect();
    expect(said(await check())).toBe('');
    await admin.query("DROP USER 'pharmacist_new'@'10.%'");
  });

  it('shrinks a table to columns, with one statement between, and goes back', async () => {
    const policy = (select: string): string =>
      `version: 1\nroles:\n  - name: p\n    prefix: pharmacist_\n    tables: [{tables: [patient, prescription], select: ${select}}]\n  - {name: w, prefix: clinicFacility_, preset: clinic-facility}\n  - {name: t, prefix: pharmacyTech_, preset: pharmacy-tech}`;
    await protect(policy('true'));
    expect(said(await check(policy('true')))).toBe('');
    const shrunk = await script(await plan(policy('[id]')));
    const sql = shrunk.statements.map((one) => one.sql);
    const at = sql.indexOf(`REVOKE SELECT ON \`rx_1\`.\`patient\` FROM ${ANN}`);
    expect(at).toBeGreaterThan(0);
    expect(sql[at + 1]).toBe(`GRANT SELECT (\`id\`) ON \`rx_1\`.\`patient\` TO ${ANN}`);
    await protect(policy('[id]'));
    expect(said(await check(policy('[id]')))).toBe('');
    const ann = await connectAs(server, 'pharmacist_ann', PASSWORD, 'rx_1');
    await ann.query('SELECT id FROM patient');
    await expect(ann.query('SELECT name FROM patient')).rejects.toThrow(/denied/);
    await ann.end();
    await protect(policy("['*', '!name']"));
    expect(said(await check(policy("['*', '!name']")))).toBe('');
    await protect();
    expect(said(await check())).toBe('');
  });

  it('leaves administrators, accepted accounts and other schemas as they are, and says what they hold', async () => {
    await admin.query(`CREATE USER dba; GRANT ALL ON *.* TO dba; CREATE USER backup; GRANT SELECT ON *.* TO backup;
      GRANT SELECT ON elsewhere.* TO ${ANN}`);
    const policy = `version: 1\nadministrators: ['dba@%']\naccepted: ['backup@%']\notherSchemas: [elsewhere]\nroles:\n  - {name: p, prefix: pharmacist_, preset: pharmacist}\n  - {name: w, prefix: clinicFacility_, preset: clinic-facility}\n  - {name: t, prefix: pharmacyTech_, preset: pharmacy-tech}`;
    const result = await check(policy);
    expect(said(result)).toBe('');
    expect(result.notes.map((one) => `${one.code} ${one.object}: ${one.sentence}`).join('\n')).toMatch(
      /administrator dba@%: Left as it is; it holds .* on everything[\s\S]*accepted backup@%: Left as it is; it holds SELECT on everything/,
    );
    expect((await script(await plan(policy))).text).not.toMatch(
      /(TO|FROM) 'dba'|(TO|FROM) 'backup'|elsewhere/,
    );
    expect(said(await check())).toMatch(/dba@%: No role's hook matches it/);
    await admin.query(`DROP USER dba; DROP USER backup; REVOKE SELECT ON elsewhere.* FROM ${ANN}`);
    expect(said(await check())).toBe('');
  });

  it('stops for a user whom two hooks match, and for a trigger that would no longer run', async () => {
    const policy = `version: 1\nroles:\n  - {name: a, prefix: pharmacist_, preset: pharmacist}\n  - {name: b, accounts: ['pharmacist_ann@localhost'], preset: pharmacy-tech}\n  - {name: w, prefix: clinicFacility_, preset: clinic-facility}`;
    const ambiguous = await plan(policy);
    expect(ambiguous.reports[0]).toMatchObject({ severity: 'stop', code: 'account-ambiguous' });
    expect((await script(ambiguous)).text).not.toMatch(/GRANT|REVOKE/);
    await expect(apply(admin, await script(ambiguous))).rejects.toThrow(/Nothing was changed/);
    await admin.query(
      "CREATE DEFINER = 'emr'@'localhost' TRIGGER rx_1.own BEFORE INSERT ON rx_1.patient FOR EACH ROW SET @a = 1",
    );
    const trigger = await plan();
    expect(trigger.reports[0]).toMatchObject({
      severity: 'stop',
      code: 'definer-would-fail',
      object: 'trigger own',
      sentence: expect.stringMatching(/runs as emr@localhost, which loses TRIGGER/),
    });
    await admin.query('DROP TRIGGER rx_1.own');
    await admin.query("SET SESSION sql_mode = ''");
    expect(said(await check())).toBe('');
  });

  it('takes nothing from a running EMR that it keeps, while protect is applied', async () => {
    await admin.query("GRANT ALL ON *.* TO 'emr'@'localhost' WITH GRANT OPTION");
    const running = await connectAs(server, 'emr', EMR_PASSWORD, 'rx_1');
    let stop = false;
    let statements = 0;
    const failures: string[] = [];
    const work = (async () => {
      for (; !stop; statements++) {
        // A new connection each time sees the grants of that moment.
        const fresh = await connectAs(server, 'emr', EMR_PASSWORD, 'rx_1').catch((error: Error) => error);
        if (fresh instanceof Error) failures.push(fresh.message);
        else {
          await fresh
            .query("INSERT INTO patient (name) VALUES ('a')")
            .catch((error: Error) => failures.push(error.message));
          await fresh.end();
        }
        await running
          .query('SELECT COUNT(*) FROM patient')
          .catch((error: Error) => failures.push(error.message));
      }
    })();
    for (let round = 0; round < 5 || (statements < 20 && round < 200); round++) {
      await protect();
      await admin.query("GRANT ALL ON *.* TO 'emr'@'localhost' WITH GRANT OPTION");
    }
    await protect();
    stop = true;
    await work;
    await running.end();
    expect(failures).toEqual([]);
    expect(statements).toBeGreaterThanOrEqual(20);
    expect(said(await check())).toBe('');
  });

  if (engine === 'mysql') {
    it('sees through partial revokes, and leaves no gap there', async () => {
      await admin.query(
        `SET GLOBAL partial_revokes = ON; GRANT SELECT, INSERT ON *.* TO 'emr'@'localhost'; REVOKE SELECT ON rx_1.* FROM 'emr'@'localhost'`,
      );
      description = await describeServer(admin);
      await protect();
      expect(said(await check())).toBe('');
      const emr = await connectAs(server, 'emr', EMR_PASSWORD, 'rx_1');
      await emr.query('SELECT COUNT(*) FROM patient');
      await emr.end();
      await admin.query('SET GLOBAL partial_revokes = OFF').catch(() => {});
    });

    it('keeps from an account what a partial revoke keeps from it', async () => {
      await admin.query(`SET GLOBAL partial_revokes = ON; CREATE USER emrx_2; GRANT EXECUTE, LOCK TABLES ON *.* TO emrx_2;
        REVOKE EXECUTE ON rx_1.* FROM emrx_2`);
      description = await describeServer(admin);
      const found = await plan('version: 1\nroles:\n  - {name: e, prefix: emrx_, preset: emr}');
      const own = found.accounts.find((one) => one.account.user === 'emrx_2');
      expect(own?.wanted.map((grant) => grant.privilege)).toEqual([
        'SELECT',
        'INSERT',
        'UPDATE',
        'DELETE',
        'LOCK TABLES',
      ]);
      await admin.query('DROP USER emrx_2; SET GLOBAL partial_revokes = OFF');
      description = await describeServer(admin);
    });
  }

  it('takes nothing away because a GRANT spelt a column or a routine otherwise', async () => {
    const tom = "'pharmacyTech_tom'@'localhost'";
    await admin.query(`CREATE PROCEDURE rx_1.Refill_All() SELECT 1;
      REVOKE UPDATE (status) ON rx_1.prescription FROM ${tom}; GRANT UPDATE (STATUS) ON rx_1.prescription TO ${tom};
      GRANT EXECUTE ON PROCEDURE rx_1.refill_all TO ${ANN}`);
    const policy =
      "version: 1\nroles:\n  - {name: p, prefix: pharmacist_, tables: [{tables: [patient], select: true}], execute: ['Refill*']}\n  - {name: w, prefix: clinicFacility_, preset: clinic-facility}\n  - {name: t, prefix: pharmacyTech_, preset: pharmacy-tech}";
    await protect(policy);
    expect(said(await check(policy))).toBe('');
    const ann = await connectAs(server, 'pharmacist_ann', PASSWORD, 'rx_1');
    await ann.query('CALL Refill_All()');
    await ann.end();
    const filling = await connectAs(server, 'pharmacyTech_tom', PASSWORD, 'rx_1');
    await filling.query("UPDATE prescription SET status = 'x' WHERE id = 1");
    await filling.end();
    await admin.query('DROP PROCEDURE rx_1.Refill_All');
    await protect();
    expect(said(await check())).toBe('');
  });

  it('works with names that break naive SQL', async () => {
    const table = 'prescription`"\' %_\u00e9';
    const quoted = table.replaceAll('`', '``');
    await admin.query(`CREATE TABLE rx_1.\`${quoted}\` (\`a\`\`b"'\` INT, \`status ü\` INT)`);
    await admin.query(`CREATE USER 'pharmacyTech_o''x "\`'@'10.0.0.%' IDENTIFIED BY 'x'`);
    await admin.query(
      `GRANT SELECT (\`a\`\`b"'\`), DELETE ON rx_1.\`${quoted}\` TO 'pharmacyTech_o''x "\`'@'10.0.0.%'`,
    );
    expect((await check()).ok).toBe(false);
    await protect();
    expect(said(await check())).toBe('');
    const [own] = (await plan()).accounts.filter((one) => one.account.user.startsWith('pharmacyTech_o'));
    expect(own?.wanted.map((grant) => grant.object)).toContainEqual(['rx_1', table, 'status ü']);
    await admin.query(`DROP TABLE rx_1.\`${quoted}\`; DROP USER 'pharmacyTech_o''x "\`'@'10.0.0.%'`);
    await protect();
    expect(said(await check())).toBe('');
  });

  it('refuses the account that runs it, and one that is not there', async () => {
    const with_ = (emrAccounts: readonly { user: string; host: string }[]) =>
      readProtectPlan(admin, { server: description, names: NAMES, emrAccounts });
    await expect(with_([{ user: 'root', host: 'localhost' }])).rejects.toMatchObject({ code: 'usage' });
    await expect(with_([NAMES.definer])).rejects.toMatchObject({ code: 'usage' });
    await expect(with_([{ user: 'nobody', host: 'here' }])).rejects.toMatchObject({ code: 'usage' });
  });

  it('says which privilege is missing when the tables of privileges cannot be read', async () => {
    const poor = await connectAs(server, 'emr', EMR_PASSWORD);
    await expect(readProtectPlan(poor, { server: description, names: NAMES })).rejects.toMatchObject({
      code: 'privilege-missing',
      message: expect.stringContaining('SELECT on the schema mysql'),
    });
    await poor.end();
  });
});
