import { readFile, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import type { IntegrityOracle, Verdict } from '../../contracts/integrity.ts';
import { type PrivateMariadb, startPrivateMariadb } from '../../examples/support/private-mariadb.ts';
import { createOracle } from '../../gateway/integrity/oracle.ts';
import { type Checker, type LogLine, startChecker } from '../../integrity-checker/index.ts';
import { freeze, thaw } from '../support/signals.ts';
import { type ProtectedDatabase, protectDatabase } from './support/protected-database.ts';
import { secretOf } from './support/secret.ts';
import { pause, until } from './support/wait.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SECRET = secretOf('a shared secret of good length, for tests');
const socket = join(tmpdir(), `cg-${process.pid}-m.sock`);

let server: PrivateMariadb;
let administrator: Connection;
let clinic: ProtectedDatabase;
let hospital: ProtectedDatabase;
let checker: Checker;
let oracle: IntegrityOracle;
const lines: LogLine[] = [];

beforeAll(async () => {
  server = await startPrivateMariadb({ directory: join(ROOT, '.work', 'integrity-checker') });
  // The interval is long, so that what is found, the probes find.
  clinic = await protectDatabase(server, 'clinic', 60_000);
  hospital = await protectDatabase(server, 'hospital', 60_000);
  checker = await start();
  oracle = createOracle({
    socket,
    secret: SECRET,
    timeoutMs: 1_500,
    databases: [clinic.settings.id, hospital.settings.id],
    clock: systemClock,
  });
});
afterAll(async () => {
  await oracle?.close();
  await checker?.close();
  await server?.stop();
});
beforeEach(async () => {
  administrator = await server.connect();
  await administrator.query('USE clinic');
  await until(
    async () => (await strict()).state === 'intact' && (await strict(hospital)).state === 'intact',
    3_000,
  );
  return () => administrator.end().catch(() => {});
});

function start(): Promise<Checker> {
  const settings = {
    file: '',
    socket,
    secret: SECRET,
    seal: undefined,
    databases: [clinic.settings, hospital.settings],
  };
  return startChecker(settings, (line) => lines.push(line));
}

async function strict(database = clinic): Promise<Verdict> {
  return await oracle.attest(database.settings.id, { mode: 'strict' }, systemClock.monotonic());
}

describe('the next strict verdict after a tamper', () => {
  it.each([
    ['a trigger dropped', 'DROP TRIGGER $trigger', '', 'trigger-missing'],
    ['a table renamed', 'RENAME TABLE note TO note2', 'RENAME TABLE note2 TO note', 'table-missing'],
    ['a table that is not audited', 'CREATE TABLE extra (i INT)', 'DROP TABLE extra', 'table-added'],
    [
      'a column that is not audited',
      'ALTER TABLE note ADD extra INT',
      'ALTER TABLE note DROP extra',
      'column-added',
    ],
    [
      'a trigger added',
      'CREATE TRIGGER blanks BEFORE INSERT ON note FOR EACH ROW SET NEW.body = NULL',
      'DROP TRIGGER blanks',
      'trigger-added',
    ],
    [
      'a privilege granted',
      'GRANT TRIGGER ON clinic.* TO clinic_emr',
      'REVOKE TRIGGER ON clinic.* FROM clinic_emr',
      'privilege-added',
    ],
    [
      'the definer unlocked',
      'ALTER USER clinic_definer@localhost ACCOUNT UNLOCK',
      'ALTER USER clinic_definer@localhost ACCOUNT LOCK',
      'account-unlocked',
    ],
    [
      'an event on the audit',
      'CREATE EVENT clinic_audit.e ON SCHEDULE EVERY 1 DAY DO DELETE FROM clinic_audit.audit_row',
      'DROP EVENT clinic_audit.e',
      'event-added',
    ],
  ])('is broken for %s, and intact again with a new epoch when undone', async (_, tamper, undo, code) => {
    const before = await strict();
    await administrator.query(tamper.replace('$trigger', clinic.trigger));
    const broken = await strict();
    expect(broken).toMatchObject({ state: 'broken', epoch: '' });
    expect(broken.findings).toContain(code);
    expect((await strict(hospital)).state).toBe('intact');
    if (undo === '') await clinic.restoreTrigger(administrator);
    else await administrator.query(undo);
    const after = await strict();
    expect(after.state).toBe('intact');
    expect(after.epoch).not.toBe(before.epoch);
  });

  it('names another epoch when all was put back between two verdicts', async () => {
    const before = await strict();
    await administrator.query(`DROP TRIGGER ${clinic.trigger}`);
    await administrator.query("INSERT INTO patient (name) VALUES ('nobody')");
    await clinic.restoreTrigger(administrator);
    const after = await strict();
    expect(after.state).toBe('intact');
    expect(after.epoch).not.toBe(before.epoch);
    await administrator.query("DELETE FROM patient WHERE name='nobody'");
  });

  it('is broken for a drop that had waited for a lock while it was compared', async () => {
    const writer = await server.connect({ database: 'clinic' });
    await writer.query('BEGIN');
    await writer.query('SELECT * FROM patient');
    const drop = administrator.query(`DROP TRIGGER ${clinic.trigger}`);
    await pause(100);
    // Its counter has moved, but nothing is changed yet: the comparison sees what the baseline says.
    expect((await strict()).state).toBe('intact');
    await writer.query('COMMIT');
    await drop;
    await writer.query("INSERT INTO patient (name) VALUES ('unrecorded')");
    expect((await strict()).state).toBe('broken');
    await writer.end();
    await clinic.restoreTrigger(administrator);
    expect((await strict()).state).toBe('intact');
  });
});

describe('without any tamper', () => {
  it('a busy database with temporary tables is always intact', async () => {
    let asked = 0;
    const busy = (async () => {
      // Until enough was asked meanwhile, however slow this machine answers.
      for (let i = 0; i < 40 || asked <= 10; i++) {
        await administrator.query('INSERT INTO patient (name) VALUES (?)', [`n${i}`]);
        await administrator.query('CREATE TEMPORARY TABLE work SELECT * FROM patient');
        await administrator.query(i % 2 === 0 ? 'DROP TEMPORARY TABLE work' : 'DROP TABLE work');
        await administrator.query('UPDATE patient SET born = NOW()');
      }
    })();
    let done = false;
    void busy.then(() => {
      done = true;
    });
    while (!done) {
      expect(await strict()).toMatchObject({ state: 'intact', findings: [] });
      asked += 1;
    }
    await busy;
    expect(asked).toBeGreaterThan(10);
  });

  it('1,000 verdicts in a row keep one epoch', async () => {
    // The first verdicts after other statements may still follow definitions being loaded.
    const epochs = new Set<string>();
    for (let i = 0; i < 1_000; i++) epochs.add((await strict()).epoch);
    expect(epochs.size).toBe(1);
    expect([...epochs][0]).not.toBe('');
  });

  it("the checker's own user cannot touch a trigger", async () => {
    const own = await server.connect({
      user: clinic.settings.user,
      password: clinic.settings.password.reveal().toString(),
    });
    for (const sql of [
      `DROP TRIGGER clinic.${clinic.trigger}`,
      'CREATE TABLE clinic.x (i INT)',
      'SELECT * FROM clinic.patient',
      'DROP PROCEDURE clinic_audit.chartgate_snapshot',
      'SET GLOBAL read_only=1',
      'FLUSH STATUS',
    ]) {
      await expect(own.query(sql), sql).rejects.toThrow();
    }
    await own.end();
  });
});

describe('the baseline', () => {
  it('that is gone, unsigned or another key’s means broken; the next good one is taken', async () => {
    const good = await readFile(clinic.settings.baseline);
    for (const bad of [undefined, Buffer.from('{}'), forged(good)]) {
      if (bad === undefined) await unlink(clinic.settings.baseline);
      else await writeFile(clinic.settings.baseline, bad);
      await until(async () => (await strict()).state === 'broken');
      expect((await strict()).findings).toEqual(['baseline-invalid']);
      await writeFile(clinic.settings.baseline, good);
      await until(async () => (await strict()).state === 'intact');
    }
  });

  it('approved anew after a change of the schema takes effect by itself', async () => {
    await administrator.query('ALTER TABLE note ADD author VARCHAR(20)');
    expect((await strict()).findings).toContain('column-added');
    await clinic.approve(administrator);
    await until(async () => (await strict()).state === 'intact');
    await administrator.query('ALTER TABLE note DROP author');
    await clinic.approve(administrator);
    await until(async () => (await strict()).state === 'intact');
  });
});

describe('when something is lost', () => {
  it('a killed database is unverified for those who ask, and intact when it is back, with another epoch', async () => {
    const before = await strict();
    await server.kill();
    expect((await strict()).state).toBe('unverified');
    expect((await strict()).state).toBe('unverified');
    await server.restart();
    await until(async () => (await strict()).state === 'intact', 5_000);
    expect((await strict()).epoch).not.toBe(before.epoch);
  });

  it('a stopped (SIGSTOP) database is unverified within the time limit, and intact when it goes on', async () => {
    await freeze(server.pid);
    try {
      expect((await strict()).state).toBe('unverified');
    } finally {
      thaw(server.pid);
    }
    await until(async () => (await strict()).state === 'intact', 5_000);
  });

  it('a tamper while the checker is away is found when it is back', async () => {
    await checker.close();
    expect((await strict()).state).toBe('unverified');
    await administrator.query(`DROP TRIGGER ${clinic.trigger}`);
    checker = await start();
    await until(async () => (await strict()).state === 'broken', 5_000);
    await clinic.restoreTrigger(administrator);
    expect((await strict()).state).toBe('intact');
  });
});

it('the log says what happened, with codes, and holds no secret', () => {
  const text = JSON.stringify(lines);
  expect(text).toContain('trigger-missing');
  expect(text).not.toContain(clinic.settings.password.reveal().toString());
});

/** The same baseline with one byte of its content changed, and so a wrong signature. */
function forged(good: Buffer): Buffer {
  return Buffer.from(good.toString().replace('"start"', '"stop"').replace('patient', 'patiens'));
}
