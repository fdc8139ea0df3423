import { readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Baseline, openBaseline } from '../../audit-sql/fingerprint/index.ts';
import { approveBaseline, takeBaseline } from '../../audit-sql/index.ts';
import { systemClock } from '../../contracts/clock.ts';
import type { IntegrityOracle, Verdict } from '../../contracts/integrity.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { createOracle } from '../../gateway/integrity/oracle.ts';
import { BaselineFile } from '../../integrity-checker/database/baseline-file.ts';
import { openSession } from '../../integrity-checker/database/session.ts';
import { type Checker, type LogLine, startChecker } from '../../integrity-checker/index.ts';
import { DatabaseWatch } from '../../integrity-checker/watch/watch.ts';
import { ENGINES, keyPair, startServer } from '../audit-sql/support.ts';
import { freeze, thaw } from '../support/signals.ts';
import { type ProtectedDatabase, protectDatabase } from './support/protected-database.ts';
import { secretOf } from './support/secret.ts';
import { pause, until } from './support/wait.ts';

const SECRET = secretOf('a shared secret of good length, for tests');

describe.each(ENGINES)('the checker on %s:', (engine) => {
  const socket = join(tmpdir(), `cg-${process.pid}-${engine}.sock`);
  let server: PrivateDatabase;
  let administrator: Connection;
  let clinic: ProtectedDatabase;
  let hospital: ProtectedDatabase;
  let checker: Checker;
  let oracle: IntegrityOracle;
  const lines: LogLine[] = [];

  beforeAll(async () => {
    server = await startServer('integrity-checker', engine, [
      // A server that is killed must not forget what it said was done.
      '--innodb-flush-log-at-trx-commit=1',
    ]);
    // The interval is long, so that what is found, the probes find.
    clinic = await protectDatabase(server, 'clinic', 60_000);
    hospital = await protectDatabase(server, 'hospital', 60_000);
    // On MySQL the second one's guard may list events everywhere, which the first one's baseline did not know.
    const first = await server.connect();
    await clinic.approve(first);
    await first.end();
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
    administrator = await server.connect({ multipleStatements: true });
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

  /**
   * While a definition waits for its turn, MySQL does not show the text of what it is about. That is not
   * intact either.
   */
  const MEANWHILE = engine === 'mariadb' ? 'intact' : 'unverified';

  /** Never intact, and soon what it is to be. */
  async function denied(state: string, ask: () => Promise<{ readonly state: string }>): Promise<void> {
    await until(async () => {
      const verdict = await ask();
      expect(verdict.state).not.toBe('intact');
      if (engine === 'mariadb') expect(verdict.state).toBe(state);
      return verdict.state === state;
    }, 5_000);
  }

  async function replaceBaseline(bytes: Buffer): Promise<void> {
    await writeFile(`${clinic.settings.baseline}.new`, bytes);
    await rename(`${clinic.settings.baseline}.new`, clinic.settings.baseline);
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
        "a session's own tables in the EMR's schema, of MERGE and over a cascade's child",
        'GRANT CREATE TEMPORARY TABLES ON clinic.* TO clinic_emr',
        'REVOKE CREATE TEMPORARY TABLES ON clinic.* FROM clinic_emr',
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

    it("is broken everywhere for a session's own tables in any schema, the audit's among them", async () => {
      await administrator.query('GRANT CREATE TEMPORARY TABLES ON *.* TO clinic_emr');
      for (const database of [clinic, hospital]) {
        expect((await strict(database)).findings).toEqual(['privilege-added']);
      }
      await administrator.query('REVOKE CREATE TEMPORARY TABLES ON *.* FROM clinic_emr');
      for (const database of [clinic, hospital]) expect((await strict(database)).state).toBe('intact');
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
      expect((await strict()).state).toBe(MEANWHILE);
      await writer.query('COMMIT');
      await drop;
      await writer.query("INSERT INTO patient (name) VALUES ('unrecorded')");
      await denied('broken', strict);
      await writer.end();
      await clinic.restoreTrigger(administrator);
      expect((await strict()).state).toBe('intact');
    });
  });

  describe('a definition that takes effect late', () => {
    /** A watch of its own: definitions are heeded for a moment only after something moved. */
    async function watching(): Promise<DatabaseWatch> {
      const file = new BaselineFile<Baseline>(clinic.settings.baseline, (bytes) =>
        openBaseline(bytes, clinic.settings.baselineTrust),
      );
      await file.refresh();
      const watch = new DatabaseWatch({
        id: clinic.settings.id,
        open: () => openSession(clinic.settings, file, undefined),
        fullCheckMs: 600_000,
        timeoutMs: 2_000,
        log: () => {},
        watchfulMs: 200,
      });
      await until(async () => (await watch.attest()).state === 'intact');
      return watch;
    }

    /** Somebody drops a trigger while a transaction keeps the table's definition in use. */
    async function latePair(before = ''): Promise<{ writer: Connection; dropped: Promise<unknown> }> {
      const writer = await server.connect({ database: 'clinic' });
      await writer.query('BEGIN');
      await writer.query('SELECT * FROM patient');
      const dropped = administrator.query(`${before}DROP TRIGGER ${clinic.trigger}`);
      return { writer, dropped };
    }

    it('is found by the first verdict after the first write, however long it had waited', async () => {
      const watch = await watching();
      const { writer, dropped } = await latePair();
      await pause(100);
      expect((await watch.attest()).state).toBe(MEANWHILE);
      // Far longer than definitions are heeded after a move, and nothing is compared meanwhile.
      await pause(1_000);
      expect((await watch.attest()).state).toBe(MEANWHILE);
      await writer.query('COMMIT');
      await dropped;
      await writer.query("INSERT INTO patient (name) VALUES ('unrecorded')");
      await denied('broken', () => watch.attest());
      await writer.end();
      await clinic.restoreTrigger(administrator);
      expect((await watch.attest()).state).toBe('intact');
      await watch.close();
    });

    it
      .runIf(engine === 'mariadb')
      .each([
        'SET  STATEMENT max_statement_time=60 FOR ',
        'SET /* work */ STATEMENT max_statement_time=60 FOR ',
        'set \t statement max_statement_time=60 for ',
      ])('is found as well when it is begun with %j', async (before) => {
      const watch = await watching();
      const { writer, dropped } = await latePair(before);
      await pause(100);
      await watch.attest();
      // Far longer than definitions are heeded after a move.
      await pause(500);
      await watch.attest();
      await writer.query('COMMIT');
      await dropped;
      await writer.query("INSERT INTO patient (name) VALUES ('unrecorded')");
      await denied('broken', () => watch.attest());
      await writer.end();
      await clinic.restoreTrigger(administrator);
      await watch.close();
    });

    it('is found also where temporary tables load definitions all the time', async () => {
      const watch = await watching();
      let done = false;
      const busy = await server.connect({ database: 'clinic' });
      const noise = (async () => {
        while (!done) {
          await busy.query('CREATE TEMPORARY TABLE work (id INT)');
          await busy.query('INSERT INTO work VALUES (1)');
          await busy.query('DROP TEMPORARY TABLE work');
        }
      })();
      const { writer, dropped } = await latePair();
      const end = performance.now() + 1_000;
      await pause(100);
      while (performance.now() < end) expect((await watch.attest()).state).toBe(MEANWHILE);
      await writer.query('COMMIT');
      await dropped;
      await writer.query("INSERT INTO patient (name) VALUES ('unrecorded')");
      await denied('broken', () => watch.attest());
      done = true;
      await noise;
      await Promise.all([writer.end(), busy.end()]);
      await clinic.restoreTrigger(administrator);
      expect((await watch.attest()).state).toBe('intact');
      await watch.close();
    });
  });

  it('is broken as soon as the log says that auditing was stopped, although no counter moves', async () => {
    await administrator.query(
      "INSERT INTO clinic_audit.audit_instatement_log (at, action, login, account, connection, emr_schema, schema_digest, generator, tables_audited) SELECT at, 'stop', login, account, connection, emr_schema, schema_digest, generator, tables_audited FROM clinic_audit.audit_instatement_log ORDER BY id DESC LIMIT 1",
    );
    const verdict = await strict();
    expect(verdict.state).toBe('broken');
    expect(verdict.findings).toContain('audit-not-started');
    await clinic.start(administrator);
    await until(async () => (await strict()).state === 'intact');
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
      const old = await readFile(clinic.settings.baseline);
      await administrator.query('ALTER TABLE note ADD author VARCHAR(20)');
      expect((await strict()).findings).toContain('column-added');
      await clinic.start(administrator);
      await clinic.approve(administrator);
      await until(async () => (await strict()).state === 'intact');
      await administrator.query('ALTER TABLE note DROP author');
      await clinic.start(administrator);
      expect((await strict()).state).toBe('broken');
      // The database is as the old baseline says again, but that one was replaced.
      await replaceBaseline(old);
      await until(async () => (await strict()).findings.includes('baseline-invalid'));
      expect(lines.at(-1)?.sentence ?? '').toMatch(/baseline|differs/);
      expect(lines.some(({ sentence }) => /take it anew to go back/.test(sentence))).toBe(true);
      await clinic.approve(administrator);
      await until(async () => (await strict()).state === 'intact');
    });

    it('that one administrator alone signed, or one who is not listed, means broken', async () => {
      const good = await readFile(clinic.settings.baseline);
      const [anna = Buffer.alloc(0)] = clinic.keys;
      const stranger = keyPair();
      const alone = await takeBaseline(administrator, clinic.names, anna);
      for (const bad of [
        alone,
        approveBaseline(alone, stranger.privatePem),
        await takeBaseline(administrator, clinic.names, stranger.privatePem),
      ]) {
        await replaceBaseline(bad);
        await until(async () => (await strict()).findings[0] === 'baseline-invalid');
        await replaceBaseline(good);
        await until(async () => (await strict()).state === 'intact');
      }
    });
  });

  describe('what a comparison sees', () => {
    it("is what the guard's text says now, not what was called earlier in the session", async (context) => {
      // MySQL keeps routines where no statement can write to them.
      if (engine === 'mysql') return context.skip();
      const good = await body();
      // Lies, and is compared once, so that the session has called it.
      const lying = good.replaceAll("EVENT_OBJECT_SCHEMA = 'clinic'", "EVENT_OBJECT_SCHEMA = 'nothing'");
      expect(lying).not.toBe(good);
      await put(lying);
      await administrator.query('CREATE OR REPLACE PROCEDURE clinic.nudge() SELECT 1');
      expect((await strict()).findings).toContain('guard-changed');
      await put(good);
      await administrator.query('DROP PROCEDURE clinic.nudge');
      expect(await strict()).toMatchObject({ state: 'intact', findings: [] });
    });

    async function body(): Promise<string> {
      const [rows] = await administrator.query(
        "SELECT CAST(body AS CHAR CHARACTER SET utf8mb4) AS body FROM mysql.proc WHERE db = 'clinic_audit' AND name = 'chartgate_snapshot'",
      );
      return (rows as { body: string }[])[0]?.body ?? '';
    }

    async function put(text: string): Promise<void> {
      await administrator.query(
        "UPDATE mysql.proc SET body = ? WHERE db = 'clinic_audit' AND name = 'chartgate_snapshot'",
        [text],
      );
    }

    it("is broken when the server's clock is further from ours than allowed", async () => {
      const real = Date.now();
      const ahead = vi
        .spyOn(Date, 'now')
        .mockImplementation(() => performance.timeOrigin + performance.now() + 20_000);
      try {
        expect(Date.now() - real).toBeGreaterThan(10_000);
        await until(async () => (await strict()).findings.includes('clock-differs'));
      } finally {
        ahead.mockRestore();
      }
      expect((await strict()).state).toBe('intact');
      const told = lines.findLast(({ codes }) => codes?.[0] === 'clock-differs');
      expect(told?.sentence).toMatch(/clock is (19|20)\.\d s behind this machine's/);
    });

    it('says in the log what would restore it', async () => {
      await administrator.query('GRANT TRIGGER ON clinic.* TO clinic_emr');
      expect((await strict()).state).toBe('broken');
      const told = lines.findLast(({ codes }) => codes?.[0] === 'privilege-added');
      expect(told?.remedy).toEqual(["REVOKE TRIGGER ON `clinic`.* FROM 'clinic_emr'@'%';"]);
      for (const sql of told?.remedy ?? []) await administrator.query(sql);
      expect((await strict()).state).toBe('intact');
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

  it('probes go on when the server takes no more prepared statements', async () => {
    const file = new BaselineFile<Baseline>(clinic.settings.baseline, (bytes) =>
      openBaseline(bytes, clinic.settings.baselineTrust),
    );
    await administrator.query('SET GLOBAL max_prepared_stmt_count = 0');
    const session = await openSession(clinic.settings, file, undefined);
    try {
      const first = await session.counters();
      const dropped = 'DROP TRIGGER IF EXISTS nothing_of_that_name';
      expect(await session.counters()).toEqual(first);
      await administrator.query(dropped);
      expect(await session.counters()).not.toEqual(first);
    } finally {
      session.destroy();
      await administrator.query('SET GLOBAL max_prepared_stmt_count = DEFAULT');
    }
  });

  it('the log says what happened, with codes, and holds no secret', () => {
    const text = JSON.stringify(lines);
    expect(text).toContain('trigger-missing');
    expect(text).not.toContain(clinic.settings.password.reveal().toString());
  });
});

/** The same baseline with one byte of its content changed, and so a wrong signature. */
function forged(good: Buffer): Buffer {
  return Buffer.from(good.toString().replace('"start"', '"stop"').replace('patient', 'patiens'));
}
