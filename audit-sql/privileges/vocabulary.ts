import { ChartgateError } from '../../contracts/errors.ts';

/** Columns of `mysql.user` and `mysql.db` that stand for a privilege, with its name in GRANT. */
const PRIVILEGE_COLUMNS: ReadonlyMap<string, string> = new Map([
  ['Select_priv', 'SELECT'],
  ['Insert_priv', 'INSERT'],
  ['Update_priv', 'UPDATE'],
  ['Delete_priv', 'DELETE'],
  ['Create_priv', 'CREATE'],
  ['Drop_priv', 'DROP'],
  ['Reload_priv', 'RELOAD'],
  ['Shutdown_priv', 'SHUTDOWN'],
  ['Process_priv', 'PROCESS'],
  ['File_priv', 'FILE'],
  ['Grant_priv', 'GRANT OPTION'],
  ['References_priv', 'REFERENCES'],
  ['Index_priv', 'INDEX'],
  ['Alter_priv', 'ALTER'],
  ['Show_db_priv', 'SHOW DATABASES'],
  ['Super_priv', 'SUPER'],
  ['Create_tmp_table_priv', 'CREATE TEMPORARY TABLES'],
  ['Lock_tables_priv', 'LOCK TABLES'],
  ['Execute_priv', 'EXECUTE'],
  ['Repl_slave_priv', 'REPLICATION SLAVE'],
  ['Repl_client_priv', 'REPLICATION CLIENT'],
  ['Create_view_priv', 'CREATE VIEW'],
  ['Show_view_priv', 'SHOW VIEW'],
  ['Create_routine_priv', 'CREATE ROUTINE'],
  ['Alter_routine_priv', 'ALTER ROUTINE'],
  ['Create_user_priv', 'CREATE USER'],
  ['Event_priv', 'EVENT'],
  ['Trigger_priv', 'TRIGGER'],
  ['Create_tablespace_priv', 'CREATE TABLESPACE'],
  ['Create_role_priv', 'CREATE ROLE'],
  ['Drop_role_priv', 'DROP ROLE'],
  ['Delete_history_priv', 'DELETE HISTORY'],
  ['Show_create_routine_priv', 'SHOW CREATE ROUTINE'],
]);

/** Names in the SET columns of `tables_priv`, `columns_priv` and `procs_priv` that GRANT spells otherwise. */
const SET_NAMES: ReadonlyMap<string, string> = new Map([
  ['GRANT', 'GRANT OPTION'],
  ['DELETE VERSIONING ROWS', 'DELETE HISTORY'],
]);

/**
 * The privileges that a row of `mysql.user` or `mysql.db` holds.
 * @throws ChartgateError `database-unsupported` when it holds one that has no known name: it could neither
 *   be judged nor revoked
 */
export function privilegesOfRow(row: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(row).flatMap(([column, value]) => {
    if (!/_priv$/i.test(column) || value !== 'Y') return [];
    const name = PRIVILEGE_COLUMNS.get(column);
    if (name === undefined) {
      throw new ChartgateError(
        'database-unsupported',
        `This server knows a privilege, ${column}, that this version of Chartgate does not.`,
      );
    }
    return [name];
  });
}

/** The privileges of a SET column: `Select,Show view`. */
export function privilegesOfSet(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim().toUpperCase())
    .filter((part) => part !== '')
    .map((part) => SET_NAMES.get(part) ?? part);
}

/** What somebody could do with a privilege that an EMR does not need. */
const HARM: ReadonlyMap<string, string> = new Map([
  ['TRIGGER', 'with it the audit triggers can be dropped'],
  ['DROP', 'dropping or truncating a table leaves no audit rows'],
  ['ALTER', 'altering or renaming a table takes it out of the audit'],
  ['CREATE', 'a table made now would not be audited'],
  ['INDEX', 'changing indexes changes the schema that was approved'],
  ['CREATE VIEW', 'a view can give others what its maker may read'],
  ['CREATE ROUTINE', 'a routine can run with rights that its caller lacks'],
  ['ALTER ROUTINE', 'a routine could be replaced or dropped'],
  ['EVENT', 'an event runs later, unseen'],
  ['FILE', 'with it files of the server are read and written'],
  ['SUPER', 'with it nearly everything can be switched off'],
  ['PROCESS', "it shows the statements of everybody's sessions"],
  ['RELOAD', 'with it logs and privileges are flushed'],
  ['SHUTDOWN', 'it stops the server'],
  ['CREATE USER', 'with it accounts are made and unlocked'],
  ['CREATE ROLE', 'with it roles are made'],
  ['GRANT OPTION', 'what it holds could be given to others'],
  ['PROXY', "it becomes another account, with that account's rights"],
  ['MEMBER', 'a role brings rights that the policy does not see'],
  ['DEFAULT', 'a default role becomes active with every connection'],
  ['REPLICATION SLAVE', "with it the binary log, and so every row's content, is read"],
  ['BINLOG ADMIN', 'with it a session is hidden from the binary log'],
  ['BINLOG REPLAY', 'replayed row events fire no triggers'],
  ['BINLOG_ADMIN', 'replayed row events fire no triggers'],
  ['SET USER', 'with it triggers and routines run as anybody'],
  ['SET_ANY_DEFINER', 'with it triggers and routines run as anybody'],
  ['SET_USER_ID', 'with it triggers and routines run as anybody'],
  ['DELETE HISTORY', 'with it the history of system-versioned tables is deleted'],
  ['SHOW VIEW', 'it shows the definitions of views'],
]);

/** Of a privilege that does no harm by itself. */
export const NO_HARM = 'nothing that its role does needs it';

/** Why a privilege is taken away, one clause. */
export function harm(privilege: string): string {
  return HARM.get(privilege) ?? NO_HARM;
}
