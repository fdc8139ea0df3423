import type { Dialect, Engine } from '../dialect.ts';

/**
 * The server's UTC time of this statement, or of this row where more than the present second went by. A
 * session can set `timestamp` and so falsify NOW() and UTC_TIMESTAMP(), but not SYSDATE(). That is local
 * time, ambiguous for one hour a year, which is why it is not always what is converted. The difference of
 * SYSDATE() and NOW() would not do: a session can pretend to be where the clocks were set in between.
 */
const AT = "IF(NOW() = SYSDATE(), UTC_TIMESTAMP(6), CONVERT_TZ(SYSDATE(6), @@SESSION.time_zone, '+00:00'))";

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

/** The columns of `audit_row` that say who and when; `provenanceValues` has their values in this order. */
export const PROVENANCE_COLUMNS = 'id, at, login, ran_as, connection, os_user';

/** Expressions for VALUES and for SELECT alike. */
export function provenanceValues({ engine }: Dialect): readonly string[] {
  return [ID, AT, 'SESSION_USER()', 'CURRENT_USER()', 'CONNECTION_ID()', OS_USER[engine]];
}
