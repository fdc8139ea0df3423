import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../contracts/clock.ts';
import type { IntegrityOracle, Verdict } from '../../../contracts/integrity.ts';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { createOracle } from '../../../gateway/integrity/oracle.ts';
import { type Checker, type LogLine, startChecker } from '../../../integrity-checker/index.ts';
import { ENGINES, keyPair, startServer } from '../../audit-sql/support.ts';
import { type ProtectedDatabase, protectDatabase } from '../support/protected-database.ts';
import { secretOf } from '../support/secret.ts';
import { pause, until } from '../support/wait.ts';

const SECRET = secretOf('a shared secret of good length, for tests');
const TRUNCATED = ['audit_row', 'audit_instatement_log'] as const;

describe.each(ENGINES)('the verdict on %s', (engine) => {
  const socket = join(tmpdir(), `cgs-${process.pid}-${engine}.sock`);
  let server: PrivateDatabase;
  let administrator: Connection;
  let clinic: ProtectedDatabase;
  let checker: Checker;
  let oracle: IntegrityOracle;
  const lines: LogLine[] = [];

  beforeAll(async () => {
    server = await startServer('seal-verdict', engine);
    // What the next request must find, the statement's counter brings about; the interval finds what was undone.
    clinic = await protectDatabase(server, 'clinic', 3_000);
    administrator = await server.connect({ multipleStatements: true });
    await administrator.query('USE clinic');
    const directory = join(server.directory, 'sealed');
    rmSync(directory, { recursive: true, force: true });
    const seal = { key: secretOf(keyPair().privatePem.toString()), directory };
    checker = await startChecker(
      { file: '', socket, secret: SECRET, seal, databases: [clinic.settings] },
      (line) => lines.push(line),
    );
    oracle = createOracle({
      socket,
      secret: SECRET,
      timeoutMs: 1_500,
      databases: [clinic.settings.id],
      clock: systemClock,
    });
    await until(async () => (await strict()).state === 'intact');
  }, 60_000);
  afterAll(async () => {
    await oracle?.close();
    await checker?.close();
    await administrator?.end();
    await server?.stop();
  });

  const strict = async (): Promise<Verdict> =>
    await oracle.attest(clinic.settings.id, { mode: 'strict' }, systemClock.monotonic());
  async function keep(table: string): Promise<void> {
    await administrator.query(`CREATE DATABASE IF NOT EXISTS kept; DROP TABLE IF EXISTS kept.${table};
      CREATE TABLE kept.${table} AS SELECT * FROM clinic_audit.${table}`);
    await until(async () => (await strict()).state === 'intact');
  }
  async function restore(table: string): Promise<void> {
    await administrator.query(`INSERT INTO clinic_audit.${table} SELECT * FROM kept.${table}`);
    await until(async () => (await strict()).state === 'intact');
  }

  it('stays intact and in one epoch while rows are written and sealed', async () => {
    const { epoch } = await strict();
    for (let i = 0; i < 50; i++) {
      await administrator.query("INSERT INTO patient (name) VALUES ('x')");
      expect(await strict()).toMatchObject({ state: 'intact', epoch });
      await pause(20);
    }
    await pause(1_000);
    expect(await strict()).toMatchObject({ state: 'intact', epoch });
  });

  it.each(TRUNCATED)('is broken for the next request after %s was emptied', async (table) => {
    await keep(table);
    await administrator.query(`TRUNCATE clinic_audit.${table}`);
    expect(await strict()).toMatchObject({
      state: 'broken',
      findings: expect.arrayContaining(['audit-row-deleted']),
    });
    await restore(table);
  });

  it('is broken for the next request after the rows were exchanged for others under the same definition', async () => {
    await keep('audit_row');
    await administrator.query(`CREATE TABLE clinic_audit.other LIKE clinic_audit.audit_row;
      INSERT INTO clinic_audit.other SELECT * FROM clinic_audit.audit_row;
      UPDATE clinic_audit.other SET login = 'somebody else' ORDER BY id DESC LIMIT 1;
      RENAME TABLE clinic_audit.audit_row TO clinic_audit.was, clinic_audit.other TO clinic_audit.audit_row`);
    expect(await strict()).toMatchObject({
      state: 'broken',
      findings: expect.arrayContaining(['audit-row-edited']),
    });
    await administrator.query('DROP TABLE clinic_audit.audit_row');
    await administrator.query('RENAME TABLE clinic_audit.was TO clinic_audit.audit_row');
    await until(async () => (await strict()).state === 'intact');
  });

  it('is broken soon after an old row was edited, although the trigger that refuses it is back', async () => {
    const [[shown]] = (await administrator.query(
      'SHOW CREATE TRIGGER clinic_audit.chartgate_no_update_audit_row',
    )) as unknown as [Record<string, string>[]];
    const again = async (): Promise<void> => {
      await administrator.query(`SET sql_mode = '${shown?.sql_mode}'; SET NAMES utf8mb4 COLLATE utf8mb4_bin`);
      await administrator.query('USE clinic_audit');
      await administrator.query(shown?.['SQL Original Statement'] ?? '');
      await administrator.query('USE clinic');
    };
    const edit = async (login: string): Promise<void> => {
      await administrator.query('DROP TRIGGER clinic_audit.chartgate_no_update_audit_row');
      await administrator.query(`UPDATE clinic_audit.audit_row SET login = ${login} WHERE id = 20`);
      await again();
    };
    await administrator.query(
      'CREATE DATABASE IF NOT EXISTS kept; CREATE TABLE kept.login AS SELECT login FROM clinic_audit.audit_row WHERE id = 20',
    );
    await edit("'somebody else'");
    await until(async () => (await strict()).findings.includes('audit-row-edited'), 30_000);
    const found = { level: 'error', event: 'seal', codes: ['audit-row-edited'], object: 'audit_row 20' };
    expect(lines).toContainEqual(expect.objectContaining(found));
    await edit('(SELECT login FROM kept.login)');
    await until(async () => (await strict()).state === 'intact', 30_000);
    expect(lines.some(({ sentence }) => sentence.includes('again as it was sealed'))).toBe(true);
  });

  it('says nothing of what rows hold', () => {
    expect(JSON.stringify(lines)).not.toContain('somebody else');
  });
});
