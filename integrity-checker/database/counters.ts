import { Trouble } from '../watch/trouble.ts';
import type { Counters } from '../watch/types.ts';

export type Engine = 'mariadb' | 'mysql';

/**
 * `Com_*` counters of every statement of either engine that defines something the audit depends on,
 * changes a privilege, or changes what the server executes. They move however the statement was sent
 * (as text, prepared, from a routine) and also when it fails. A server has only some of them.
 *
 * Not here: `set_option`, which moves with every SET (settings that matter are compared by value, and
 * `SET PASSWORD` changes no privilege); `create_temporary_table`; DML, which the interval covers.
 */
export const WATCHED_STATEMENTS: readonly string[] = Object.freeze([
  // tables, indexes, schemas
  'alter_db',
  'alter_db_upgrade',
  'alter_sequence',
  'alter_table',
  'alter_tablespace',
  'create_db',
  'create_index',
  'create_sequence',
  'create_table',
  'create_view',
  'drop_db',
  'drop_index',
  'drop_sequence',
  'drop_table',
  'drop_view',
  'import',
  'rename_table',
  'truncate',
  // code
  'alter_event',
  'alter_function',
  'alter_procedure',
  'create_event',
  'create_function',
  'create_library',
  'create_package',
  'create_package_body',
  'create_procedure',
  'create_trigger',
  'create_udf',
  'drop_event',
  'drop_function',
  'drop_library',
  'drop_package',
  'drop_package_body',
  'drop_procedure',
  'drop_trigger',
  // accounts and privileges
  'alter_user',
  'alter_user_default_role',
  'create_role',
  'create_user',
  'drop_role',
  'drop_user',
  'flush',
  'grant',
  'grant_role',
  'grant_roles',
  'rename_user',
  'revoke',
  'revoke_all',
  'revoke_role',
  'revoke_roles',
  'set_password',
  // the server and where its data come from
  'alter_instance',
  'alter_server',
  'binlog',
  'change_master',
  'change_repl_filter',
  'change_replication_source',
  'clone',
  'create_server',
  'drop_server',
  'group_replication_start',
  'group_replication_stop',
  'install_component',
  'install_plugin',
  'replica_start',
  'replica_stop',
  'reset',
  'restart',
  'shutdown',
  'slave_start',
  'slave_stop',
  'start_all_slaves',
  'start_slave',
  'stop_all_slaves',
  'stop_slave',
  'uninstall_component',
  'uninstall_plugin',
]);

/** Without these a server's answer is not an answer: something between hides the status. */
const INDISPENSABLE: readonly string[] = [
  'alter_table',
  'create_procedure',
  'create_table',
  'create_trigger',
  'drop_table',
  'drop_trigger',
  'flush',
  'grant',
  'rename_table',
  'revoke',
];

/** Settings and identity compared by value with each probe. */
const VARIABLES: Readonly<Record<Engine, readonly string[]>> = {
  mariadb: [
    '@@hostname',
    '@@port',
    '@@server_id',
    '@@datadir',
    '@@version',
    '@@global.read_only',
    '@@global.event_scheduler',
    '@@global.init_connect',
    '@@global.sql_mode',
    '@@global.slave_run_triggers_for_rbr',
  ],
  mysql: [
    '@@hostname',
    '@@port',
    '@@server_id',
    '@@server_uuid',
    '@@datadir',
    '@@version',
    '@@global.read_only',
    '@@global.super_read_only',
    '@@global.event_scheduler',
    '@@global.init_connect',
    '@@global.sql_mode',
  ],
};

/** Both are readable for everybody. */
const STATUS_TABLE: Readonly<Record<Engine, string>> = {
  mariadb: 'information_schema.GLOBAL_STATUS',
  mysql: 'performance_schema.global_status',
};

/** Position of the columns that are not compared as they are. */
const COUNTERS = 0;
const DEFINITIONS = 1;
const STARTED = 2;

/**
 * The probe: one statement, one row. The instants at which the server started and at which its status
 * was last flushed are computed in the server from the statement's own time, so they are exact.
 * The connection needs a `group_concat_max_len` of `PROBE_LENGTH`.
 */
export function probeStatement(engine: Engine): string {
  const watched = WATCHED_STATEMENTS.map((name) => `'Com_${name}'`).join(',');
  const since = (name: string): string =>
    `MAX(IF(VARIABLE_NAME='${name}',UNIX_TIMESTAMP()-CAST(VARIABLE_VALUE AS SIGNED),NULL))`;
  return [
    `SELECT GROUP_CONCAT(IF(VARIABLE_NAME LIKE 'Com%',CONCAT(VARIABLE_NAME,'=',VARIABLE_VALUE),NULL)) c`,
    `MAX(IF(VARIABLE_NAME='Opened_table_definitions',CAST(VARIABLE_VALUE AS SIGNED),NULL)) d`,
    `${since('Uptime')} s`,
    `${since('Uptime_since_flush_status')} f`,
    ...VARIABLES[engine].map((name, index) => `${name} v${index}`),
  ]
    .join(',')
    .concat(
      ` FROM ${STATUS_TABLE[engine]} WHERE VARIABLE_NAME IN (${watched},'Uptime','Uptime_since_flush_status','Opened_table_definitions')`,
    );
}

/** Characters the probe's longest column may need: every counter at its largest. */
export const PROBE_LENGTH = 65_536;

/**
 * One row of the probe, as an array of columns.
 * @param validated a list of counters that was already found complete, to skip looking again
 * @throws Trouble when the row is not a complete answer: an empty status must never look unchanged
 */
export function countersOf(rows: unknown, validated: string | undefined): Counters {
  const row: unknown = Array.isArray(rows) && rows.length === 1 ? rows[0] : undefined;
  if (!Array.isArray(row)) throw incomplete();
  const list: unknown = row[COUNTERS];
  const definitions = Number(row[DEFINITIONS]);
  if (
    typeof list !== 'string' ||
    row[STARTED] === null ||
    !Number.isSafeInteger(definitions) ||
    row[DEFINITIONS] === null
  ) {
    throw incomplete();
  }
  if (list !== validated && !complete(list)) throw incomplete();
  row.splice(DEFINITIONS, 1);
  return { hard: row, definitions };
}

function complete(list: string): boolean {
  const present = new Set<string>();
  for (const entry of list.split(',')) {
    const match = /^com_([a-z_]+)=\d+$/i.exec(entry);
    if (match?.[1] === undefined) return false;
    present.add(match[1].toLowerCase());
  }
  return INDISPENSABLE.every((name) => present.has(name));
}

function incomplete(): Trouble {
  return new Trouble('status-incomplete', 'The server does not show its statement counters.');
}
