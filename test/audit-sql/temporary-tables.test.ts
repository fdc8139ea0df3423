import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { powerfulAccounts } from '../../audit-sql/coverage/accounts.ts';
import { apply, auditNames, describeServer } from '../../audit-sql/index.ts';
import { readPrivileges } from '../../audit-sql/privileges/index.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import {
  connectAs,
  EMR_PASSWORD,
  EMR_USER,
  ENGINES,
  generateFor,
  lenient,
  makeEmrUser,
  startServer,
} from './support.ts';

describe.each(ENGINES)("a temporary table in the audit table's place, on %s", (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;

  beforeAll(async () => {
    server = await startServer('audit-sql-temporary-tables', engine);
    admin = await lenient(server);
    await admin.query('CREATE DATABASE emr; CREATE TABLE emr.t (id INT PRIMARY KEY)');
    await makeEmrUser(admin);
    for (const name of ['start', 'guard'] as const)
      await apply(admin, (await generateFor(admin, 'emr')).scripts[name]);
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  const rows = async (): Promise<number> => {
    const [[row]] = await admin.query<RowDataPacket[]>('SELECT COUNT(*) AS n FROM emr_audit.audit_row');
    return Number(row?.n);
  };

  /** What the plan says of the EMR's account. */
  async function named(): Promise<readonly string[]> {
    const live = await readPrivileges(admin, await describeServer(admin));
    const found = powerfulAccounts(live, auditNames({ emrSchema: 'emr' }), false);
    return found.find(({ account }) => account === `${EMR_USER.user}@${EMR_USER.host}`)?.privileges ?? [];
  }

  it('is named by the plan wherever an account could make one', async () => {
    expect(await named()).toContain('CREATE TEMPORARY TABLES on everything');
  });

  it('cannot be made any more once protect has run', async () => {
    await apply(admin, (await generateFor(admin, 'emr')).scripts.protect);
    expect((await named()).filter((privilege) => /TEMPORARY/.test(privilege))).toEqual([]);
    const emr = await connectAs(server, EMR_USER.user, EMR_PASSWORD, 'emr');
    const before = await rows();
    await expect(emr.query('CREATE TEMPORARY TABLE emr_audit.audit_row (id INT)')).rejects.toMatchObject({
      code: expect.stringMatching(/DENIED/) as string,
    });
    await emr.query('INSERT INTO t VALUES (1)');
    await emr.end();
    expect(await rows()).toBe(before + 1);
  });
});
