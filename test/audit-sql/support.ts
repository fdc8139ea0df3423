import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import {
  type AuditNames,
  apply,
  auditNames,
  describeServer,
  generate,
  readGuardCallers,
  readModel,
  readProtectOptions,
  type Scripts,
  setCheckerPassword,
} from '../../audit-sql/index.ts';
import type { BaselineTrust } from '../../contracts/settings.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { type PrivateMariadb, startPrivateMariadb } from '../../examples/support/private-mariadb.ts';
import { startPrivateMysql } from '../../examples/support/private-mysql.ts';

const root = join(import.meta.dirname, '../..');

/** Data outside the project; the test that uses it says so when it is not there. */
export const OPENEMR = join(root, '../shared/data/emr-schemas/openemr-5.sql');
export const openemrIsHere = existsSync(OPENEMR);

export const CHECKER = { user: 'chartgate_checker', host: 'localhost' };
export const CHECKER_PASSWORD = 'checker-password-of-a-test';
export const EMR_USER = { user: 'emr', host: 'localhost' };
export const EMR_PASSWORD = 'emr-password-of-a-test';

/** The engines that a contract suite runs on: `describe.each(ENGINES)('… on %s', (engine) => …)`. */
export const ENGINES = ['mariadb', 'mysql'] as const;
export type TestEngine = (typeof ENGINES)[number];

/** Set to run the same suites on the MariaDB of `scripts/setup-mariadb-11.mjs` instead of the machine's. */
const NEWER_MARIADB = process.env.CHARTGATE_TEST_MARIADB_11 === '1';

/**
 * A server for one suite. `extra` are further options of the server, the same for both engines or chosen by
 * the caller. The folder is `.work/<suite>` and for MySQL `.work/<suite>-mysql`.
 */
/** As docs/audit-sql.md wants a MySQL server to be, where a schema has cascades. */
export const asRecommended = (engine: TestEngine): readonly string[] =>
  engine === 'mysql' ? ['--innodb-native-foreign-keys=ON'] : [];

export function startServer(
  suite: string,
  engine: TestEngine = 'mariadb',
  extra: readonly string[] = [],
): Promise<PrivateDatabase> {
  const directory = join(root, '.work', engine === 'mariadb' ? suite : `${suite}-${engine}`);
  // Nothing here outlives the test: durability would only cost time. A folder for temporary tables of
  // its own: a server that starts removes what it finds in a shared one.
  const common = ['--innodb-flush-log-at-trx-commit=0', `--tmpdir=${directory}`, ...extra];
  return engine === 'mariadb'
    ? startPrivateMariadb({ directory, extra: ['--sync-frm=0', ...common], newer: NEWER_MARIADB })
    : startPrivateMysql({ directory, extra: ['--innodb-doublewrite=OFF', ...common] });
}

/** The administrator's connection with the settings an old EMR's installer uses. */
export async function lenient(server: PrivateMariadb, database?: string): Promise<mysql.Connection> {
  const connection = await server.connect({
    multipleStatements: true,
    charset: 'utf8mb4',
    ...(database === undefined ? {} : { database }),
  });
  // MySQL has no global one.
  const strict = server.engine === 'mariadb' ? 'GLOBAL innodb_strict_mode = OFF, ' : '';
  await connection.query(`SET SESSION sql_mode = '', ${strict}SESSION innodb_strict_mode = OFF`);
  return connection;
}

/** Loads OpenEMR's own script; the client that it was written for drops lines of dashes. */
export async function loadOpenemr(connection: mysql.Connection, schema: string): Promise<readonly string[]> {
  const script = (await readFile(OPENEMR, 'utf8')).replace(/^--.*$/gm, '');
  await connection.query(`CREATE DATABASE \`${schema}\`; USE \`${schema}\``);
  await connection.query(script);
  const made = [...script.matchAll(/^\s*CREATE\s+TABLE\s+(?:IF NOT EXISTS\s+)?`?(\w+)`?/gim)].map(
    (m) => m[1] ?? '',
  );
  return [...new Set(made)].sort();
}

/** An account with every privilege there is, as legacy EMRs are installed. */
export async function makeEmrUser(connection: mysql.Connection): Promise<void> {
  await connection.query(`CREATE USER IF NOT EXISTS 'emr'@'localhost' IDENTIFIED BY '${EMR_PASSWORD}'`);
  await connection.query("GRANT ALL PRIVILEGES ON *.* TO 'emr'@'localhost' WITH GRANT OPTION");
}

export function connectAs(
  server: PrivateMariadb,
  user: string,
  password: string,
  database?: string,
): Promise<mysql.Connection> {
  return mysql.createConnection({
    socketPath: server.socket,
    user,
    password,
    charset: 'utf8mb4',
    ...(database === undefined ? {} : { database }),
  });
}

export async function generateFor(
  connection: mysql.Connection,
  schema: string,
): Promise<{ readonly names: AuditNames; readonly scripts: Scripts; readonly tables: number }> {
  const server = await describeServer(connection);
  const names = auditNames({ emrSchema: schema });
  const model = await readModel(connection, schema);
  const protect = await readProtectOptions(connection, {
    server,
    names,
    emrAccounts: [EMR_USER],
    checker: CHECKER,
  });
  return {
    names,
    scripts: generate(model, {
      names,
      server,
      protect,
      guardCallers: await readGuardCallers(connection, names),
    }),
    tables: model.tables.length,
  };
}

/** From an EMR with an over-privileged account to an audited, protected one. */
export async function auditAll(
  connection: mysql.Connection,
  schema: string,
): Promise<{ readonly names: AuditNames; readonly scripts: Scripts }> {
  const { names, scripts } = await generateFor(connection, schema);
  for (const name of ['start', 'guard', 'protect'] as const) await apply(connection, scripts[name]);
  await setCheckerPassword(connection, CHECKER, Buffer.from(CHECKER_PASSWORD));
  return { names, scripts };
}

/** Takes signatures of all of these keys, and of no other. */
export function trusting(...keys: readonly Buffer[]): BaselineTrust {
  return { keys, required: keys.length };
}

export interface KeyPair {
  readonly privatePem: Buffer;
  readonly publicPem: Buffer;
}

export function keyPair(): KeyPair {
  const pair = generateKeyPairSync('ed25519');
  const pem = (key: KeyObject, type: 'pkcs8' | 'spki'): Buffer =>
    Buffer.from(key.export({ type, format: 'pem' }));
  return { privatePem: pem(pair.privateKey, 'pkcs8'), publicPem: pem(pair.publicKey, 'spki') };
}

export interface AuditRow {
  readonly id: number;
  readonly at: string;
  readonly login: string;
  readonly ran_as: string;
  readonly connection: number;
  readonly emr_table: string;
  readonly operation: string;
  readonly row_key: string | null;
  readonly old_values: string | null;
  readonly new_values: string | null;
  readonly changes: string | null;
}

/** Audit rows after the given id, in order. */
export async function auditRows(
  connection: mysql.Connection,
  schema: string,
  after = 0,
  trail = 'audit_row',
): Promise<AuditRow[]> {
  const [rows] = await connection.query<(mysql.RowDataPacket & AuditRow)[]>({
    // As text: the driver would parse what MySQL calls JSON.
    sql: `SELECT id, CAST(at AS CHAR) AS at, login, ran_as, connection, emr_table, operation,
                 CAST(row_key AS CHAR) AS row_key, CAST(old_values AS CHAR) AS old_values,
                 CAST(new_values AS CHAR) AS new_values, CAST(changes AS CHAR) AS changes FROM \`${schema}_audit\`.${trail} WHERE id > ? ORDER BY id`,
    values: [after],
  });
  return rows;
}

export async function lastAuditId(
  connection: mysql.Connection,
  schema: string,
  trail = 'audit_row',
): Promise<number> {
  const [[row]] = await connection.query<mysql.RowDataPacket[]>(
    `SELECT IFNULL(MAX(id), 0) AS id FROM \`${schema}_audit\`.${trail}`,
  );
  return Number(row?.id);
}
