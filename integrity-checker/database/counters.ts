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
  'alter_library',
  'alter_procedure',
  'create_event',
  'create_function',
  'create_library',
  'create_masking_policy',
  'create_package',
  'create_package_body',
  'create_procedure',
  'create_trigger',
  'create_udf',
  'drop_event',
  'drop_function',
  'drop_library',
  'drop_masking_policy',
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

/**
 * Identity of the server, and settings that can be changed while it runs, compared by value with each probe.
 * Those of the baseline are among them, so that a change is found at once and not at the next interval. A
 * server has only some of them.
 */
const VARIABLES: readonly string[] = [
  'datadir',
  'hostname',
  'port',
  'server_id',
  'server_uuid',
  'version',
  'enable_cascade_triggers',
  'event_scheduler',
  'init_connect',
  'innodb_native_foreign_keys',
  'mandatory_roles',
  'partial_revokes',
  'proxy_protocol_networks',
  'read_only',
  'secure_timestamp',
  'slave_run_triggers_for_rbr',
  'sql_mode',
  'super_read_only',
];
const INDISPENSABLE_VARIABLES: readonly string[] = ['hostname', 'port', 'version', 'read_only'];

/** Readable for everybody. MySQL keeps the statement counters out of its table of the status. */
const LISTS: Readonly<
  Record<Engine, { readonly status: (names: string) => string; readonly variables: string }>
> = {
  mariadb: {
    status: (names) =>
      `SELECT VARIABLE_NAME FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN (${names})`,
    variables: 'information_schema.GLOBAL_VARIABLES',
  },
  mysql: {
    status: (names) => `SHOW GLOBAL STATUS WHERE Variable_name IN (${names})`,
    variables: 'performance_schema.global_variables',
  },
};

/** Characters the list of counters may need. */
export const PROBE_LENGTH = 65_536;

/** Wall-clock milliseconds, this machine's: no later than when a question left, no earlier than its answer. */
export interface Asked {
  readonly before: number;
  readonly after: number;
}

/** The cheap question that tells whether anything may have changed, for one server. */
export interface Probe {
  /** On MySQL two statements in one packet. */
  readonly sql: string;
  /** How many statements that is for the server. */
  readonly queries: number;
  /**
   * A reader of its answers. The list mostly repeats itself within a second and is then not taken apart again.
   * @param clockDifferenceMs how far the server's clock may be from this machine's
   * @returns a function that throws `Trouble` when an answer is not complete: an empty status must never look
   *   unchanged
   */
  reader(clockDifferenceMs: number): (answer: unknown, asked: Asked) => Counters;
}

/**
 * Asks which counters and settings the server has, so that the probe need not compare with the names of those
 * that it lacks, and puts the probe together. The connection needs a `group_concat_max_len` of `PROBE_LENGTH`.
 * @param query runs a statement and gives rows as arrays
 * @param log the instatement log, quoted for SQL, whose last line is part of the probe: writing one moves no
 *   counter. Left out when undefined
 * @throws Trouble `status-incomplete` when the server hides them
 */
export async function planProbe(
  engine: Engine,
  query: (sql: string) => Promise<unknown>,
  log?: string,
): Promise<Probe> {
  const wanted = [
    ...[...WATCHED_STATEMENTS, ...TABLE_STATEMENTS].map((name) => `Com_${name}`),
    ...AGES,
    DEFINITIONS,
  ];
  const has = firstColumn(await query(LISTS[engine].status(wanted.map(quoted).join(','))));
  const lower = new Set(has.map((name) => name.toLowerCase()));
  if (![...INDISPENSABLE, ...TABLE_STATEMENTS].every((name) => lower.has(`com_${name}`))) throw incomplete();
  if (![...AGES, DEFINITIONS].every((name) => lower.has(name.toLowerCase()))) throw incomplete();
  const variables = firstColumn(
    await query(
      `SELECT LOWER(VARIABLE_NAME) FROM ${LISTS[engine].variables} WHERE LOWER(VARIABLE_NAME) IN (${VARIABLES.map(quoted).join(',')}) ORDER BY 1`,
    ),
  );
  if (!INDISPENSABLE_VARIABLES.every((name) => variables.includes(name))) throw incomplete();
  // As text: beside an aggregate, MariaDB 10.11 answers 0 for every boolean variable, whatever it is.
  const columns = variables
    .filter((name) => VARIABLES.includes(name))
    .map((name, index) => `CONCAT(@@global.${name}) v${index}`)
    .concat(
      log === undefined ? [] : [`(SELECT CONCAT(id,' ',action) FROM ${log} ORDER BY id DESC LIMIT 1) l`],
    )
    .join(',');
  // Compared as bytes, which takes half the time. The names are spelt as the server spells them.
  const names = has.sort().map(quoted).join(',');
  return engine === 'mariadb'
    ? {
        sql: `SELECT GROUP_CONCAT(VARIABLE_NAME,'=',VARIABLE_VALUE) c,UNIX_TIMESTAMP() n,${columns} FROM information_schema.GLOBAL_STATUS WHERE CAST(VARIABLE_NAME AS BINARY) IN (${names})`,
        queries: 1,
        reader: (clock) => counterReader(engine, clock),
      }
    : {
        sql: `SHOW GLOBAL STATUS WHERE CAST(Variable_name AS BINARY) IN (${names});SELECT UNIX_TIMESTAMP() n,${columns}`,
        queries: 2,
        reader: (clock) => counterReader(engine, clock),
      };
}

function quoted(name: string): string {
  // Names of counters and settings only; none holds anything that would end a literal.
  if (!/^[A-Za-z_]{1,64}$/.test(name)) throw incomplete();
  return `'${name}'`;
}

function firstColumn(rows: unknown): string[] {
  if (!Array.isArray(rows)) throw incomplete();
  return rows.map((row: unknown) => {
    const name: unknown = Array.isArray(row) ? row[0] : undefined;
    if (typeof name !== 'string') throw incomplete();
    return name;
  });
}

interface Listed {
  readonly text: string;
  readonly statements: readonly string[];
  readonly tables: number;
  readonly definitions: number;
  readonly ages: readonly number[];
}

/** See `Probe.reader`. */
export function counterReader(
  engine: Engine,
  clockDifferenceMs: number,
): (answer: unknown, asked: Asked) => Counters {
  let last: Listed | undefined;
  let reference: readonly number[] = [];
  return (answer, asked) => {
    const [text, row] = engine === 'mariadb' ? oneAnswer(answer) : twoAnswers(answer);
    const [clock, ...settings] = row;
    const now = Number(clock);
    if (!Number.isSafeInteger(now) || now <= 0) throw incomplete();
    if (last?.text !== text) last = listed(text);
    const instants = last.ages.map((age) => now - age);
    // MySQL's age and clock come from two statements, between which a second may end. It never sets counters
    // back without counting that, so a difference of one second means nothing there.
    if (engine === 'mysql' && instants.every((instant, i) => Math.abs(instant - (reference[i] ?? -9)) <= 1)) {
      instants.splice(0, instants.length, ...reference);
    } else reference = [...instants];
    return {
      hard: [...last.statements, ...instants, clockOff(now, asked, clockDifferenceMs), ...settings],
      tables: last.tables,
      definitions: last.definitions,
    };
  };
}

/** Certainly beyond the bound, although the probe shows whole seconds only; comparisons look closer. */
function clockOff(seconds: number, { before, after }: Asked, bound: number): boolean {
  return seconds * 1000 > after + bound || (seconds + 1) * 1000 < before - bound;
}

/** MariaDB: one row of the counters as a list, the clock and the settings. */
function oneAnswer(rows: unknown): readonly [string, readonly unknown[]] {
  const row: unknown = Array.isArray(rows) && rows.length === 1 ? rows[0] : undefined;
  if (!Array.isArray(row)) throw incomplete();
  const [text, ...rest] = row as readonly unknown[];
  if (typeof text !== 'string') throw incomplete();
  return [text, rest];
}

/** MySQL: rows of counters, and a row of the clock and the settings. */
function twoAnswers(answer: unknown): readonly [string, readonly unknown[]] {
  const [status, settings] = Array.isArray(answer) && answer.length === 2 ? (answer as unknown[]) : [];
  if (!Array.isArray(status) || !Array.isArray(settings) || settings.length !== 1) throw incomplete();
  const row: unknown = settings[0];
  if (!Array.isArray(row)) throw incomplete();
  return [status.map((entry: unknown) => (Array.isArray(entry) ? entry.join('=') : '')).join(','), row];
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
