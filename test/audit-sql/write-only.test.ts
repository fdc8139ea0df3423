import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditNames, describeServer, READ_RESIDUES, readProtectPlan } from '../../audit-sql/index.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { ENGINES, lenient, startServer } from './support.ts';
import { ATTEMPTS, type Attempt, READING } from './write-only/attempts.ts';
import {
  CONTENTS,
  openPharmacies,
  PASSWORD,
  PHARMACIES,
  type Pharmacy,
  userOf,
} from './write-only/pharmacy.ts';

interface Told {
  /** Everything that the server said, for each statement. */
  readonly text: string;
  /** The last statement failed. */
  readonly failed: boolean;
}

/** What would give a stored value away, also encoded. */
function tellsSecret(text: string): boolean {
  return Object.values(CONTENTS).some(({ secret }) =>
    [
      secret,
      Buffer.from(secret).toString('hex'),
      // Without the end, which depends on what follows.
      Buffer.from(secret).toString('base64').slice(0, 12),
    ].some((form) => text.toLowerCase().includes(form.toLowerCase())),
  );
}

/** Runs an attempt in a transaction that is rolled back, and writes down all that the server says. */
async function attemptIn(connection: Connection, pharmacy: Pharmacy, attempt: Attempt): Promise<Told> {
  const told: unknown[] = [];
  let failed = false;
  await connection.query('START TRANSACTION');
  for (const sql of attempt.sql) {
    try {
      const [result] = await connection.query(sql.replaceAll('{schema}', pharmacy));
      // The number of a new row is a residue of its own; everywhere else it would hide what else differs.
      told.push(Array.isArray(result) ? result : { ...result, insertId: 0, serverStatus: 0 });
      failed = false;
    } catch (error) {
      const { code, message } = error as { code?: string; message?: string };
      told.push({ code, message });
      failed = true;
    }
    if (attempt.sql.length === 1) told.push((await connection.query('SHOW WARNINGS'))[0]);
  }
  await connection.query('ROLLBACK');
  const text = JSON.stringify(told)
    .replaceAll(/rx_[ab]/g, 'rx')
    .replaceAll(/clinicFacility_[ab]/g, 'clinicFacility');
  return { text, failed };
}

describe.each(ENGINES)('the write-only account, on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  const connections = {} as Record<Pharmacy, Connection>;

  const connectAs = (user: string, pharmacy: Pharmacy): Promise<Connection> =>
    mysql.createConnection({
      socketPath: server.socket,
      user,
      password: PASSWORD,
      database: pharmacy,
      dateStrings: true,
      charset: 'utf8mb4',
    });

  beforeAll(async () => {
    server = await startServer(`audit-sql-write-only-${engine}`, engine, ['--performance-schema=ON']);
    admin = await lenient(server);
    await admin.query("SET SESSION sql_mode = 'STRICT_TRANS_TABLES'");
    await openPharmacies(admin, engine);
    for (const pharmacy of PHARMACIES) {
      connections[pharmacy] = await connectAs(userOf(pharmacy), pharmacy);
    }
  });

  afterAll(async () => {
    for (const connection of Object.values(connections)) await connection.end();
    await admin?.end();
    await server?.stop();
  });

  const attempts = ATTEMPTS.filter((one) => one.engine === undefined || one.engine === engine);

  it('writes a prescription, and the audit has it', async () => {
    const [made] = await connections.rx_a.query(
      "INSERT INTO prescription (patient_id, rx_number, drug, note) VALUES (1, 'RX-NEW', 'd', 'n')",
    );
    expect(made).toMatchObject({ affectedRows: 1 });
    const [rows] = await admin.query<RowDataPacket[]>(
      "SELECT login FROM rx_a_audit.audit_row WHERE emr_table = 'prescription' AND operation = 'insert'",
    );
    expect(rows).toEqual([{ login: 'clinicFacility_a@localhost' }]);
    await admin.query("DELETE FROM rx_a.prescription WHERE rx_number = 'RX-NEW'");
  });

  it.each(attempts.map((one) => [one.what, one.sql.join('; '), one] as const))(
    'reads nothing by %s: %s',
    async (_what, _sql, attempt) => {
      const a = await attemptIn(connections.rx_a, 'rx_a', attempt);
      const b = await attemptIn(connections.rx_b, 'rx_b', attempt);
      expect(tellsSecret(a.text + b.text)).toBe(false);
      const { outcome } = attempt;
      if (typeof outcome === 'object') {
        expect(a.text).not.toBe(b.text);
        expect(READ_RESIDUES.map((one) => one.code)).toContain(outcome.residue);
        return;
      }
      expect(b.text).toBe(a.text);
      expect(a.failed).toBe(outcome !== 'nothing');
      if (outcome === 'refused') expect(a.text).toMatch(/denied|not allowed|need \(at least one of\)/i);
    },
  );

  it('makes at least 60 attempts, each its own', () => {
    expect(attempts.length).toBeGreaterThanOrEqual(60);
    expect(new Set(attempts.map((one) => one.sql.join(';'))).size).toBe(attempts.length);
  });

  it('is caught by the comparison if it may read: the same attempts, by an account with SELECT', async () => {
    const unnoticed: string[] = [];
    const told = { rx_a: new Map<Attempt, string>(), rx_b: new Map<Attempt, string>() };
    const reading = READING.filter(
      (one) => attempts.includes(one) && !/^INSERT|_audit/.test(one.sql[0] ?? ''),
    );
    for (const pharmacy of PHARMACIES) {
      const user = `reader_${pharmacy}`;
      await admin.query(`CREATE USER '${user}'@'localhost' IDENTIFIED BY '${PASSWORD}'`);
      await admin.query(`GRANT SELECT, EXECUTE, DELETE, UPDATE ON ${pharmacy}.* TO '${user}'@'localhost'`);
      const connection = await connectAs(user, pharmacy);
      for (const attempt of reading) {
        told[pharmacy].set(attempt, (await attemptIn(connection, pharmacy, attempt)).text);
      }
      await connection.end();
      await admin.query(`DROP USER '${user}'@'localhost'`);
    }
    for (const attempt of reading) {
      if (told.rx_a.get(attempt) === told.rx_b.get(attempt)) unnoticed.push(attempt.what);
    }
    expect(reading.length).toBeGreaterThan(15);
    // One row says yes in both pharmacies.
    expect(unnoticed.filter((what) => !['EXISTS'].includes(what))).toEqual([]);
  });

  it('finds no stored value in any table of the server, though statements with values have just run', async () => {
    for (const pharmacy of PHARMACIES) {
      const { secret } = CONTENTS[pharmacy];
      await admin.query(`SELECT COUNT(*) FROM ${pharmacy}.prescription WHERE note LIKE '%${secret}%'`);
    }
    const [tables] = await admin.query<RowDataPacket[]>(
      `SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t FROM information_schema.TABLES
        WHERE TABLE_SCHEMA IN ('information_schema', 'performance_schema', 'sys', 'mysql') ORDER BY 1, 2`,
    );
    const told: string[] = [];
    let readable = 0;
    for (const { s, t } of tables) {
      try {
        const [rows] = await connections.rx_a.query(`SELECT * FROM \`${s}\`.\`${t}\` LIMIT 5000`);
        readable++;
        if (tellsSecret(JSON.stringify(rows))) told.push(`${s}.${t}`);
      } catch {
        // Refused, which is what is wanted.
      }
    }
    expect(tables.length).toBeGreaterThan(150);
    expect(readable).toBeGreaterThan(20);
    expect(told).toEqual([]);
  });

  it('is told what other sessions of the same account run, and nothing of any other account', async () => {
    const other = await connectAs(userOf('rx_a'), 'rx_a');
    const writing = other.query(
      "INSERT INTO prescription (patient_id, rx_number, note, refills) VALUES (1, 'RX-SLOW', 'in flight', SLEEP(1))",
    );
    const seen = async (connection: Connection): Promise<boolean> =>
      JSON.stringify((await connection.query('SHOW FULL PROCESSLIST'))[0]).includes('in flight');
    let same = false;
    for (let i = 0; i < 50 && !same; i++) {
      same = await seen(connections.rx_a);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await seen(connections.rx_b)).toBe(false);
    expect(same).toBe(READ_RESIDUES.some((one) => one.code === 'own-sessions'));
    await writing;
    await other.end();
  });

  it('is told how many statements the server runs', async () => {
    const inserts = async (): Promise<unknown> =>
      (await connections.rx_a.query("SHOW GLOBAL STATUS LIKE 'Com_insert'"))[0];
    const before = await inserts();
    await admin.query("INSERT INTO rx_b.prescription_old (note) VALUES ('counted')");
    const told = JSON.stringify(await inserts()) !== JSON.stringify(before);
    expect(told).toBe(READ_RESIDUES.some((one) => one.code === 'server-counters'));
  });

  it('is checked and found as the policy says', async () => {
    const description = await describeServer(admin);
    for (const pharmacy of PHARMACIES) {
      const plan = await readProtectPlan(admin, {
        server: description,
        names: auditNames({
          emrSchema: pharmacy,
          definer: { user: `${pharmacy}_definer`, host: 'localhost' },
          guard: { user: `${pharmacy}_guard`, host: 'localhost' },
        }),
      });
      const [own] = plan.accounts.filter((one) => one.account.user === userOf(pharmacy));
      expect(own?.differences).toEqual([]);
      expect(own?.wanted.every((grant) => grant.privilege === 'INSERT')).toBe(true);
      expect(plan.histograms).toEqual([]);
      const [note] = plan.reports.filter((one) => one.object === `${userOf(pharmacy)}@localhost`);
      expect(note).toMatchObject({ severity: 'note', code: 'write-only' });
      expect(note?.sentence).toContain('unique key of prescription (rx_number)');
      expect(note?.sentence).toContain('foreign key of prescription (patient_id) to patient');
      expect(note?.sentence).not.toContain('prescription (id)');
    }
  });
});
