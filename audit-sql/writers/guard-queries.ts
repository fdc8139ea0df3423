import type { ResultSet } from '../fingerprint/result-sets.ts';
import { GUARD_FORMAT } from '../fingerprint/result-sets.ts';
import { type AuditNames, INSTATEMENT_TABLE, literal, qualified } from '../names.ts';

/** Columns of `mysql.user` and `mysql.db` that stand for a privilege, with its name in GRANT. */
const DB_PRIVILEGES = {
  Select_priv: 'SELECT',
  Insert_priv: 'INSERT',
  Update_priv: 'UPDATE',
  Delete_priv: 'DELETE',
  Create_priv: 'CREATE',
  Drop_priv: 'DROP',
  Grant_priv: 'GRANT OPTION',
  References_priv: 'REFERENCES',
  Index_priv: 'INDEX',
  Alter_priv: 'ALTER',
  Create_tmp_table_priv: 'CREATE TEMPORARY TABLES',
  Lock_tables_priv: 'LOCK TABLES',
  Create_view_priv: 'CREATE VIEW',
  Show_view_priv: 'SHOW VIEW',
  Create_routine_priv: 'CREATE ROUTINE',
  Alter_routine_priv: 'ALTER ROUTINE',
  Execute_priv: 'EXECUTE',
  Event_priv: 'EVENT',
  Trigger_priv: 'TRIGGER',
};
const MARIADB_DB_PRIVILEGES = { ...DB_PRIVILEGES, Delete_history_priv: 'DELETE HISTORY' };
const MYSQL_USER_PRIVILEGES = {
  ...DB_PRIVILEGES,
  Reload_priv: 'RELOAD',
  Shutdown_priv: 'SHUTDOWN',
  Process_priv: 'PROCESS',
  File_priv: 'FILE',
  Show_db_priv: 'SHOW DATABASES',
  Super_priv: 'SUPER',
  Repl_slave_priv: 'REPLICATION SLAVE',
  Repl_client_priv: 'REPLICATION CLIENT',
  Create_user_priv: 'CREATE USER',
  Create_tablespace_priv: 'CREATE TABLESPACE',
};

function listed(privileges: Readonly<Record<string, string>>): string {
  const members = Object.entries(privileges).map(([column, name]) => `IF(${column} = 'Y', '${name}', NULL)`);
  return `CONCAT_WS(',', ${members.join(', ')})`;
}

/** What both engines answer alike. */
function common(
  names: AuditNames,
): Omit<
  Record<ResultSet, string>,
  'routines' | 'events' | 'accounts' | 'grants' | 'roles' | 'settings' | 'extensions'
> {
  const emr = literal(names.emrSchema);
  const audit = literal(names.auditSchema);
  const both = (select: (schema: string) => string): string => `${select(emr)}\nUNION ALL\n${select(audit)}`;
  return {
    meta: `SELECT ${literal(GUARD_FORMAT)}, VERSION(), ${emr}, ${audit},
       (SELECT COUNT(*) FROM information_schema.PROCESSLIST
         WHERE ${isDefining()})`,
    // By the table's schema, which is the trigger's: MariaDB then does not read the triggers of every other one.
    triggers: both(
      (
        schema,
      ) => `SELECT TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION,
       ACTION_ORDER, DEFINER, SQL_MODE, CHARACTER_SET_CLIENT, COLLATION_CONNECTION, DATABASE_COLLATION,
       SHA2(ACTION_STATEMENT, 256)
  FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ${schema}`,
    ),
    tables: both(
      (schema) => `SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, IFNULL(ENGINE, ''), IFNULL(CREATE_OPTIONS, '')
  FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${schema} AND TABLE_TYPE <> 'TEMPORARY'`,
    ),
    columns: both(
      (schema) => `SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_TYPE, IS_NULLABLE,
       IF(COLUMN_KEY = 'PRI', 'PRI', ''), IFNULL(COLLATION_NAME, ''), EXTRA, COLUMN_DEFAULT,
       IFNULL(GENERATION_EXPRESSION, '')
  FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ${schema}`,
    ),
    // Without SELECT and SHOW VIEW a definition is shown as empty, as for the EMR's views.
    views: both(
      (
        schema,
      ) => `SELECT TABLE_SCHEMA, TABLE_NAME, DEFINER, SECURITY_TYPE, CHECK_OPTION, CHARACTER_SET_CLIENT,
       COLLATION_CONNECTION, IF(VIEW_DEFINITION = '', '', SHA2(VIEW_DEFINITION, 256))
  FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ${schema}`,
    ),
    foreignKeys: both(
      (schema) => `SELECT k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION, k.COLUMN_NAME,
       k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME, r.UPDATE_RULE, r.DELETE_RULE
  FROM information_schema.KEY_COLUMN_USAGE k
  JOIN information_schema.REFERENTIAL_CONSTRAINTS r
    ON r.CONSTRAINT_SCHEMA = ${schema} AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
 WHERE k.TABLE_SCHEMA = ${schema} AND k.REFERENCED_TABLE_NAME IS NOT NULL`,
    ),
    // All but the copy of the model, which the digest of it vouches for. As text: drivers make of times what they like.
    instatements: `SELECT id, CAST(at AS CHAR), action, login, account, connection, emr_schema, schema_digest, generator,
       tables_audited
  FROM ${qualified(names.auditSchema, INSTATEMENT_TABLE)} ORDER BY id`,
  };
}

/** Beginnings of statements that define nothing. */
const PLAIN = [
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'REPLACE',
  'WITH',
  'VALUES',
  'LOAD',
  'SHOW',
  // Not `SET STATEMENT … FOR …`, however many blanks or comments stand between.
  'SET +([@_A-RT-Z]|S[^T]).*',
  'COMMIT',
  'ROLLBACK',
  'SAVEPOINT',
  'RELEASE',
  'START TRANSACTION',
  'BEGIN( WORK)? *;?$',
  'XA',
  'USE',
  'DO',
  'EXPLAIN',
  'DESCRIBE',
  'DESC',
  'HANDLER',
  'LOCK',
  'UNLOCK',
  'KILL',
  'ANALYZE',
  'CHECK',
  'CHECKSUM',
  'OPTIMIZE',
  'REPAIR',
  'CREATE TEMPORARY',
  // A table that goes takes nothing unrecorded with it but itself; what is put in its place begins anew.
  'DROP( TEMPORARY)? TABLE',
];

/**
 * Picks, of the list of sessions, those of others whose statement is not plainly work on rows. While a
 * definition is being changed, or waits for its turn, the catalogue shows the old one, although the server
 * has counted the statement. The checker's own account can define nothing.
 */
function isDefining(): string {
  const plain = PLAIN.map((word) => (/[$*]$/.test(word) ? word : `${word}([^A-Za-z_]|$)`)).join('|');
  return `ID <> CONNECTION_ID() AND INFO IS NOT NULL AND USER <> SUBSTRING_INDEX(USER(), '@', 1)
           AND COMMAND NOT IN ('Sleep', 'Daemon', 'Binlog Dump', 'Binlog Dump GTID')
           AND NOT LEFT(INFO, 64) RLIKE '^[ (]*(${plain})'`;
}

/** Code loaded into the server can write rows without firing a trigger. What is built in comes with the version. */
function extensions(more: readonly string[]): string {
  return [
    `SELECT 'plugin', PLUGIN_NAME, PLUGIN_LIBRARY
  FROM information_schema.PLUGINS WHERE PLUGIN_LIBRARY IS NOT NULL AND PLUGIN_STATUS = 'ACTIVE'`,
    "SELECT 'function', name, dl FROM mysql.func",
    ...more,
  ].join('\nUNION ALL\n');
}

/** Not plain words: another tenant's schema may be called `emr`, and its guard looks for that word in routines. */
const EVERYTHING = 'of_emr,of_audit,of_system';

/** Which of the schemas that matter a pattern of GRANT covers. */
function touches(pattern: string, names: AuditNames): string {
  const covers = (schema: string): string => `(${schema} LIKE ${pattern} OR ${schema} = ${pattern})`;
  return `CONCAT_WS(',', IF(${covers(literal(names.emrSchema))}, 'of_emr', NULL), IF(${covers(literal(names.auditSchema))}, 'of_audit', NULL), IF(${covers("'mysql'")}, 'of_system', NULL))`;
}

/** Rows: scope, user, host, touches, schema, object, column, privileges separated by commas. */
function lowerGrants(names: AuditNames, schemaPrivileges: Readonly<Record<string, string>>): string {
  const select = (scope: string, object: string, column: string, privileges: string, from: string): string =>
    `SELECT '${scope}', User, Host, ${touches('Db', names)}, Db, ${object}, ${column}, ${privileges}
  FROM ${from} WHERE ${touches('Db', names)} <> ''`;
  return [
    select('schema', "''", "''", listed(schemaPrivileges), 'mysql.db'),
    select('table', 'Table_name', "''", 'Table_priv', 'mysql.tables_priv'),
    select('column', 'Table_name', 'Column_name', 'Column_priv', 'mysql.columns_priv'),
    select('routine', 'Routine_name', 'Routine_type', 'Proc_priv', 'mysql.procs_priv'),
    `SELECT 'proxy', User, Host, '${EVERYTHING}', Proxied_user, Proxied_host, '', 'PROXY'\n  FROM mysql.proxies_priv`,
  ].join('\nUNION ALL\n');
}

function isOurs(names: AuditNames): string {
  return [names.definer, names.guard]
    .map((account) => `(User = ${literal(account.user)} AND Host = ${literal(account.host)})`)
    .join(' OR ');
}

/** A regular expression for the name as a whole word: `emr` is not named by what names `emr2`. */
function wholeWord(schema: string): string {
  const name = schema.replaceAll('`', '``').replace(/[!-/:-@[-^`{-~]/g, (c) => `\\${c}`);
  return literal(`(^|[^0-9A-Za-z_$])${name}([^0-9A-Za-z_$]|$)`);
}

/** In one of the two schemas, or with the name of one of them in its text. */
export function naming(names: AuditNames, schema: string, text: string): string {
  const both = [names.emrSchema, names.auditSchema];
  return `${schema} IN (${both.map(literal).join(', ')}) OR ${both.map((name) => `${text} RLIKE ${wholeWord(name)}`).join(' OR ')}`;
}

/**
 * Settings, each with the reason why its change matters. Those that a version does not have give no row.
 * `guard_runs_as` is nobody's account when the server was started without privilege checks.
 *
 * Not here, because their change neither disables nor falsifies the audit: `sql_mode` (triggers keep their
 * own), `event_scheduler` (events themselves are compared), `log_bin_trust_function_creators` and
 * `local_infile` (the privileges they matter with are compared), `default_storage_engine` and
 * `disabled_storage_engines` (each table's engine is compared), `read_only` (writes then fail), `log_bin` and
 * its like (the trail does not depend on the binary log).
 */
const SETTINGS = [
  // Every account holds these roles.
  'mandatory_roles',
  // `_` and `%` in grants on schemas are then plain characters.
  'partial_revokes',
  // Children's triggers then fire for cascades too.
  'enable_cascade_triggers',
  'innodb_native_foreign_keys',
  // Names that differ by case only are then one name.
  'lower_case_table_names',
  // No privilege is checked.
  'skip_grant_tables',
  // Runs in every session of ordinary accounts: it can set who they say they are.
  'init_connect',
  // Where FILE may write.
  'secure_file_priv',
  // Whether row events of replication fire triggers, and so whether changes are recorded twice.
  'slave_run_triggers_for_rbr',
  // Whether sessions may set the time that the server believes.
  'secure_timestamp',
  // SYSDATE(), the audit's clock, then follows that.
  'sysdate_is_now',
  // Who may say that it comes from elsewhere, which accounts and the trail go by.
  'proxy_protocol_networks',
];

function settings(source: string): string {
  return `SELECT LOWER(VARIABLE_NAME), VARIABLE_VALUE FROM ${source}
 WHERE LOWER(VARIABLE_NAME) IN (${SETTINGS.map(literal).join(', ')})
UNION ALL
SELECT 'guard_runs_as', CURRENT_USER()`;
}

/** MariaDB keeps routines, events and privileges in tables; they show what `information_schema` hides. */
export function mariadbQueries(names: AuditNames): Record<ResultSet, string> {
  return {
    ...common(names),
    routines: `SELECT db, name, type, definer, security_type, sql_mode,
       SHA2(CONCAT(LENGTH(param_list), ':', param_list, LENGTH(\`returns\`), ':', \`returns\`, body), 256)
  FROM mysql.proc WHERE ${naming(names, 'db', 'body_utf8')}`,
    events: `SELECT db, name, definer, status, sql_mode,
       CONCAT_WS(' ', interval_value, interval_field, execute_at, starts, ends, on_completion, time_zone),
       SHA2(body, 256)
  FROM mysql.event WHERE ${naming(names, 'db', 'body_utf8')}`,
    accounts: `SELECT User, Host, IFNULL(JSON_VALUE(Priv, '$.account_locked'), '0') IN ('1', 'true'),
       IFNULL(JSON_VALUE(Priv, '$.plugin'), ''),
       SHA2(IFNULL(CONCAT_WS(' ', JSON_VALUE(Priv, '$.authentication_string'), NULLIF(JSON_QUERY(Priv, '$.auth_or'), '[{}]')), ''), 256)
  FROM mysql.global_priv WHERE ${isOurs(names)}`,
    grants: `SELECT 'global-bits', User, Host, '${EVERYTHING}', '', '', '', IFNULL(JSON_VALUE(Priv, '$.access'), '0')
  FROM mysql.global_priv\nUNION ALL\n${lowerGrants(names, MARIADB_DB_PRIVILEGES)}`,
    roles: "SELECT User, Host, Role, '' FROM mysql.roles_mapping",
    settings: settings('information_schema.GLOBAL_VARIABLES'),
    extensions: extensions([]),
  };
}

export function mysqlQueries(names: AuditNames, major: number): Record<ResultSet, string> {
  const dynamic =
    major >= 8
      ? `\nUNION ALL\nSELECT 'global', USER, HOST, '${EVERYTHING}', '', '', '', PRIV FROM mysql.global_grants`
      : '';
  return {
    ...common(names),
    routines: `SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, DEFINER, SECURITY_TYPE, SQL_MODE,
       SHA2(CONCAT((SELECT IFNULL(GROUP_CONCAT(CONCAT(ORDINAL_POSITION, PARAMETER_MODE, PARAMETER_NAME, DTD_IDENTIFIER)
                                  ORDER BY ORDINAL_POSITION), '')
                      FROM information_schema.PARAMETERS p
                     WHERE p.SPECIFIC_SCHEMA = r.ROUTINE_SCHEMA AND p.SPECIFIC_NAME = r.SPECIFIC_NAME),
                   ':', IFNULL(ROUTINE_DEFINITION, '')), 256)
  FROM information_schema.ROUTINES r WHERE ${naming(names, 'ROUTINE_SCHEMA', 'ROUTINE_DEFINITION')}`,
    events: `SELECT EVENT_SCHEMA, EVENT_NAME, DEFINER, STATUS, SQL_MODE,
       CONCAT_WS(' ', INTERVAL_VALUE, INTERVAL_FIELD, EXECUTE_AT, STARTS, ENDS, ON_COMPLETION, TIME_ZONE),
       SHA2(EVENT_DEFINITION, 256)
  FROM information_schema.EVENTS WHERE ${naming(names, 'EVENT_SCHEMA', 'EVENT_DEFINITION')}`,
    accounts: `SELECT User, Host, account_locked = 'Y', plugin, SHA2(IFNULL(authentication_string, ''), 256)
  FROM mysql.user WHERE ${isOurs(names)}`,
    grants: `SELECT 'global', User, Host, '${EVERYTHING}', '', '', '', ${listed(MYSQL_USER_PRIVILEGES)}
  FROM mysql.user${dynamic}\nUNION ALL\n${lowerGrants(names, DB_PRIVILEGES)}`,
    roles:
      major >= 8
        ? 'SELECT TO_USER, TO_HOST, FROM_USER, FROM_HOST FROM mysql.role_edges'
        : "SELECT '', '', '', '' FROM DUAL WHERE FALSE",
    settings: settings('performance_schema.global_variables'),
    extensions: extensions(major >= 8 ? ["SELECT 'component', component_urn, '' FROM mysql.component"] : []),
  };
}
