import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEmrAccount, installEmr } from '../../examples/legacy-emr/seed.ts';
import {
  findProgram,
  type PrivateMariadb,
  startPrivateMariadb,
} from '../../examples/support/private-mariadb.ts';
import { WORK } from './support.ts';

const SCHEMA = join(import.meta.dirname, '..', '..', 'examples', 'legacy-emr', 'schema.sql');
const TABLES = [
  'access_log',
  'allergies',
  'appointments',
  'documents',
  'encounters',
  'facilities',
  'invoice_items',
  'invoices',
  'list_options',
  'medications',
  'observations',
  'patient_contacts',
  'patients',
  'prescriptions',
  'problems',
  'sessions',
  'users',
];

let mariadb: PrivateMariadb;
let administrator: Connection;

beforeAll(async () => {
  mariadb = await startPrivateMariadb({ directory: join(WORK, 'legacy-emr-install') });
  administrator = await mariadb.connect({ dateStrings: true });
});
afterAll(async () => {
  await administrator?.end();
  await mariadb?.stop();
});

async function rows(sql: string, values: unknown[] = []): Promise<RowDataPacket[]> {
  const [found] = await administrator.query<RowDataPacket[]>(sql, values);
  return found;
}

async function tablesOf(database: string): Promise<string[]> {
  const found = await rows('SELECT TABLE_NAME name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?', [
    database,
  ]);
  return found.map((row) => String(row.name)).sort();
}

/** Every row of every table, sessions and all. */
async function contentOf(database: string): Promise<string> {
  const content: unknown[] = [];
  for (const table of TABLES) content.push(table, await rows('SELECT * FROM ??.??', [database, table]));
  return JSON.stringify(content);
}

describe('the schema', () => {
  it('loads over a connection that allows several statements, and leaves sql_mode as it was', async () => {
    await administrator.query('CREATE DATABASE by_connection');
    const connection = await mariadb.connect({ database: 'by_connection', multipleStatements: true });
    const [before] = await connection.query('SELECT @@SESSION.sql_mode mode');
    await connection.query(await readFile(SCHEMA, 'utf8'));
    const [after] = await connection.query('SELECT @@SESSION.sql_mode mode');
    await connection.end();
    expect(after).toEqual(before);
    expect(await tablesOf('by_connection')).toEqual(TABLES);
  });

  it('loads with the command line client, twice', async () => {
    const client = findProgram('mariadb', 'mysql');
    expect(client).toBeDefined();
    await administrator.query('CREATE DATABASE by_client');
    for (let time = 0; time < 2; time += 1) {
      const loaded = spawnSync(
        client ?? '',
        ['--no-defaults', `--socket=${mariadb.socket}`, '--user=root', 'by_client'],
        {
          input: await readFile(SCHEMA),
          encoding: 'utf8',
          env: { ...process.env, MYSQL_PWD: mariadb.administrator.password },
        },
      );
      expect(loaded.stderr).toBe('');
      expect(loaded.status).toBe(0);
    }
    expect(await tablesOf('by_client')).toEqual(TABLES);
  });

  it('is old-fashioned: no primary key, MyISAM, BLOB, DECIMAL, ENUM, zero dates, cascades', async () => {
    await administrator.query('CREATE DATABASE IF NOT EXISTS by_kind');
    await installEmr(administrator, { database: 'by_kind', clinic: 'A', seed: 'kind', patients: 20 });
    const keyless = await rows(
      `SELECT t.TABLE_NAME name FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA = 'by_kind' AND NOT EXISTS
       (SELECT 1 FROM information_schema.TABLE_CONSTRAINTS c WHERE c.TABLE_SCHEMA = t.TABLE_SCHEMA
        AND c.TABLE_NAME = t.TABLE_NAME AND c.CONSTRAINT_TYPE = 'PRIMARY KEY')`,
    );
    expect(keyless.map((row) => row.name)).toEqual(['access_log']);
    const types = await rows(
      "SELECT DISTINCT DATA_TYPE type FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'by_kind'",
    );
    expect(types.map((row) => row.type)).toEqual(
      expect.arrayContaining(['blob', 'mediumblob', 'decimal', 'enum', 'date', 'datetime']),
    );
    const deletions = await rows(
      "SELECT DISTINCT DELETE_RULE rule FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = 'by_kind'",
    );
    expect(deletions.map((row) => row.rule)).toEqual(
      expect.arrayContaining(['CASCADE', 'SET NULL', 'RESTRICT']),
    );
    const engines = await rows(
      "SELECT DISTINCT ENGINE engine FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'by_kind' ORDER BY 1",
    );
    expect(engines.map((row) => row.engine)).toEqual(['InnoDB', 'MyISAM']);
    const alive = await rows("SELECT COUNT(*) n FROM by_kind.patients WHERE death_date = '0000-00-00'");
    expect(Number(alive[0]?.n)).toBeGreaterThan(0);
  });

  it('lets a deleted patient take the chart along, but not the invoices', async () => {
    await installEmr(administrator, { database: 'by_cascade', clinic: 'A', seed: 2, patients: 20 });
    await administrator.query('USE by_cascade');
    const billed = await rows('SELECT patient_id id FROM invoices WHERE patient_id IS NOT NULL LIMIT 1');
    const id = billed[0]?.id;
    await administrator.query('DELETE FROM patients WHERE id = ?', [id]);
    for (const table of ['encounters', 'observations', 'prescriptions', 'documents', 'appointments']) {
      expect(await rows('SELECT 1 FROM ?? WHERE patient_id = ?', [table, id])).toEqual([]);
    }
    expect(await rows('SELECT 1 FROM invoices WHERE patient_id IS NULL')).not.toEqual([]);
  });
});

describe('the installation', () => {
  it('gives the same people for the same seed, and replaces what was there', async () => {
    await installEmr(administrator, { database: 'seed_one', clinic: 'A', seed: 7 });
    await installEmr(administrator, { database: 'seed_two', clinic: 'A', seed: 8 });
    await installEmr(administrator, { database: 'seed_two', clinic: 'A', seed: 7 });
    expect(await contentOf('seed_two')).toBe(await contentOf('seed_one'));
  });

  it('gives other people and record numbers for another seed', async () => {
    await installEmr(administrator, { database: 'seed_three', clinic: 'B', seed: 8 });
    const shared = await rows(
      `SELECT a.mrn FROM seed_one.patients a JOIN seed_three.patients b
       ON a.mrn = b.mrn OR (a.last_name = b.last_name AND a.first_name = b.first_name AND a.birth_date = b.birth_date)`,
    );
    expect(shared).toEqual([]);
  });

  it('numbers patients from 1 and says which charts are whose', async () => {
    const installed = await installEmr(administrator, { database: 'seed_four', clinic: 'A', seed: 9 });
    const patients = await rows(
      'SELECT t.id, t.restricted, o.username owner FROM seed_four.patients t JOIN seed_four.users o ON o.id = t.clinician_id ORDER BY t.id',
    );
    expect(patients.map((row) => row.id)).toEqual(
      Array.from({ length: installed.patients }, (_, i) => i + 1),
    );
    expect(installed.restricted.length).toBeGreaterThan(3);
    expect(
      patients.filter((row) => row.restricted === 1).map((row) => ({ id: row.id, clinician: row.owner })),
    ).toEqual(installed.restricted);
    const observations = await rows('SELECT COUNT(*) n FROM seed_four.observations');
    expect(Number(observations[0]?.n)).toBeGreaterThanOrEqual(180);
  });

  it('leaves the connection as it was', async () => {
    const state = 'SELECT DATABASE() name, @@SESSION.sql_mode mode, @@foreign_key_checks checks';
    await administrator.query('USE mysql');
    const before = await rows(state);
    await installEmr(administrator, { database: 'seed_five', clinic: 'A', seed: 1, patients: 2 });
    expect(await rows(state)).toEqual(before);
  });

  it('takes names that need quoting', async () => {
    await installEmr(administrator, {
      database: 'emr `x` %',
      clinic: "O'Hara & Söhne",
      seed: 1,
      patients: 2,
    });
    await createEmrAccount(administrator, { database: 'emr `x` %', user: "o'x", password: "p'w" });
    const connection = await mariadb.connect({
      user: "o'x",
      password: "p'w",
      socketPath: '',
      host: '127.0.0.1',
      port: mariadb.port,
      database: 'emr `x` %',
    });
    const [found] = await connection.query<RowDataPacket[]>('SELECT name FROM facilities WHERE id = 1');
    await connection.end();
    expect(found[0]?.name).toBe("O'Hara & Söhne");
  });

  it('gives the account every privilege on its own database and none on others', async () => {
    await installEmr(administrator, { database: 'emr_a', clinic: 'A', seed: 1, patients: 2 });
    await administrator.query('CREATE DATABASE emrXa');
    await createEmrAccount(administrator, { database: 'emr_a', user: 'broad', password: 'pw' });
    const connection = await mariadb.connect({
      user: 'broad',
      password: 'pw',
      socketPath: '',
      host: '127.0.0.1',
      port: mariadb.port,
    });
    await connection.query(
      'CREATE TRIGGER emr_a.t BEFORE INSERT ON emr_a.users FOR EACH ROW SET NEW.active = 1',
    );
    await connection.query('DROP TABLE emr_a.list_options');
    await expect(connection.query('CREATE TABLE emrXa.t (a INT)')).rejects.toThrow(/denied/);
    await connection.end();
  });
});
