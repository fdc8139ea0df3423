import { arrange, type Session } from './session.ts';

const MODES = [
  '',
  '',
  'STRICT_ALL_TABLES',
  'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION',
  'TRADITIONAL',
  'ANSI_QUOTES,PIPES_AS_CONCAT',
  'NO_BACKSLASH_ESCAPES',
  'NO_AUTO_VALUE_ON_ZERO',
  'PAD_CHAR_TO_FULL_LENGTH',
  'NO_ZERO_DATE,NO_ZERO_IN_DATE',
  'HIGH_NOT_PRECEDENCE,IGNORE_SPACE,REAL_AS_FLOAT',
] as const;
const MARIADB_MODES = ['EMPTY_STRING_IS_NULL', 'TIME_ROUND_FRACTIONAL', 'SIMULTANEOUS_ASSIGNMENT'] as const;

const CHARACTER_SETS = ['utf8mb4', 'utf8mb4', 'latin1', 'utf8mb3', 'cp1251', 'greek', 'binary'] as const;
const ZONES = ['+00:00', '-11:00', '+12:45', 'SYSTEM', '+05:30'] as const;
const REPEATABLE = ['REPEATABLE READ', 'SERIALIZABLE'] as const;
/**
 * Below REPEATABLE READ a row that another session adds beneath a cascade, between its trigger and itself, is
 * deleted unrecorded: a known limit, so several sessions at once do without these.
 */
const ISOLATION = ['READ UNCOMMITTED', 'READ COMMITTED', ...REPEATABLE] as const;

/** A client that says latin1 cannot write a name in another script. */
function asciiNames(session: Session): boolean {
  return session.shape.tables.every((t) =>
    /^[ -~]*$/.test([t.name, ...t.columns.map((c) => c.name)].join('')),
  );
}

/** Gives the session other settings, any of which an EMR's page or a tool may have. */
export async function changeSettings(session: Session): Promise<void> {
  const { random } = session;
  const modes = session.engine === 'mariadb' ? [...MODES, ...MARIADB_MODES] : MODES;
  const set = random.pick(CHARACTER_SETS);
  const collation = random.pick(['utf8mb4_bin', 'utf8mb4_general_ci']);
  await arrange(session, asciiNames(session) ? `SET NAMES ${set}` : `SET NAMES utf8mb4 COLLATE ${collation}`);
  await arrange(session, `SET time_zone = '${random.pick(ZONES)}'`);
  const isolation = random.pick<string>(session.alone ? ISOLATION : REPEATABLE);
  await arrange(session, `SET SESSION TRANSACTION ISOLATION LEVEL ${isolation}`);
  await arrange(
    session,
    random.pick([
      'SET SESSION div_precision_increment = 0',
      'SET SESSION group_concat_max_len = 4',
      'SET SESSION max_sort_length = 64',
      'SET SESSION auto_increment_increment = 7',
      'SET SESSION auto_increment_increment = 1',
      "SET SESSION lc_time_names = 'de_DE'",
      'SET SESSION sql_select_limit = 1000',
      "SET @serverOSUser = 'clerk'",
      'SET @serverOSUser = NULL',
      'SET @serverOSUser = 12.5',
    ]),
  );
  await arrange(session, `SET SESSION sql_mode = '${random.pick(modes)}'`);
}

/** The settings that a session starts with. Waiting for a lock must not hold up the rest. */
export async function firstSettings(session: Session): Promise<void> {
  await arrange(session, "SET SESSION sql_mode = ''");
  await arrange(session, 'SET SESSION innodb_lock_wait_timeout = 1, SESSION lock_wait_timeout = 20');
}
