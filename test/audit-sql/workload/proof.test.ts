import { randomBytes } from 'node:crypto';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { triggerName } from '../../../audit-sql/writers/triggers.ts';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { nextLog, readLogs } from '../../../measure/audit/binary-log.ts';
import { MARIADB, MYSQL } from '../../../measure/audit/plan.ts';
import { readContent } from '../../../measure/audit/second-opinion/content.ts';
import { type Opinion, secondOpinion, trailEnds } from '../../../measure/audit/second-opinion/replay.ts';
import { administrator, engineIsHere } from '../../../measure/audit/servers.ts';
import { type Audited, startAudit, startScriptFor } from '../../../measure/audit/start.ts';
import { readShape } from '../../../measure/audit/workload/shape.ts';
import { startWorkloadServer, stopWorkloadServers } from './support.ts';

// A proof that cannot fail proves nothing: each row breaks the audit in one way that must be noticed.
const BROKEN: readonly {
  readonly what: string;
  readonly sql: readonly string[];
  /** What the replay says of the table; undefined where only the log can know. */
  readonly unequal: string | undefined;
  readonly missing: readonly (readonly [string, string, number])[];
}[] = [
  {
    what: 'nothing is wrong',
    sql: ["INSERT INTO text_key VALUES ('a', 'b'), ('c', 'd')", "DELETE FROM text_key WHERE k = 'a'"],
    unequal: undefined,
    missing: [],
  },
  {
    what: 'an insert trigger is missing for a moment',
    sql: [`DROP TRIGGER ${triggerName('big_key', 'insert')}`, 'INSERT INTO big_key VALUES (1, 1), (2, 2)'],
    unequal: 'big_key',
    missing: [['big_key', 'insert', 2]],
  },
  {
    what: 'an update trigger is missing and the change is put back by hand',
    sql: [
      'INSERT INTO decimal_key VALUES (1.5, 1)',
      `DROP TRIGGER ${triggerName('decimal_key', 'update')}`,
      'UPDATE decimal_key SET v = 2',
      'UPDATE decimal_key SET v = 1',
    ],
    unequal: undefined,
    missing: [['decimal_key', 'update', 2]],
  },
  {
    what: 'a row vanishes from a table that has no key',
    sql: [
      "INSERT INTO keyless (a, b) VALUES (1, 'x'), (1, 'x')",
      `DROP TRIGGER ${triggerName('keyless', 'delete')}`,
      'DELETE FROM keyless LIMIT 1',
    ],
    unequal: 'keyless',
    missing: [['keyless', 'delete', 1]],
  },
];

describe.each([MARIADB, MYSQL].filter(({ engine }) => engineIsHere(engine)))(
  'the proof itself on $title',
  (kind) => {
    let server: PrivateDatabase;
    let admin: Connection;
    let audited: Audited;

    beforeAll(async () => {
      server = await startWorkloadServer('proof', kind);
      admin = await administrator(server);
      audited = await startAudit(admin, kind.engine, 'awkward');
      await admin.query('USE awkward');
    });
    afterAll(async () => {
      await admin?.end();
      await stopWorkloadServers();
    });

    it.each(BROKEN)('says so when $what', async ({ sql, unequal, missing }) => {
      await admin.query("SET SESSION sql_mode = ''");
      const shape = await readShape(admin, 'awkward');
      const before = await readContent(admin, kind.engine, shape);
      const auditSchema = audited.names.auditSchema;
      const trailAfter = await trailEnds(admin, auditSchema);
      const first = (await nextLog(admin)) ?? '';
      for (const statement of sql) await admin.query(statement);
      const log = await readLogs(admin, server, audited, first);
      const after = await readContent(admin, kind.engine, shape);
      const opinion: Opinion = await secondOpinion(admin, { shape, auditSchema, before, after, trailAfter });
      const wrong = shape.tables.map(({ name }) => name).filter((name) => !opinion.equal.includes(name));
      expect(wrong).toEqual(unequal === undefined ? [] : [unequal]);
      expect(log.missing.map((m) => [m.table, m.operation, m.rows])).toEqual(missing);
      expect(log.complete).toBe(missing.length === 0);
    });

    it('itemises what the log has as text, and what came while auditing was stopped', async () => {
      const first = (await nextLog(admin)) ?? '';
      await admin.query('TRUNCATE TABLE unique_only');
      const log = `INSERT INTO awkward_audit.audit_instatement_log
        (at, action, login, account, connection, emr_schema, schema_digest, generator, tables_audited)
        SELECT at, ?, login, account, connection, emr_schema, schema_digest, generator, tables_audited
          FROM awkward_audit.audit_instatement_log ORDER BY id DESC LIMIT 1`;
      await admin.query(log, ['stop']);
      await admin.query("INSERT INTO unique_only VALUES ('a', 1), ('b', 2)");
      await admin.query(log, ['start']);
      await admin.query("INSERT INTO unique_only VALUES ('c', 1)");
      const found = await readLogs(admin, server, audited, first);
      expect(found.statements.map(({ verb, times }) => [verb, times])).toEqual([['TRUNCATE', 1]]);
      expect([found.whileStopped, found.rowChanges, found.audited]).toEqual([2, 1, 1]);
    });

    it('does not take a start that is run again for triggers that were removed', async () => {
      const first = (await nextLog(admin)) ?? '';
      // Fed by hand: `apply` would leave out the triggers that are as they should be.
      const { statements } = startScriptFor(audited.model, audited.names, audited.server);
      for (const { sql } of statements) await admin.query(sql);
      const found = await readLogs(admin, server, audited, first);
      expect(found.statements).toEqual([]);
      const name = triggerName('unique_only', 'insert');
      const next = (await nextLog(admin)) ?? '';
      const [[trigger]] = await admin.query<RowDataPacket[]>(`SHOW CREATE TRIGGER awkward.${name}`);
      await admin.query(`DROP TRIGGER awkward.${name}`);
      await admin.query(String(trigger?.['SQL Original Statement']));
      const removed = await readLogs(admin, server, audited, next);
      expect(removed.statements.map(({ verb, times }) => [verb, times])).toEqual([['DROP TRIGGER', 1]]);
    });

    it('reads keys back from the log whatever they hold', async () => {
      const first = (await nextLog(admin)) ?? '';
      const keys = [
        "'",
        '\\',
        '"',
        '\n',
        '\\n',
        '\\x0a',
        '\t',
        '\0',
        '\x1a',
        'ж',
        '😀',
        '### INSERT INTO `awkward`.`x`',
        "''",
        '`',
      ];
      for (const key of keys) {
        await admin.query('INSERT INTO text_key (k, v) VALUES (?, NULL)', [
          `${key}${randomBytes(3).toString('hex')}`,
        ]);
        await admin.query('INSERT INTO binary_key (k, v) VALUES (?, NULL)', [
          Buffer.from(`${key}`).subarray(0, 16),
        ]);
      }
      for (let byte = 0; byte < 256; byte += 1) {
        await admin.query('REPLACE INTO binary_key (k, v) VALUES (?, 1)', [Buffer.from([byte, 0x41, byte])]);
      }
      const found = await readLogs(admin, server, audited, first);
      expect(found.missing).toEqual([]);
      expect(found.beyond.filter(({ reason }) => reason === 'unexplained')).toEqual([]);
      const [[count]] = await admin.query<RowDataPacket[]>('SELECT COUNT(*) AS n FROM binary_key');
      expect(Number(count?.n)).toBeGreaterThan(256);
      for (const table of ['text_key', 'binary_key']) {
        expect(found.tables.find((t) => t.table === table && t.operation === 'insert')?.by).toBe('key');
      }
    });
  },
);
