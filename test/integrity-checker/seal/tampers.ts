import type { Connection } from 'mysql2/promise';

const TABLES = ['audit_row', 'audit_row_direct', 'audit_instatement_log'] as const;

/** What a database administrator can do to rows, once he has dropped the triggers that refuse it. */
export interface Tamper {
  readonly what: string;
  /** `$` is the audit schema. Rows 1 to 40 of `audit_row` are sealed; 10 was rolled back; 41 to 44 are its last. */
  readonly does: string;
  /** Codes of an audit with the leaves, with what they are about. */
  readonly finds: readonly (readonly [code: string, place: string])[];
}

/** 2^52 and what follows: ids of rows of tables without transactions. */
const D = 4_503_599_627_370_496;

export const TAMPERS: readonly Tamper[] = [
  {
    what: 'a word of a value is edited',
    does: "UPDATE $.audit_row SET new_values = REPLACE(new_values, 'name', 'nane') WHERE id = 5",
    finds: [['row-edited', 'audit_row 5-5']],
  },
  {
    what: 'NULL becomes an empty text',
    does: "UPDATE $.audit_row SET os_user = '' WHERE id = 5",
    finds: [['row-edited', 'audit_row 5-5']],
  },
  {
    what: 'who did it is edited',
    does: "UPDATE $.audit_row SET login = 'somebody@else' WHERE id = 12",
    finds: [['row-edited', 'audit_row 12-12']],
  },
  {
    what: 'when it was done is moved by a microsecond',
    does: 'UPDATE $.audit_row SET at = at + INTERVAL 1 MICROSECOND WHERE id = 12',
    finds: [['row-edited', 'audit_row 12-12']],
  },
  {
    what: 'text moves from one column to the next',
    does: 'UPDATE $.audit_row SET login = CONCAT(login, LEFT(ran_as, 1)), ran_as = SUBSTR(ran_as, 2) WHERE id = 12',
    finds: [['row-edited', 'audit_row 12-12']],
  },
  {
    what: 'old and new values change places',
    does: 'UPDATE $.audit_row SET old_values = new_values, new_values = NULL WHERE id = 6',
    finds: [['row-edited', 'audit_row 6-6']],
  },
  {
    what: 'several neighbours are edited',
    does: "UPDATE $.audit_row SET os_user = 'x' WHERE id BETWEEN 20 AND 23",
    finds: [['row-edited', 'audit_row 20-23']],
  },
  {
    what: 'the last row is edited',
    does: "UPDATE $.audit_row SET os_user = 'x' WHERE id = 44",
    finds: [['row-edited', 'audit_row 44-44']],
  },
  {
    what: 'the first row is deleted',
    does: 'DELETE FROM $.audit_row WHERE id = 1',
    finds: [['row-deleted', 'audit_row 1-1']],
  },
  {
    what: 'rows in the middle are deleted, here and there',
    does: 'DELETE FROM $.audit_row WHERE id IN (15, 17, 18)',
    finds: [
      ['row-deleted', 'audit_row 15-15'],
      ['row-deleted', 'audit_row 17-18'],
    ],
  },
  {
    what: 'the last row is deleted',
    does: 'DELETE FROM $.audit_row WHERE id = 44',
    finds: [['row-deleted', 'audit_row 44-44']],
  },
  {
    what: 'the last rows are cut off',
    does: 'DELETE FROM $.audit_row WHERE id > 30',
    finds: [['table-rewound', 'audit_row 31-44']],
  },
  {
    what: 'the table is emptied',
    does: 'TRUNCATE $.audit_row',
    finds: [['table-rewound', 'audit_row 1-44']],
  },
  {
    what: 'the database is a copy from before row 30, and worked on since',
    does: `DELETE FROM $.audit_row WHERE id > 30;
      INSERT INTO $.audit_row (id, at, login, ran_as, connection, emr_table, operation, new_values)
        SELECT id + 10, NOW(6), login, ran_as, 4711, emr_table, operation, new_values FROM $.audit_row WHERE id IN (21, 22, 23)`,
    finds: [['table-rewound', 'audit_row 31-44']],
  },
  {
    what: 'the same, and worked on for longer than what is missing',
    does: `DELETE FROM $.audit_row WHERE id > 30;
      INSERT INTO $.audit_row (id, at, login, ran_as, connection, emr_table, operation, new_values)
        SELECT id + 20, NOW(6), login, ran_as, 4711, emr_table, operation, new_values FROM $.audit_row WHERE id BETWEEN 11 AND 30`,
    finds: [['table-rewound', 'audit_row 31-44']],
  },
  {
    what: 'a row is put where one was rolled back',
    does: `INSERT INTO $.audit_row (id, at, login, ran_as, connection, emr_table, operation)
      SELECT 10, at, login, ran_as, connection, emr_table, operation FROM $.audit_row WHERE id = 9`,
    finds: [['row-inserted', 'audit_row 10-10']],
  },
  {
    what: 'a row is put before the first',
    does: `INSERT INTO $.audit_row_direct (id, at, login, ran_as, connection, emr_table, operation)
      SELECT 7, at, login, ran_as, connection, emr_table, operation FROM $.audit_row_direct WHERE id = ${D}`,
    finds: [['row-inserted', 'audit_row_direct 7-7']],
  },
  {
    what: 'two rows change places',
    does: 'UPDATE $.audit_row SET id = 1000 WHERE id = 20; UPDATE $.audit_row SET id = 20 WHERE id = 21; UPDATE $.audit_row SET id = 21 WHERE id = 1000',
    finds: [
      ['rows-exchanged', 'audit_row 20-20'],
      ['rows-exchanged', 'audit_row 21-21'],
    ],
  },
  {
    what: 'a row moves to the place of one that was rolled back',
    does: 'UPDATE $.audit_row SET id = 10 WHERE id = 12',
    finds: [
      ['row-inserted', 'audit_row 10-10'],
      ['row-deleted', 'audit_row 12-12'],
    ],
  },
  {
    what: 'a row of a table without transactions is edited',
    does: `UPDATE $.audit_row_direct SET login = 'x' WHERE id = ${D + 1}`,
    finds: [['row-edited', `audit_row_direct ${D + 1}-${D + 1}`]],
  },
  {
    what: 'the rows of tables without transactions are cut off',
    does: `DELETE FROM $.audit_row_direct WHERE id > ${D}`,
    finds: [['table-rewound', `audit_row_direct ${D + 1}-${D + 2}`]],
  },
  {
    what: 'who started the audit is edited',
    does: "UPDATE $.audit_instatement_log SET login = 'x'",
    finds: [['row-edited', 'audit_instatement_log 1-1']],
  },
  {
    what: 'the record of the start is deleted',
    does: 'DELETE FROM $.audit_instatement_log',
    finds: [['row-deleted', 'audit_instatement_log 1-1']],
  },
  {
    what: 'rows are edited in two tables',
    does: `UPDATE $.audit_row SET login = 'x' WHERE id = 3; UPDATE $.audit_row_direct SET login = 'x' WHERE id = ${D}`,
    finds: [
      ['row-edited', 'audit_row 3-3'],
      ['row-edited', `audit_row_direct ${D}-${D}`],
    ],
  },
  {
    what: 'the value of a row is made so long that its hash could not be computed',
    does: "UPDATE $.audit_row SET new_values = REPEAT('x', 900000), old_values = REPEAT('y', 900000), changes = REPEAT('z', 900000) WHERE id = 8",
    finds: [['row-edited', 'audit_row 8-8']],
  },
];

/** Takes the refusal of changes away and keeps copies, with which `undo` puts everything back. */
export async function disarm(admin: Connection, schema: string): Promise<void> {
  for (const table of TABLES) {
    for (const event of ['update', 'delete']) {
      await admin.query(`DROP TRIGGER IF EXISTS ${schema}.chartgate_no_${event}_${table}`);
    }
    await admin.query(`CREATE TABLE ${schema}.kept_${table} LIKE ${schema}.${table}`);
    await admin.query(`INSERT INTO ${schema}.kept_${table} SELECT * FROM ${schema}.${table}`);
  }
}

export async function undo(admin: Connection, schema: string): Promise<void> {
  for (const table of TABLES) {
    await admin.query(`DELETE FROM ${schema}.${table}`);
    await admin.query(`INSERT INTO ${schema}.${table} SELECT * FROM ${schema}.kept_${table}`);
  }
}
