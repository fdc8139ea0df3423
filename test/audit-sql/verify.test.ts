import fc from 'fast-check';
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readModel } from '../../audit-sql/catalogue/schema.ts';
import { dialectOf } from '../../audit-sql/dialect.ts';
import { apply } from '../../audit-sql/index.ts';
import { emptyFold, type Fold, type RecordState, take, valuesOf } from '../../audit-sql/trail/fold.ts';
import type { AuditEntry } from '../../audit-sql/trail/index.ts';
import { history, type VerifyReport, verify, verifyJson, verifyText } from '../../audit-sql/trail/index.ts';
import { type Partition, takePart } from '../../audit-sql/trail/partition.ts';
import { startScript } from '../../audit-sql/writers/start.ts';
import { stopScript } from '../../audit-sql/writers/stop.ts';
import { triggerName } from '../../audit-sql/writers/triggers.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { ENGINES, lenient, startServer } from './support.ts';
import { type Audited, startAudit } from './trail/audited.ts';

const SCHEMA = 'verified';
const AUDIT = `${SCHEMA}_audit`;

describe.each(ENGINES)('verify on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let reader: Connection;
  let audited: Audited;

  beforeAll(async () => {
    server = await startServer('audit-sql-verify', engine);
    admin = await lenient(server);
    reader = await server.connect({ charset: 'utf8mb4' });
  });

  afterAll(async () => {
    await reader?.end();
    await admin?.end();
    await server?.stop();
  });

  beforeEach(async () => {
    await admin.query(`DROP DATABASE IF EXISTS ${SCHEMA}; DROP DATABASE IF EXISTS ${AUDIT}`);
    await admin.query(`CREATE DATABASE ${SCHEMA} DEFAULT CHARACTER SET utf8mb4; USE ${SCHEMA}`);
    await admin.query(`
      CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(40), photo BLOB);
      CREATE TABLE paired (a VARCHAR(10) COLLATE utf8mb4_general_ci, b FLOAT, v INT, PRIMARY KEY (a, b));
      CREATE TABLE loose (a INT, b VARCHAR(20));
      CREATE TABLE old_list (id INT PRIMARY KEY, v INT) ENGINE = MyISAM;
      INSERT INTO people (id, name) VALUES (1, 'before'), (2, 'before');
    `);
    audited = await startAudit(admin, SCHEMA);
    await admin.query(`USE ${SCHEMA}`);
    await admin.query(`
      INSERT INTO people (id, name) VALUES (10, 'a'), (11, 'b'), (12, 'c');
      UPDATE people SET name = 'changed' WHERE id IN (1, 10); DELETE FROM people WHERE id = 11;
      UPDATE people SET id = 20 WHERE id = 12;
      INSERT INTO paired VALUES ('x', 0.1, 1), ('y', 1e10, 2); UPDATE paired SET v = 7;
      INSERT INTO loose VALUES (1, 'x'), (1, 'x'), (2, 'y'); DELETE FROM loose WHERE a = 2;
      INSERT INTO old_list VALUES (1, 1); UPDATE old_list SET v = 2;
    `);
  });

  const check = (more: { content?: true | string[]; recordsPerPass?: number } = {}): Promise<VerifyReport> =>
    verify(reader, { ...audited, ...more });
  const codes = (report: VerifyReport): string[] =>
    report.findings.filter((f) => f.severity === 'finding').map((f) => f.code);

  /** Puts back what statements of `start` made, in the session they are made for. */
  async function putBack(statements: readonly string[]): Promise<void> {
    await admin.query(
      "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'; SET NAMES utf8mb4 COLLATE utf8mb4_bin",
    );
    for (const sql of statements) await admin.query(sql);
    await admin.query("SET SESSION sql_mode = ''");
  }

  /** Deletes entries of an append-only table, whose trigger is then as before. */
  async function takeOut(table: string, where: string): Promise<void> {
    await admin.query(
      `DROP TRIGGER ${AUDIT}.chartgate_no_delete_${table}; DELETE FROM ${AUDIT}.${table} WHERE ${where}`,
    );
    const { statements } = audited.start;
    await putBack(statements.filter((s) => s.label === `${table} refuses delete`).map((s) => s.sql));
  }

  /** As an attacker with the administrator's rights would: the triggers are gone for a moment, then as before. */
  async function aroundTheAudit(work: string): Promise<void> {
    await apply(admin, stopScript(audited.model, audited.names, dialectOf(audited.server)));
    await admin.query(`SET SESSION sql_mode = ''; ${work}`);
    await apply(admin, audited.start);
    await takeOut('audit_instatement_log', 'id > 1');
  }

  it('finds nothing where nothing is wrong', async () => {
    const report = await check({ content: true });
    expect(codes(report)).toEqual([]);
    expect(report.ok).toBe(true);
    expect(report.figures.content).toMatchObject({ records: 8, equal: 8, keylessRows: 2, passes: 1 });
    expect(verifyText(report, true)).toContain('The audit is as it should be.');
  });

  it('finds the same in several passes as in one', async () => {
    await aroundTheAudit("UPDATE people SET name = 'forged' WHERE id = 20; DELETE FROM people WHERE id = 10");
    const one = await check({ content: true });
    const several = await check({ content: true, recordsPerPass: 3 });
    expect(several.figures.content?.passes).toBeGreaterThan(4);
    const sorted = (r: VerifyReport): string[] =>
      r.findings.map((f) => JSON.stringify([f.code, f.sentence])).sort();
    expect(sorted(several)).toEqual(sorted(one));
    expect({ ...several.figures.content, passes: 1 }).toEqual(one.figures.content);
  });

  const AROUND: readonly (readonly [what: string, sql: string, code: string, table: string])[] = [
    ['a changed value', "UPDATE people SET name = 'forged' WHERE id = 10", 'record-changed', 'people'],
    [
      'another case, which the collation calls equal',
      "UPDATE paired SET a = 'X' WHERE a = 'x'",
      'record-missing',
      'paired',
    ],
    [
      'a value of a row that was there before',
      "UPDATE people SET name = 'forged' WHERE id = 1",
      'record-changed',
      'people',
    ],
    ['a deleted row', 'DELETE FROM people WHERE id = 20', 'record-missing', 'people'],
    [
      'a deleted row that came back',
      "INSERT INTO people VALUES (11, 'b', NULL)",
      'record-unexpected',
      'people',
    ],
    ['a changed key', 'UPDATE people SET id = 30 WHERE id = 20', 'record-missing', 'people'],
    ['a deleted row without a key', 'DELETE FROM loose LIMIT 1', 'rows-missing', 'loose'],
    [
      'a changed row of a table without transactions',
      'UPDATE old_list SET v = 9',
      'record-changed',
      'old_list',
    ],
  ];
  it.each(AROUND)('finds %s, changed around the audit', async (_, sql, code, table) => {
    await aroundTheAudit(sql);
    const report = await check({ content: true });
    expect(codes(report)).toContain(code);
    expect(report.findings.filter((f) => f.severity === 'finding').map((f) => f.object)).toEqual([table]);
    expect(codes(await check())).toEqual([]);
    expect(
      codes(await check({ content: ['paired', 'people', 'loose', 'old_list'].filter((t) => t !== table) })),
    ).toEqual([]);
  });

  it('finds a change around the audit also when the row was changed again', async () => {
    await aroundTheAudit("UPDATE people SET name = 'forged' WHERE id = 10");
    await admin.query(`USE ${SCHEMA}; UPDATE people SET name = 'real' WHERE id = 10`);
    const report = await check({ content: true });
    expect(codes(report)).toEqual(['trail-contradicts']);
    expect(report.findings.find((f) => f.code === 'trail-contradicts')?.sentence).toMatch(
      /old values .* \("name"\)/,
    );
  });

  it('finds an audit row that was taken out of a life', async () => {
    await takeOut('audit_row', "operation = 'delete' AND emr_table = 'people'");
    expect(codes(await check({ content: true }))).toEqual(['record-missing']);
  });

  it('takes a change while auditing was stopped for what it is', async () => {
    await apply(admin, stopScript(audited.model, audited.names, dialectOf(audited.server)));
    expect(codes(await check())).toContain('audit-stopped');
    await admin.query("UPDATE people SET name = 'migrated' WHERE id = 10");
    await apply(admin, audited.start);
    const report = await check({ content: true });
    expect(codes(report)).toEqual([]);
    const notes = report.findings.map((f) => f.code);
    expect(notes).toContain('audit-was-stopped');
    expect(notes).toContain('record-changed');
  });

  const insertTrigger = `${SCHEMA}.${triggerName('people', 'insert')}`;
  const TAMPERED: readonly (readonly [what: string, sql: string, code: string])[] = [
    ['a trigger dropped', `DROP TRIGGER ${insertTrigger}`, 'trigger-missing'],
    [
      'a trigger that records nothing',
      `DROP TRIGGER ${insertTrigger}; CREATE TRIGGER ${insertTrigger} AFTER INSERT ON ${SCHEMA}.people FOR EACH ROW SET @x = 1`,
      'trigger-different',
    ],
    [
      'a trigger more in the audit schema',
      `CREATE TRIGGER ${AUDIT}.swallow BEFORE INSERT ON ${AUDIT}.audit_row FOR EACH ROW SET NEW.login = 'nobody'`,
      'trigger-unknown',
    ],
    ['audit rows may be deleted', `DROP TRIGGER ${AUDIT}.chartgate_no_delete_audit_row`, 'trigger-missing'],
    [
      'a column too short',
      `ALTER TABLE ${AUDIT}.audit_row MODIFY login VARCHAR(10) NOT NULL`,
      'audit-table-different',
    ],
    [
      'a column gone',
      `ALTER TABLE ${AUDIT}.audit_instatement_log DROP COLUMN generator`,
      'audit-table-different',
    ],
    [
      'an engine that keeps nothing',
      `ALTER TABLE ${AUDIT}.audit_row_direct ENGINE = InnoDB`,
      'audit-table-different',
    ],
    ['the view gone', `DROP VIEW ${AUDIT}.audit_trail`, 'audit-view-different'],
    [
      'a view that leaves out a user',
      `CREATE OR REPLACE DEFINER = chartgate_audit@localhost SQL SECURITY INVOKER VIEW ${AUDIT}.audit_trail AS SELECT * FROM ${AUDIT}.audit_row WHERE login NOT LIKE 'root%'`,
      'audit-view-different',
    ],
    ['the definer unlocked', 'ALTER USER chartgate_audit@localhost ACCOUNT UNLOCK', 'account-not-locked'],
    [
      'a privilege more for the definer',
      `GRANT DELETE ON ${AUDIT}.audit_row TO chartgate_audit@localhost`,
      'account-privilege-extra',
    ],
    [
      'a privilege less',
      `REVOKE TRIGGER ON ${SCHEMA}.* FROM chartgate_audit@localhost`,
      'account-privilege-missing',
    ],
  ];
  it.each(TAMPERED)('finds %s, and says which SQL puts it right', async (_, sql, code) => {
    try {
      await admin.query(sql);
      const report = await check();
      expect(codes(report)).toContain(code);
      expect(report.ok).toBe(false);
      if (code !== 'audit-table-different') {
        await putBack(report.findings.flatMap((f) => f.sql));
        expect(codes(await check())).toEqual([]);
      }
    } finally {
      await admin.query(
        "REVOKE ALL PRIVILEGES, GRANT OPTION FROM chartgate_audit@localhost; SET SESSION sql_mode = ''",
      );
    }
  });

  it('finds rows whose time goes back, and one that no trigger wrote', async () => {
    await admin.query(`
      INSERT INTO ${AUDIT}.audit_row (at, login, ran_as, connection, emr_table, operation) VALUES ('2001-01-01', 'x', 'x', 1, 'people', 'insert');
      INSERT INTO ${AUDIT}.audit_row (at, login, ran_as, connection, emr_table, operation, row_key) VALUES (UTC_TIMESTAMP(6), 'x', 'x', 1, 'people', 'update', 'nonsense');
    `);
    expect(codes(await check({ content: true })).sort()).toEqual(['time-backwards', 'trail-unreadable']);
  });

  it('says that gaps in the numbers prove nothing', async () => {
    await admin.query(
      'BEGIN; INSERT INTO people (id) VALUES (50); ROLLBACK; INSERT INTO people (id) VALUES (51)',
    );
    const report = await check();
    expect(report.ok).toBe(true);
    const note = report.findings.find((f) => f.code === 'number-gaps');
    expect([note?.severity, note?.sentence]).toEqual(['note', expect.stringContaining('proves nothing')]);
  });

  it('finds that a table with audited records was dropped', async () => {
    await admin.query('DROP TABLE loose, paired');
    const model = await readModel(admin, SCHEMA);
    const start = startScript(model, audited.names, dialectOf(audited.server));
    const report = await verify(reader, { ...audited, model, start, content: true });
    expect(codes(report).sort()).toEqual(['schema-changed', 'schema-changed', 'table-gone', 'table-gone']);
    const life = await history(reader, { ...audited, model, table: 'paired', key: 'a=x,b=0.1' });
    expect(life.entries.map((entry) => entry.operation)).toEqual(['insert', 'update']);
    const rows = await history(reader, { ...audited, model, table: 'loose', key: 'a=2' });
    expect(rows.entries.map((entry) => entry.operation)).toEqual(['insert', 'delete']);
  });

  it('shows keys only where it is asked to', async () => {
    await admin.query("INSERT INTO paired VALUES ('secret-7', 2, 2)");
    await aroundTheAudit("DELETE FROM paired WHERE a = 'secret-7'");
    const report = await check({ content: ['paired'] });
    expect(verifyText(report, true)).toContain('secret-7');
    expect(verifyText(report, false)).not.toContain('secret-7');
    expect(JSON.stringify(verifyJson(report, false))).not.toContain('secret-7');
  });

  it('changes nothing', async () => {
    const before = await admin.query("SHOW GLOBAL STATUS LIKE 'Com\\_%'");
    await check({ content: true });
    const after = await admin.query("SHOW GLOBAL STATUS LIKE 'Com\\_%'");
    const writes =
      /^Com_(insert|update|delete|replace|create|drop|alter|grant|revoke|truncate|rename|lock|load)/;
    const values = (rows: unknown): unknown[] =>
      (rows as [{ Variable_name: string; Value: string }[]])[0].filter((row) =>
        writes.test(row.Variable_name),
      );
    expect(values(after)).toEqual(values(before));
  });

  it('names a table that was probably meant', async () => {
    await expect(check({ content: ['peple'] })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('Did you mean "people"?'),
    });
  });
});

describe('several passes over the trail', () => {
  const KEY = fc.integer({ min: 0, max: 5 });
  const STEP = fc.record({
    kind: fc.constantFrom('insert', 'update', 'delete', 'move'),
    key: KEY,
    to: KEY,
    value: fc.nat(9),
  });

  function entry(id: number, step: { kind: string; key: number; to: number; value: number }): AuditEntry {
    const { kind, key, to, value } = step;
    const row = new Map<string, number>([
      ['id', key],
      ['v', value],
    ]);
    const changes =
      kind === 'move' && to !== key ? ([['id', [key, to]]] as const) : ([['v', [0, value]]] as const);
    return {
      id: BigInt(id),
      at: `2026-01-01T00:00:00.${String(id).padStart(6, '0')}Z`,
      login: '',
      ranAs: '',
      connection: '1',
      osUser: undefined,
      table: 't',
      operation: kind === 'move' ? 'update' : (kind as 'insert'),
      cascadeId: undefined,
      key: new Map([['id', key]]),
      oldValues: kind === 'delete' ? row : undefined,
      newValues: kind === 'insert' ? row : undefined,
      changes: kind === 'update' || kind === 'move' ? new Map(changes) : undefined,
    };
  }

  /** Steps that a database can take: a key is there once. */
  function possible(
    steps: readonly { kind: string; key: number; to: number; value: number }[],
  ): AuditEntry[] {
    const there = new Map<number, boolean>();
    const entries: AuditEntry[] = [];
    for (const step of steps) {
      const present = there.get(step.key);
      if (step.kind === 'insert' ? present === true : present === false) continue;
      if (step.kind === 'move' && step.to !== step.key) {
        if (there.get(step.to) !== false) continue;
        there.set(step.to, true);
      }
      there.set(
        step.key,
        step.kind === 'insert' || step.kind === 'update' || (step.kind === 'move' && step.to === step.key),
      );
      entries.push(entry(entries.length + 1, step));
    }
    return entries;
  }

  /** Columns have other places in another fold. */
  function described(fold: Fold, record: RecordState): unknown {
    const state = fold.tables.get('t');
    return { ...record, cells: state === undefined ? [] : valuesOf(state, record) };
  }

  it('know together exactly what one pass knows, however records move between the parts', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 40 }), fc.integer({ min: 2, max: 5 }), (steps, passes) => {
        const entries = possible(steps);
        const whole = emptyFold();
        for (const e of entries) take(whole, e, false);
        const records = new Map<string, unknown>();
        const breaks: unknown[] = [];
        for (let pass = 0; pass < passes; pass += 1) {
          const partition: Partition = { fold: emptyFold(), pass, passes, guests: new Map() };
          for (const e of entries) takePart(partition, e);
          for (const [key, record] of partition.fold.tables.get('t')?.records ?? []) {
            expect(records.has(key)).toBe(false);
            records.set(key, described(partition.fold, record));
          }
          breaks.push(...partition.fold.breaks);
        }
        const known = [...(whole.tables.get('t')?.records ?? [])];
        expect(records).toEqual(new Map(known.map(([key, record]) => [key, described(whole, record)])));
        expect(breaks.length).toBe(whole.breaks.length);
      }),
      { numRuns: 500 },
    );
  });
});
