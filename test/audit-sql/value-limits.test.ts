import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply } from '../../audit-sql/index.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import {
  auditRows,
  ENGINES,
  generateFor,
  lastAuditId,
  lenient,
  makeEmrUser,
  startServer,
} from './support.ts';

const SCHEMA = 'limits';
const WIDTH = 1000;
const MIB = 1024 * 1024;

describe.each(ENGINES)('limits of the engine, on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;

  beforeAll(async () => {
    server = await startServer('audit-sql-value-limits', engine);
    admin = await lenient(server);
    await makeEmrUser(admin);
    const wide = Array.from({ length: WIDTH }, (_, i) => `c${i} ${i % 2 === 0 ? 'INT' : 'VARCHAR(8)'}`);
    await admin.query(`
      CREATE DATABASE ${SCHEMA} DEFAULT CHARACTER SET utf8mb4; USE ${SCHEMA};
      CREATE TABLE wide (id INT PRIMARY KEY, ${wide.join(', ')}) ROW_FORMAT = DYNAMIC;
      CREATE TABLE texts (id INT PRIMARY KEY, body LONGTEXT, other INT);
      CREATE TABLE keyless_texts (body LONGTEXT);
      CREATE TABLE strict_ones (id INT NOT NULL PRIMARY KEY, n INT NOT NULL, s VARCHAR(20) NOT NULL, d DATE NOT NULL,
        e ENUM('x', 'y') NOT NULL, b BLOB NOT NULL, f FLOAT NOT NULL, t TIMESTAMP NOT NULL DEFAULT '2020-01-01 00:00:00');
    `);
    const { scripts } = await generateFor(admin, SCHEMA);
    await apply(admin, scripts.start);
    await admin.query("SET SESSION sql_mode = ''");
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  it(`a table of ${WIDTH + 1} columns is recorded whole`, async () => {
    const names = Array.from({ length: WIDTH }, (_, i) => `c${i}`);
    await admin.query(
      `INSERT INTO wide (id, ${names.join(', ')}) VALUES (1, ${names.map((_, i) => (i % 2 === 0 ? i : `'v${i}'`)).join(', ')})`,
    );
    await admin.query(`UPDATE wide SET c0 = -1, c999 = 'V999', c500 = NULL`);
    await admin.query('DELETE FROM wide');
    const [insert, update, remove] = await auditRows(admin, SCHEMA);
    const inserted = JSON.parse(insert?.new_values ?? '');
    expect(Object.keys(inserted)).toHaveLength(WIDTH + 1);
    expect([inserted.c998, inserted.c999]).toEqual([998, 'v999']);
    expect(JSON.parse(update?.changes ?? '')).toEqual({
      c0: [0, -1],
      c500: [500, null],
      c999: ['v999', 'V999'],
    });
    expect(JSON.parse(remove?.old_values ?? '')).toEqual({ ...inserted, c0: -1, c500: null, c999: 'V999' });
  });

  it('where nothing may be NULL, what a lenient session leaves out is recorded as it is stored', async () => {
    const before = await lastAuditId(admin, SCHEMA);
    await admin.query('INSERT INTO strict_ones (id) VALUES (1), (2)');
    await admin.query("UPDATE strict_ones SET n = NULL, s = NULL, e = 'nonsense' WHERE id = 1");
    const [insert, , update] = await auditRows(admin, SCHEMA, before);
    expect(JSON.parse(insert?.new_values ?? '')).toMatchObject({
      id: 1,
      n: 0,
      s: '',
      d: '0000-00-00',
      e: 'x',
      b: '0x',
      f: '0',
    });
    expect(JSON.parse(update?.changes ?? '')).toEqual({ e: ['x', ''] });
  });

  describe('a record beyond max_allowed_packet', () => {
    let small: Connection;

    beforeAll(async () => {
      await admin.query(`INSERT INTO texts VALUES (100, REPEAT('x', ${3 * MIB}), 0)`);
      await admin.query(`INSERT INTO keyless_texts VALUES (REPEAT('x', ${3 * MIB}))`);
      await admin.query(`SET GLOBAL max_allowed_packet = ${MIB}`);
      small = await server.connect({ database: SCHEMA, charset: 'utf8mb4' });
    });

    afterAll(async () => {
      await small?.end();
      await admin.query(`SET GLOBAL max_allowed_packet = ${16 * MIB}`);
    });

    it('is written when it just fits', async () => {
      const before = await lastAuditId(admin, SCHEMA);
      await small.query("INSERT INTO texts VALUES (1, REPEAT('x', 900000), 0)");
      const [insert] = await auditRows(admin, SCHEMA, before);
      expect(JSON.parse(insert?.new_values ?? '').body).toHaveLength(900_000);
    });

    it.each([
      ["INSERT INTO texts VALUES (2, REPEAT('\"', 600000), 0)", 'escapes double it'],
      ["UPDATE texts SET body = REPEAT('y', 900000) WHERE id = 1", 'old and new value together'],
      ['DELETE FROM texts WHERE id = 100', 'the old value was written under another limit'],
      ["UPDATE texts SET body = '' WHERE id = 100", 'the old value was written under another limit'],
      ['DELETE FROM keyless_texts', 'the old value was written under another limit'],
      ["UPDATE keyless_texts SET body = 'a'", 'the old value was written under another limit'],
    ])('%s (%s) is refused, says why, and changes nothing', async (statement) => {
      const [before, content] = [await lastAuditId(admin, SCHEMA), await digest()];
      await expect(small.query(statement)).rejects.toThrow(/max_allowed_packet/);
      expect(await auditRows(admin, SCHEMA, before)).toEqual([]);
      expect(await digest()).toEqual(content);
    });

    it('does not stand in the way of another column', async () => {
      const before = await lastAuditId(admin, SCHEMA);
      await small.query('UPDATE texts SET other = 1 WHERE id = 100');
      const [update] = await auditRows(admin, SCHEMA, before);
      expect(JSON.parse(update?.changes ?? '')).toEqual({ other: [0, 1] });
    });

    async function digest(): Promise<unknown> {
      const [rows] = await admin.query<RowDataPacket[]>(
        'SELECT id, SHA2(body, 256) AS body FROM texts UNION ALL SELECT 0, SHA2(body, 256) FROM keyless_texts',
      );
      return rows;
    }
  });
});
