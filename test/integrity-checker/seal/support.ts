import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { AuditNames } from '../../../audit-sql/index.ts';
import { systemClock } from '../../../contracts/clock.ts';
import { type DatabaseId, parseDatabaseId } from '../../../contracts/identifiers.ts';
import type { CheckedDatabase } from '../../../contracts/settings.ts';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import type { LogLine } from '../../../integrity-checker/log.ts';
import {
  noteSigner,
  openSealSession,
  originOf,
  Sealer,
  type SealerOptions,
} from '../../../integrity-checker/seal/index.ts';
import {
  auditAll,
  CHECKER,
  CHECKER_PASSWORD,
  type KeyPair,
  keyPair,
  lenient,
  makeEmrUser,
} from '../../audit-sql/support.ts';
import { secretOf } from '../support/secret.ts';

const TABLES = [
  'CREATE TABLE patient (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(80), note TEXT) ENGINE=InnoDB',
  'CREATE TABLE code (id INT PRIMARY KEY AUTO_INCREMENT, label VARCHAR(80)) ENGINE=MyISAM',
];

/** A schema with audit triggers, whose rows can be sealed. */
export interface Audited {
  readonly database: CheckedDatabase;
  readonly names: AuditNames;
  /** The administrator, in the EMR's schema. */
  readonly admin: Connection;
  readonly keys: KeyPair;
  /** Of the store. */
  readonly directory: string;
}

export async function audited(server: PrivateDatabase, schema: string): Promise<Audited> {
  const admin = await lenient(server);
  await makeEmrUser(admin);
  const directory = join(server.directory, `seal-${schema}`);
  // A test that is tried again begins anew.
  await rm(directory, { recursive: true, force: true });
  await admin.query(
    `DROP DATABASE IF EXISTS ${schema}; DROP DATABASE IF EXISTS ${schema}_audit; CREATE DATABASE ${schema}; USE ${schema}`,
  );
  for (const table of TABLES) await admin.query(table);
  const { names } = await auditAll(admin, schema);
  return {
    names,
    admin,
    keys: keyPair(),
    directory,
    database: {
      id: parseDatabaseId(schema.replaceAll('_', '-')) as DatabaseId,
      host: undefined,
      port: undefined,
      socketPath: server.socket,
      authority: undefined,
      user: CHECKER.user,
      password: secretOf(CHECKER_PASSWORD),
      emrSchema: schema,
      auditSchema: names.auditSchema,
      timeoutMs: 2_000,
    } as CheckedDatabase,
  };
}

export interface Sealing {
  readonly sealer: Sealer;
  readonly log: LogLine[];
  /** How often the verdict had to be thought over. */
  readonly changes: () => number;
}

/** Seals as the checker does. */
export function startSealing(of: Audited, more: Partial<SealerOptions> = {}): Sealing {
  const log: LogLine[] = [];
  let changes = 0;
  const sealer = new Sealer({
    database: of.database.id,
    directory: of.directory,
    signer: noteSigner(originOf(of.database.id), of.keys.privatePem),
    open: () => openSealSession(of.database),
    timeoutMs: of.database.timeoutMs,
    log: (line) => log.push(line),
    changed: () => {
      changes += 1;
    },
    clock: systemClock,
    ...more,
  });
  return { sealer, log, changes: () => changes };
}

export async function countRows(of: Audited): Promise<number> {
  let total = 0;
  for (const table of ['audit_row', 'audit_row_direct', 'audit_instatement_log']) {
    const [[row]] = await of.admin.query<RowDataPacket[]>(
      `SELECT COUNT(*) AS n FROM ${of.names.auditSchema}.${table}`,
    );
    total += Number(row?.n);
  }
  return total;
}
