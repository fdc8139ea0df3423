import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuditNames, apply, takeBaseline } from '../../audit-sql/index.ts';
import type { Statement } from '../../audit-sql/writers/script.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { auditAll, ENGINES, generateFor, keyPair, lenient, makeEmrUser, startServer } from './support.ts';

describe.each(ENGINES)('replacing triggers while the EMR writes, on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let names: AuditNames;
  let statements: readonly Statement[];

  beforeAll(async () => {
    server = await startServer('audit-sql-replacing', engine);
    admin = await lenient(server);
    await admin.query(`CREATE DATABASE emr; USE emr;
      CREATE TABLE busy (id INT AUTO_INCREMENT PRIMARY KEY, v INT)`);
    await makeEmrUser(admin);
    ({ names } = await auditAll(admin, 'emr'));
    ({
      scripts: {
        start: { statements },
      },
    } = await generateFor(admin, 'emr'));
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  async function count(sql: string): Promise<number> {
    const [[row]] = await admin.query<RowDataPacket[]>(`SELECT COUNT(*) AS n FROM ${sql}`);
    return Number(row?.n);
  }

  it('no write is lost to the audit and none fails', async () => {
    let written = 0;
    let going = true;
    const writers = await Promise.all([1, 2, 3].map(() => server.connect({ database: 'emr' })));
    const work = writers.map(async (connection) => {
      while (going) {
        await connection.query('INSERT INTO busy (v) VALUES (1)');
        await connection.query('UPDATE busy SET v = v + 1 WHERE id = LAST_INSERT_ID()');
        await connection.query('DELETE FROM busy WHERE id = LAST_INSERT_ID()');
        written += 3;
      }
    });
    // Not `apply`: it leaves out what is there already.
    for (let round = 0; round < 8; round++) {
      for (const { sql } of statements) await admin.query(sql);
    }
    going = false;
    await Promise.all(work);
    await Promise.all(writers.map((connection) => connection.end()));
    expect(written).toBeGreaterThan(30);
    expect(await count("emr_audit.audit_row WHERE emr_table = 'busy'")).toBe(written);
  });

  it('the program dying between two statements leaves nothing locked, and start brings everything back', async () => {
    const key = keyPair();
    const dying = await lenient(server);
    const drop = statements.findIndex(
      ({ sql }) => sql.startsWith('DROP TRIGGER') && sql.includes('_insert_'),
    );
    // MariaDB replaces a trigger in one statement; there is nothing to die between.
    const upTo = drop < 0 ? statements.findIndex(({ sql }) => sql.includes('_insert_busy')) : drop;
    for (const { sql } of statements.slice(0, upTo + 1)) await dying.query(sql);
    dying.destroy();
    const before = await count('emr_audit.audit_row');
    const waiting = await server.connect({ database: 'emr' });
    await waiting.query('SET SESSION lock_wait_timeout = 5');
    await waiting.query('INSERT INTO busy (v) VALUES (7)');
    await waiting.end();
    expect((await count('emr_audit.audit_row')) - before).toBe(engine === 'mariadb' ? 1 : 0);
    const attempt = takeBaseline(admin, names, key.privatePem);
    if (engine === 'mariadb') await attempt;
    else
      await expect(attempt).rejects.toMatchObject({
        code: 'baseline-invalid',
        message: expect.stringContaining('"busy" has no insert trigger'),
      });
    await apply(admin, (await generateFor(admin, 'emr')).scripts.start);
    await takeBaseline(admin, names, key.privatePem);
  });
});
