import type { Dialect, Engine } from '../dialect.ts';

/**
 * The server's UTC time of this statement, or of this row where more than the present second went by. A
 * session can set `timestamp` and so falsify NOW() and UTC_TIMESTAMP(), but not SYSDATE(). That is local
 * time, ambiguous for one hour a year, which is why it is not always what is converted. The difference of
 * SYSDATE() and NOW() would not do: a session can pretend to be where the clocks were set in between. By way of
 * the seconds since the epoch, because naming `time_zone` costs a look-up under a lock for every row.
 */
const AT =
  "IF(NOW() = SYSDATE(), UTC_TIMESTAMP(6), TIMESTAMP'1970-01-01 00:00:00' + INTERVAL UNIX_TIMESTAMP(SYSDATE(6)) SECOND)";

/**
 * 0 asks for the next number. A session can set `insert_id` and so choose the number of the next row that
 * gets one, exhausting or reordering the audit's numbers; then this is out of range, and the change fails
 * with its audit row.
 */
const ID = '0 - @@insert_id';

/**
 * The person as the client says, as text of at most 255 characters and never an error, whatever the client
 * says. NULL when it is not set; on MariaDB, where CONVERT may be an error, also when its bytes are no
 * characters.
 */
const OS_USER: Record<Engine, string> = {
  mariadb: 'JSON_UNQUOTE(JSON_QUOTE(LEFT(@serverOSUser, 255)))',
  mysql: 'LEFT(CONVERT(@serverOSUser USING utf8mb4), 255)',
};

/** What says who and when, of which numbered row; in the order of the columns. */
export const PROVENANCE_COLUMNS = ['id', 'at', 'login', 'ran_as', 'connection', 'os_user'] as const;
export type ProvenanceColumn = (typeof PROVENANCE_COLUMNS)[number];

/** Their values, as expressions. */
function expressions(engine: Engine): Readonly<Record<ProvenanceColumn, string>> {
  return {
    id: ID,
    at: AT,
    login: 'SESSION_USER()',
    ran_as: 'CURRENT_USER()',
    connection: 'CONNECTION_ID()',
    os_user: OS_USER[engine],
  };
}

/**
 * What MariaDB fills in by defaults of the audit tables: it prepares those once a statement, and what a trigger
 * says for every row. Not the person: a default would remember the variable of whoever used the table first. Nor the
 * account that the trigger runs as: in a default that is the session's.
 */
const DEFAULTS: ReadonlySet<ProvenanceColumn> = new Set(['id', 'at', 'login', 'connection']);

function isDefault(column: string, engine: Engine): column is ProvenanceColumn {
  // MySQL takes no variables in defaults, and before 8.0.13 no expressions.
  return engine === 'mariadb' && (DEFAULTS as ReadonlySet<string>).has(column);
}

/**
 * The number's own default is the next; this one refuses a number that the session chose. A default is prepared in
 * the session's SQL mode and not in the trigger's, and in one of them a subtraction may be negative; no power of
 * e is that large in any.
 */
const CONNECTION_UNLESS_NUMBERED = 'CONNECTION_ID() * EXP(@@insert_id * 1e9)';

/** SQL of a column's default in an audit table, or undefined where it has none. */
export function provenanceDefault(column: string, { engine }: Dialect): string | undefined {
  if (!isDefault(column, engine) || column === 'id') return undefined;
  return column === 'connection' ? CONNECTION_UNLESS_NUMBERED : expressions(engine)[column];
}

/**
 * The INSERT of one audit row, with which a trigger ends.
 * @param columns what is said of the change, beside who and when: columns and SQL for their values; what is
 *   not named is NULL
 */
export function insertAuditRow(
  table: string,
  columns: readonly (readonly [column: string, value: string])[],
  { engine }: Dialect,
  indent = '',
): string {
  const values = expressions(engine);
  const given = PROVENANCE_COLUMNS.filter((column) => !isDefault(column, engine));
  return [
    `INSERT INTO ${table}`,
    `  (${given.join(', ')},`,
    `   ${columns.map(([column]) => column).join(', ')})`,
    'VALUES (',
    `  ${[...given.map((column) => values[column]), ...columns.map(([, value]) => value)].join(`,\n${indent}  `)}`,
    ')',
  ].join(`\n${indent}`);
}
