import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeEntry } from '../../../audit-sql/trail/index.ts';
import { inSnapshot, streamRows, streamText } from '../../../audit-sql/trail/rows.ts';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { ENGINES, startServer } from '../support.ts';

describe.each(ENGINES)('reading row by row from %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;

  beforeAll(async () => {
    server = await startServer('audit-sql-rows', engine);
    admin = await server.connect();
    await admin.query('CREATE DATABASE d');
    await admin.query('CREATE TABLE d.t (id INT PRIMARY KEY, v TEXT)');
    const rows = Array.from({ length: 2000 }, (_, i) => `(${i}, REPEAT('x', 2000))`);
    await admin.query(`INSERT INTO d.t VALUES ${rows.join(', ')}`);
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  const count = async (rows: AsyncIterable<unknown>): Promise<number> => {
    let n = 0;
    for await (const _ of rows) n += 1;
    return n;
  };

  it('gives every row, and the connection back when the loop is left early', async () => {
    const connection = await server.connect();
    expect(await count(streamText(connection, 'SELECT * FROM d.t', 'the table'))).toBe(2000);
    for await (const _ of streamText(connection, 'SELECT * FROM d.t', 'the table')) break;
    expect(await count(streamText(connection, 'SELECT 1', 'nothing'))).toBe(1);
    await connection.end();
  });

  it('ends with an error when the server ends the connection in the middle', async () => {
    const connection = await server.connect();
    const reading = count(streamRows(connection, 'SELECT SLEEP(20)', 'the table'));
    const failed = expect(reading).rejects.toMatchObject({
      code: 'database-unavailable',
      message: expect.stringMatching(/^Reading the table failed/),
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await admin.query(`KILL ${connection.threadId}`);
    await failed;
    connection.destroy();
  });

  it('ends with an error for an answer that the driver does not take', async () => {
    const connection = await server.connect();
    const reading = count(streamRows(connection, 'SELECT 1 AS `__proto__`', 'the table'));
    await expect(reading).rejects.toMatchObject({ code: 'database-unavailable' });
    connection.destroy();
  });

  it('says which privilege or table is missing, and never quotes the statement', async () => {
    await admin.query("CREATE USER IF NOT EXISTS nobody@localhost IDENTIFIED BY 'nobody-of-a-test'");
    const connection = await server.connect({ user: 'nobody', password: 'nobody-of-a-test' });
    const secret = "SELECT 'Jane Doe' FROM d.t";
    await expect(count(streamRows(connection, secret, 'the audit trail'))).rejects.toMatchObject({
      code: 'privilege-missing',
      message: expect.not.stringContaining('Jane'),
    });
    const gone = "SELECT 'Jane Doe' FROM d.gone";
    await expect(count(streamRows(admin, gone, 'the audit trail'))).rejects.toMatchObject({
      code: 'database-unsupported',
      message: expect.stringContaining('run "chartgate audit-sql start" again'),
    });
    await connection.end();
  });

  it('shows one moment for as long as the work takes, and lets nothing be written', async () => {
    const connection = await server.connect();
    await inSnapshot(connection, async () => {
      await admin.query("INSERT INTO d.t VALUES (5000, 'later')");
      expect(await count(streamText(connection, 'SELECT 1 FROM d.t', 'the table'))).toBe(2000);
      await expect(connection.query('DELETE FROM d.t')).rejects.toThrow(/read.only/i);
    });
    expect(await count(streamText(connection, 'SELECT 1 FROM d.t', 'the table'))).toBe(2001);
    await connection.end();
  });
});

describe('an audit row as it is stored', () => {
  const ROW = [
    '1',
    '2026-01-01 00:00:00.000000',
    'a@b',
    'c@d',
    '7',
    null,
    't',
    'update',
    null,
    '{"id":1}',
    null,
    null,
  ];
  const BAD: readonly (readonly [string, (string | null)[]])[] = [
    ['no number', [null, ...ROW.slice(1), '{}']],
    ['an operation that there is not', [...ROW.slice(0, 7), 'truncate', ...ROW.slice(8), '{}']],
    ['a key that is not JSON', [...ROW.slice(0, 9), '{id:1}', null, null, '{}']],
    ['changes that are a list', [...ROW, '[]']],
    ['changes that are no pairs', [...ROW, '{"a":1}']],
    ['a nested value', [...ROW, '{"a":[1,{"b":2}]}']],
  ];
  it.each(BAD)('is refused with its number, without its content: %s', (_, cells) => {
    expect(() => decodeEntry(cells)).toThrow(
      expect.objectContaining({
        code: 'audit-trail-broken',
        message: expect.stringMatching(/^The audit row (1|null) cannot be read/),
      }),
    );
  });

  it('keeps columns that are called like parts of objects', () => {
    const entry = decodeEntry([...ROW, '{"__proto__":[1,2],"constructor":[null,"x"]}']);
    expect([...(entry.changes ?? [])]).toEqual([
      ['__proto__', [1, 2]],
      ['constructor', [null, 'x']],
    ]);
  });
});
