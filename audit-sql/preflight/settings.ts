import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { ServerDescription } from '../dialect.ts';
import { type AuditNames, printable } from '../names.ts';
import type { PreflightFinding } from '../preflight.ts';
import type { ScriptName } from '../writers/script.ts';
import type { Held } from './held.ts';

/** Global variables by their lower-case names; those that a version lacks are not in it. */
export type Settings = ReadonlyMap<string, string>;

const READ = [
  'log_bin',
  'log_bin_trust_function_creators',
  'binlog_format',
  'read_only',
  'super_read_only',
  'innodb_read_only',
  'disabled_storage_engines',
  'enforce_storage_engine',
  'pxc_strict_mode',
  'lower_case_table_names',
  'max_allowed_packet',
  'skip_grant_tables',
  'enable_cascade_triggers',
  'innodb_native_foreign_keys',
];

export async function readSettings(connection: Connection): Promise<Settings> {
  const [rows] = await connection.query<(RowDataPacket & { Variable_name: string; Value: string })[]>(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${READ.map((name) => `'${name}'`).join(', ')})`,
  );
  const settings = new Map(rows.map((row) => [row.Variable_name.toLowerCase(), String(row.Value)]));
  return settings.set('sysdate_is_now', await sysdateIsNow(connection));
}

/** An option of the command line that not every version shows as a variable, so it is tried. */
async function sysdateIsNow(connection: Connection): Promise<'ON' | 'OFF'> {
  await connection.query('SET SESSION timestamp = 86400');
  try {
    const [[row]] = await connection.query<(RowDataPacket & { past: number })[]>(
      'SELECT YEAR(SYSDATE()) = 1970 AS past',
    );
    return Number(row?.past) === 0 ? 'OFF' : 'ON';
  } finally {
    await connection.query('SET SESSION timestamp = DEFAULT');
  }
}

interface Context {
  readonly server: ServerDescription;
  readonly names: AuditNames;
  readonly held: Held;
  readonly makesTriggers: boolean;
  readonly script: ScriptName;
  /** The script makes triggers that record cascades. */
  readonly cascades: boolean;
  /** Somebody said that the trail may differ where MySQL's own layer does not cascade as the keys demand. */
  readonly acceptCascadesAboveInnodb: boolean;
}

type Check = (settings: Settings, context: Context) => PreflightFinding | undefined;

/** An audit row holds a row's texts whole; below this, rows of documents may not fit. */
const SMALL_PACKET = 4 * 1024 * 1024;

const isOn = (settings: Settings, name: string): boolean =>
  /^(ON|1|YES|TRUE)$/i.test(settings.get(name) ?? '');
const isSuper = ({ held }: Context): boolean => held.has('SUPER', {});

const CHECKS: readonly Check[] = [
  (settings, context) =>
    context.makesTriggers &&
    isOn(settings, 'log_bin') &&
    !isOn(settings, 'log_bin_trust_function_creators') &&
    !isSuper(context)
      ? {
          code: 'binary-log-trust',
          severity: 'stop',
          sentence:
            'The binary log is on, and the server lets only an account with SUPER make triggers: log_bin_trust_function_creators is off.',
          remedy:
            'SET GLOBAL log_bin_trust_function_creators = 1; on a managed server set it in its parameter group or flags.',
        }
      : undefined,
  (settings, context) =>
    context.makesTriggers && isOn(settings, 'log_bin') && settings.get('binlog_format') === 'STATEMENT'
      ? {
          code: 'statement-binary-log',
          severity: 'warn',
          sentence:
            "binlog_format is STATEMENT: replicas run the triggers themselves, so their audit rows have other times, connections and numbers than this server's, and each audited statement is logged as unsafe.",
          remedy: 'SET GLOBAL binlog_format = ROW (or MIXED), and reconnect the EMR.',
        }
      : undefined,
  (settings, context) => {
    const always = isOn(settings, 'super_read_only');
    const unless = ['SUPER', 'READ_ONLY ADMIN', 'CONNECTION_ADMIN'].some((p) => context.held.has(p, {}));
    const readOnly = !/^(OFF|0|)$/i.test(settings.get('read_only') ?? '');
    if (!always && !readOnly) return undefined;
    return {
      code: 'server-read-only',
      severity: always || !unless ? 'stop' : 'warn',
      sentence: `The server is read only (${always ? 'super_read_only' : 'read_only'}): perhaps this is a replica.`,
      remedy: 'Connect to the server that the EMR writes to; replicas receive the triggers from it.',
    };
  },
  (settings) =>
    isOn(settings, 'innodb_read_only')
      ? {
          code: 'innodb-read-only',
          severity: 'stop',
          sentence: 'InnoDB was started read only (innodb_read_only).',
          remedy: 'Start the server without innodb_read_only.',
        }
      : undefined,
  (settings, { server, script }) => {
    if (script !== 'start') return undefined;
    // Rows of the EMR's tables without transactions are audited in one that has none either.
    const wanted = ['InnoDB', server.engine === 'mysql' ? 'MyISAM' : 'Aria'];
    const disabled = (settings.get('disabled_storage_engines') ?? '')
      .split(',')
      .map((engine) => engine.trim().toLowerCase());
    const enforced = settings.get('enforce_storage_engine') ?? '';
    const missing = wanted.filter(
      (engine) =>
        disabled.includes(engine.toLowerCase()) ||
        (enforced !== '' && enforced.toLowerCase() !== engine.toLowerCase()),
    );
    return missing.length === 0
      ? undefined
      : {
          code: 'storage-engine-disabled',
          severity: 'stop',
          sentence: `The server refuses tables of the storage engine ${missing.join(' and ')}, in which the audit's tables are.`,
          remedy: `Allow it in ${enforced === '' ? 'disabled_storage_engines' : 'enforce_storage_engine'} while start runs.`,
        };
  },
  (settings, { makesTriggers }) =>
    makesTriggers && /^(ENFORCING|MASTER)$/i.test(settings.get('pxc_strict_mode') ?? '')
      ? {
          code: 'table-locks-refused',
          severity: 'stop',
          sentence:
            'pxc_strict_mode refuses LOCK TABLES, without which a trigger cannot be replaced on MySQL without a gap.',
          remedy: "SET GLOBAL pxc_strict_mode = 'PERMISSIVE' while the script runs.",
        }
      : undefined,
  (settings, { names }) => {
    const folded = settings.get('lower_case_table_names') === '1';
    const mixed = [names.emrSchema, names.auditSchema].filter((name) => name !== name.toLowerCase());
    return folded && mixed.length > 0
      ? {
          code: 'schema-name-case',
          severity: 'stop',
          sentence: `The server keeps names in lower case (lower_case_table_names is 1), and ${mixed.map(printable).join(' and ')} is not.`,
          remedy: 'Give the names of the schemas in lower case.',
        }
      : undefined;
  },
  (settings, { makesTriggers }) => {
    const bytes = Number(settings.get('max_allowed_packet') ?? SMALL_PACKET);
    return makesTriggers && bytes < SMALL_PACKET
      ? {
          code: 'packet-small',
          severity: 'warn',
          sentence: `max_allowed_packet is ${bytes} bytes. A change of a row whose audit row is longer than that fails.`,
          remedy: 'SET GLOBAL max_allowed_packet = 67108864, in the configuration file too.',
        }
      : undefined;
  },
  (settings) =>
    isOn(settings, 'skip_grant_tables')
      ? {
          code: 'privileges-unchecked',
          severity: 'stop',
          sentence:
            'The server was started with skip_grant_tables: it checks no privilege, and grants cannot be made.',
          remedy: 'Start it without that option.',
        }
      : undefined,
  (settings, { makesTriggers }) =>
    makesTriggers && isOn(settings, 'sysdate_is_now')
      ? {
          code: 'time-not-the-servers',
          severity: 'stop',
          sentence:
            'The server was started with sysdate-is-now: a session that sets its own timestamp would choose the time in its audit rows.',
          remedy: 'Start it without that option.',
        }
      : undefined,
  (settings, { makesTriggers }) =>
    makesTriggers && isOn(settings, 'enable_cascade_triggers')
      ? {
          code: 'cascades-fire-triggers',
          severity: 'warn',
          sentence:
            "enable_cascade_triggers is on: foreign keys fire the children's triggers here, and their rows are recorded as plain updates and deletes.",
          remedy:
            'Nothing need be done: each row is recorded once either way, but for a DELETE from two tables at once.',
        }
      : undefined,
  (settings, { makesTriggers, cascades, acceptCascadesAboveInnodb }) =>
    makesTriggers && cascades && settings.get('innodb_native_foreign_keys')?.toUpperCase() === 'OFF'
      ? {
          code: 'cascades-above-innodb',
          severity: acceptCascadesAboveInnodb ? 'warn' : 'stop',
          sentence:
            'innodb_native_foreign_keys is OFF, as MySQL comes: its own layer does the cascades of foreign keys, leaves some undone, and calls a statement done whose cascade a lock wait or a deadlock broke off. The trail then has what the keys demand, not what happened (blind spot cascade-layer).',
          remedy:
            'Set innodb_native_foreign_keys = ON in the configuration file and start the server again. Where that cannot be, --accept-cascades-above-innodb begins all the same.',
        }
      : undefined,
];

/** What the server's settings have against a script. Pure. */
export function settingChecks(settings: Settings, context: Context): PreflightFinding[] {
  return CHECKS.map((check) => check(settings, context)).filter((finding) => finding !== undefined);
}
