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
  'create_view',
  'drop_db',
  'drop_index',
  'drop_sequence',
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

/** Counted apart: they move for temporary tables as well, in MariaDB when dropped without that word. */
const TABLE_STATEMENTS: readonly string[] = ['create_table', 'drop_table'];
const DEFINITIONS = 'Opened_table_definitions';
/** Seconds since an instant: the server's start, and the last time its status was set to zero. */
const AGES: readonly string[] = ['Uptime', 'Uptime_since_flush_status'];

/** Listed with the statements, but not compared as one of them. */
const APART: ReadonlySet<string> = new Set(
  [...AGES, DEFINITIONS, ...TABLE_STATEMENTS.map((name) => `Com_${name}`)].map((name) => name.toLowerCase()),
);

/** Without these a server's answer is not an answer: something between hides the status. */
const INDISPENSABLE: readonly string[] = [
  'alter_table',
  'create_procedure',
  'create_trigger',
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

/** Characters the list of counters may need. */
export const PROBE_LENGTH = 65_536;

/**
 * The probe: one statement, one row of the counters as a list, the server's clock, and its settings.
 * Nothing is computed per counter in the server, which would double the cost. The connection needs a
 * `group_concat_max_len` of `PROBE_LENGTH`.
 */
export function probeStatement(engine: Engine): string {
  const statements = [...WATCHED_STATEMENTS, ...TABLE_STATEMENTS].map((name) => `Com_${name}`);
  const names = [...statements, ...AGES, DEFINITIONS].map((name) => `'${name}'`).join(',');
  // As text: beside an aggregate, MariaDB 10.11 answers 0 for every boolean variable, whatever it is.
  const columns = VARIABLES[engine].map((variable, index) => `CONCAT(${variable}) v${index}`).join(',');
  return `SELECT GROUP_CONCAT(VARIABLE_NAME,'=',VARIABLE_VALUE) c,UNIX_TIMESTAMP() n,${columns} FROM ${STATUS_TABLE[engine]} WHERE VARIABLE_NAME IN (${names})`;
}

interface Listed {
  readonly text: string;
  readonly statements: readonly string[];
  readonly tables: number;
  readonly definitions: number;
  readonly ages: readonly number[];
}

/**
 * Reads rows of the probe, as arrays of columns. The list mostly repeats itself within a second and is
 * then not taken apart again.
 * @returns a function that throws `Trouble` when the row is not a complete answer: an empty status must
 *   never look unchanged
 */
export function counterReader(): (rows: unknown) => Counters {
  let last: Listed | undefined;
  return (rows) => {
    const row: unknown = Array.isArray(rows) && rows.length === 1 ? rows[0] : undefined;
    if (!Array.isArray(row)) throw incomplete();
    const [text, clock, ...settings] = row as readonly unknown[];
    const now = Number(clock);
    if (typeof text !== 'string' || !Number.isSafeInteger(now)) throw incomplete();
    if (last?.text !== text) last = listed(text);
    // An age and the clock come from one statement and one instant, so the difference is exact.
    const instants = last.ages.map((age) => now - age);
    return {
      hard: [...last.statements, ...instants, ...settings],
      tables: last.tables,
      definitions: last.definitions,
    };
  };
}

function listed(text: string): Listed {
  const values = new Map<string, number>();
  for (const entry of text.split(',')) {
    const match = /^([a-z_]{1,64})=(\d{1,20})$/i.exec(entry);
    if (match?.[1] === undefined) throw incomplete();
    // MariaDB spells these names in capitals here, MySQL does not.
    values.set(match[1].toLowerCase(), Number(match[2]));
  }
  const take = (name: string): number => {
    const value = values.get(name.toLowerCase());
    if (value === undefined) throw incomplete();
    return value;
  };
  for (const name of INDISPENSABLE) take(`com_${name}`);
  const ages = AGES.map(take);
  const definitions = take(DEFINITIONS);
  const tables = TABLE_STATEMENTS.reduce((sum, name) => sum + take(`com_${name}`), 0);
  const statements = text
    .split(',')
    .filter((entry) => !APART.has(entry.slice(0, entry.indexOf('=')).toLowerCase()));
  return { text, statements: statements.sort(), tables, definitions, ages };
}

function incomplete(): Trouble {
  return new Trouble('status-incomplete', 'The server does not show its statement counters.');
}
