import { AUDIT_ROW_TABLE, DIRECT_ROW_TABLE, INSTATEMENT_TABLE, qualified } from '../names.ts';

/** The tables whose rows are sealed, in the order that sealing uses. Append only: others may have been sealed so. */
export const SEALED_TABLES = [AUDIT_ROW_TABLE, DIRECT_ROW_TABLE, INSTATEMENT_TABLE] as const;
export type SealedTable = (typeof SEALED_TABLES)[number];

/** The id before the first that a table gives out. */
export const BEFORE_FIRST_ID: Readonly<Record<SealedTable, number>> = Object.freeze({
  [AUDIT_ROW_TABLE]: 0,
  [DIRECT_ROW_TABLE]: 2 ** 52 - 1,
  [INSTATEMENT_TABLE]: 0,
});

interface HashedColumns {
  /** Written out. */
  readonly short: readonly string[];
  /** As their own digest: several of them together may be longer than one value of the server can be. */
  readonly long: readonly string[];
}

const ROW: HashedColumns = {
  short: ['at', 'login', 'ran_as', 'connection', 'os_user', 'emr_table', 'operation', 'cascade_id'],
  long: ['row_key', 'old_values', 'new_values', 'changes'],
};

/**
 * What a row's hash is made of. The id is not in it: the leaf has it, so that rows which only changed places
 * can be told from rows that were edited.
 */
const COLUMNS: Readonly<Record<SealedTable, HashedColumns>> = {
  [AUDIT_ROW_TABLE]: ROW,
  [DIRECT_ROW_TABLE]: ROW,
  [INSTATEMENT_TABLE]: {
    short: [
      'at',
      'action',
      'login',
      'account',
      'connection',
      'emr_schema',
      'schema_digest',
      'generator',
      'tables_audited',
    ],
    long: ['schema_model'],
  },
};

/**
 * SHA-256 of a row, 32 bytes, as the server computes it. What is hashed is `chartgate-row/1`, and for every
 * column that is not NULL, in a fixed order: its name, the length of its bytes in decimal, `:` and its bytes;
 * long ones as name, `#` and the SHA-256 of their bytes in hex. So no two rows are written alike, NULL and ''
 * differ, and a column that a later version adds changes no hash while it is NULL.
 *
 * The bytes do not depend on the session, as long as its character set is utf8mb4: texts are stored so,
 * numbers and times are ASCII.
 */
export function rowHashExpression(table: SealedTable): string {
  const { short, long } = COLUMNS[table];
  const parts = [
    ...short.map((column) => `IFNULL(CONCAT('${column}', LENGTH(${column}), ':', ${column}), '')`),
    ...long.map((column) => `IFNULL(CONCAT('${column}#', SHA2(${column}, 256)), '')`),
  ];
  return `UNHEX(SHA2(CONCAT('chartgate-row/1', ${parts.join(',\n       ')}), 256))`;
}

/**
 * Ids and hashes of a table's rows from one id to another, both included, by id. Nothing else of a row.
 * @param bounds SQL for the ids and for how many rows at most: parameters of a procedure, or `?`
 */
export function rowHashQuery(
  auditSchema: string,
  table: SealedTable,
  bounds: { readonly first: string; readonly last: string; readonly most: string },
): string {
  return `SELECT id, ${rowHashExpression(table)} AS hash
  FROM ${qualified(auditSchema, table)}
 WHERE id BETWEEN ${bounds.first} AND ${bounds.last} ORDER BY id LIMIT ${bounds.most}`;
}
