import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { DEFAULT_PASSWORD, STAFF, type StaffMember } from './seeding/catalogue.ts';
import { fill } from './seeding/fill.ts';
import { seededRandom } from './seeding/random.ts';

export interface InstallOptions {
  /** Made when missing; tables of an earlier installation in it are replaced. */
  readonly database: string;
  /** Shown on pages and in records. */
  readonly clinic: string;
  /** The same seed gives the same people; another seed gives others. */
  readonly seed: string | number;
  /** How many patients; ids run from 1. 60 when not given. */
  readonly patients?: number;
}

/** What a test or a demo needs to know of an installation. Every person in it is invented. */
export interface InstalledEmr {
  readonly database: string;
  readonly clinic: string;
  /** Patients 1…n exist, n + 1 does not. */
  readonly patients: number;
  /** Charts that only the named user may open. */
  readonly restricted: readonly { readonly id: number; readonly clinician: string }[];
  readonly users: readonly StaffMember[];
  /** Everybody's password. */
  readonly password: string;
}

/**
 * Creates the EMR's tables in `database` and fills them with invented people. Needs the right to
 * create the database. The connection's current database and sql_mode are as before afterwards.
 */
export async function installEmr(connection: Connection, options: InstallOptions): Promise<InstalledEmr> {
  const patients = options.patients ?? 60;
  const [before] = await connection.query<RowDataPacket[]>('SELECT DATABASE() name, @@SESSION.sql_mode mode');
  const name: unknown = before[0]?.name;
  const mode: unknown = before[0]?.mode;
  await connection.query('CREATE DATABASE IF NOT EXISTS ?? CHARACTER SET utf8mb4', [options.database]);
  await connection.query('USE ??', [options.database]);
  try {
    for (const statement of await schemaStatements()) await connection.query(statement);
    await connection.query("SET SESSION sql_mode = ''");
    await connection.beginTransaction();
    const restricted = await fill(
      connection,
      options.clinic,
      seededRandom(options.seed),
      prefixOf(options),
      patients,
    );
    await connection.commit();
    return {
      database: options.database,
      clinic: options.clinic,
      patients,
      restricted,
      users: STAFF,
      password: DEFAULT_PASSWORD,
    };
  } finally {
    await connection.query('SET SESSION sql_mode = ?', [mode]);
    if (typeof name === 'string') await connection.query('USE ??', [name]);
  }
}

export interface EmrAccount {
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** Where the EMR connects from. */
  readonly host?: string;
}

/** The EMR's own SQL user with every privilege on its database, as such systems are installed in life. */
export async function createEmrAccount(connection: Connection, account: EmrAccount): Promise<void> {
  const who = [account.user, account.host ?? '127.0.0.1'];
  await connection.query('CREATE OR REPLACE USER ?@? IDENTIFIED BY ?', [...who, account.password]);
  // `_` and `%` in the name of a database are wildcards in a grant.
  const pattern = account.database.replaceAll(/[_%\\]/g, '\\$&').replaceAll('`', '``');
  await connection.query(`GRANT ALL PRIVILEGES ON \`${pattern}\`.* TO ?@?`, who);
}

/** The statements of schema.sql, for connections that take one at a time. No literal in it ends a line with `;`. */
async function schemaStatements(): Promise<string[]> {
  const text = await readFile(new URL('./schema.sql', import.meta.url), 'utf8');
  return text.split(/;[ \t]*\r?$/m).filter((statement) => statement.trim() !== '');
}

/** Record numbers of different seeds differ in their letters. */
function prefixOf(options: InstallOptions): string {
  const hash = createHash('sha256').update(`mrn ${options.seed}`).digest();
  return [0, 1, 2].map((i) => String.fromCharCode(65 + ((hash[i] ?? 0) % 26))).join('');
}
