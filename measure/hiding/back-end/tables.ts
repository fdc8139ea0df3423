import type { Connection, RowDataPacket } from 'mysql2/promise';
import { installEmr } from '../../../examples/legacy-emr/seed.ts';

/** A code that the back end stumbles over. */
export const BROKEN = 'broken';
/** Patients of the demo EMR by what becomes of a request for their records. */
export const PATIENTS = Object.freeze({
  own: 1,
  other: 2,
  slow: 3,
  broken: 4,
  /** Charts 5, 15, 25 … are their clinician's alone. */
  refused: 5,
  deleted: 51,
  // What systems do besides: each time they are asked for a record of these.
  dropped: 6,
  redirected: 7,
  busy: 8,
  garbled: 9,
  /** Lets others at the record, and did let the asker, who may not any more. */
  unshared: 10,
});
/** Each tenant's ids begin somewhere else, so that one's are absent at the other. */
const FIRST_ID = { north: 10_000, south: 50_000 } as const;
const EACH = 40;

/** Ids of observations by what becomes of a request for them, and of patients. */
export interface Known {
  readonly observations: Readonly<Record<keyof typeof PATIENTS, readonly number[]>>;
  readonly documents: Readonly<Record<keyof typeof PATIENTS, readonly number[]>>;
}

/**
 * The demo EMR's own tables and invented people, records of whom every request has another fate, and the table of
 * what was deleted.
 */
export async function installRecords(
  connection: Connection,
  schema: string,
  tenant: 'north' | 'south',
): Promise<Known> {
  await installEmr(connection, { database: schema, clinic: `${tenant} clinic`, seed: tenant });
  await connection.query('USE ??', [schema]);
  await connection.query(
    'CREATE TABLE deleted_records (type VARCHAR(24) NOT NULL, id INT UNSIGNED NOT NULL, at DATETIME NOT NULL, ' +
      'PRIMARY KEY (type, id)) ENGINE=InnoDB',
  );
  const observations: Record<string, number[]> = {};
  const documents: Record<string, number[]> = {};
  let next: number = FIRST_ID[tenant];
  for (const [fate, patient] of Object.entries(PATIENTS)) {
    const ids = Array.from({ length: EACH }, (_, i) => next + i);
    next += EACH;
    observations[fate] = ids;
    documents[fate] = ids;
    if (fate === 'deleted') {
      await connection.query('INSERT INTO deleted_records VALUES ?', [
        ids.flatMap((id) => [
          ['Observation', id, '2024-02-03 04:05:06'],
          ['Document', id, '2024-02-03 04:05:06'],
        ]),
      ]);
      continue;
    }
    const code = fate === 'broken' ? BROKEN : '8867-4';
    await connection.query(
      'INSERT INTO observations (id, patient_id, code, display, value, unit, updated_at) VALUES ?',
      [ids.map((id) => [id, patient, code, 'Heart rate', 60 + (id % 40), '/min', '2024-01-02 03:04:05'])],
    );
    await connection.query(
      'INSERT INTO documents (id, patient_id, title, mime, bytes, content, updated_at) VALUES ?',
      [
        ids.map((id) => [
          id,
          patient,
          fate === 'broken' ? BROKEN : 'Letter',
          'text/plain',
          400,
          Buffer.alloc(400, `page ${id}\n`),
          '2024-01-02 03:04:05',
        ]),
      ],
    );
  }
  await connection.query('DELETE FROM patients WHERE id = ?', [PATIENTS.deleted]);
  await connection.query('INSERT INTO deleted_records VALUES (?, ?, ?)', [
    'Patient',
    PATIENTS.deleted,
    '2024-02-03 04:05:06',
  ]);
  await connection.query('ANALYZE TABLE observations, patients, documents');
  return { observations, documents } as unknown as Known;
}

/** TCP port of the server behind a connection. */
export async function portOf(connection: Connection): Promise<number> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT @@port port');
  return Number(rows[0]?.port);
}
