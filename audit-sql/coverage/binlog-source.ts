import type { Connection, RowDataPacket } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import type { ServerDescription } from '../dialect.ts';
import { type AuditNames, INSTATEMENT_TABLE, qualified } from '../names.ts';
import { beginningOf, type LogSource, logEntries, logLines } from './binlog-text.ts';

/** What of the binary log is to be read, and how. */
export interface BinlogRequest {
  /** `mariadb-binlog` or `mysqlbinlog`; found by its name on the path when undefined. */
  readonly program?: string | undefined;
  /** Files on this machine, in order; all logs of the server, read from it, when empty. */
  readonly files: readonly string[];
  /** UTC, `YYYY-MM-DD hh:mm:ss`; from the first log on when undefined. */
  readonly since?: string | undefined;
  /** How the program reaches the server; needed when there are no files. */
  readonly reach: {
    readonly host?: string | undefined;
    readonly port?: number | undefined;
    readonly socket?: string | undefined;
    readonly user: string;
    readonly password?: Buffer | undefined;
    /** Path of the PEM file of the server's authority. */
    readonly authorityFile?: string | undefined;
    /** TLS with verification, as for every connection beyond loopback. */
    readonly encrypted: boolean;
  };
}

/** @throws ChartgateError `usage` when the server does not log every row's change */
async function refuseOtherFormats(connection: Connection): Promise<void> {
  const [[settings]] = await connection.query<
    (RowDataPacket & { on: number; format: string; image: string })[]
  >('SELECT @@log_bin AS `on`, @@binlog_format AS format, @@binlog_row_image AS image');
  if (Number(settings?.on) === 1 && settings?.format === 'ROW' && settings.image === 'FULL') return;
  throw new ChartgateError(
    'usage',
    'The binary log shows every row only with log_bin=ON, binlog_format=ROW and binlog_row_image=FULL; here ' +
      `log_bin=${Number(settings?.on) === 1 ? 'ON' : 'OFF'}, binlog_format=${String(settings?.format)}, ` +
      `binlog_row_image=${String(settings?.image)}. Leave --binlog out, or set them in the server's settings file.`,
  );
}

function remoteArguments(server: ServerDescription, reach: BinlogRequest['reach']): string[] {
  const where =
    reach.socket === undefined
      ? ['--protocol=tcp', `--host=${reach.host ?? '127.0.0.1'}`, `--port=${reach.port ?? 3306}`]
      : ['--protocol=socket', `--socket=${reach.socket}`];
  const authority = reach.authorityFile === undefined ? [] : [`--ssl-ca=${reach.authorityFile}`];
  const verified = server.engine === 'mariadb' ? '--ssl-verify-server-cert' : '--ssl-mode=VERIFY_IDENTITY';
  return [...where, `--user=${reach.user}`, ...(reach.encrypted ? [...authority, verified] : [])];
}

/** Whether auditing was on at a moment, by the log of starts and stops. */
async function auditingAt(connection: Connection, names: AuditNames, moment: string): Promise<boolean> {
  const [[row]] = await connection.query<(RowDataPacket & { action: string })[]>(
    `SELECT action FROM ${qualified(names.auditSchema, INSTATEMENT_TABLE)} WHERE at <= ? ORDER BY id DESC LIMIT 1`,
    [moment],
  );
  return row?.action === 'start';
}

type Instatement = RowDataPacket & { readonly id: string; readonly action: string; readonly at: string };

/** The number of the first start or stop that is in the log itself; undefined when none is. */
async function firstInLog(
  connection: Connection,
  names: AuditNames,
  source: LogSource,
): Promise<string | undefined> {
  const [[column]] = await connection.query<(RowDataPacket & { place: number })[]>(
    `SELECT ORDINAL_POSITION AS place FROM information_schema.COLUMNS
      WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND COLUMN_NAME = 'id'`,
    [names.auditSchema, INSTATEMENT_TABLE],
  );
  const place = Number(column?.place);
  const isLog = (schema: string, table: string): boolean =>
    schema === names.auditSchema && table === INSTATEMENT_TABLE;
  const wanted = (schema: string, table: string): ReadonlySet<number> | undefined =>
    isLog(schema, table) ? new Set([place]) : undefined;
  for await (const entry of logEntries(logLines(source), wanted)) {
    if (entry.kind === 'row' && isLog(entry.schema, entry.table)) return entry.values.get(place);
  }
  return undefined;
}

/**
 * Whether auditing was on where the logs begin. Servers remove old logs, so it may have been started in one
 * that is gone; its changes would otherwise pass for changes while auditing was stopped.
 */
async function auditingAtBegin(
  connection: Connection,
  names: AuditNames,
  source: LogSource,
): Promise<boolean> {
  const [entries] = await connection.query<Instatement[]>(
    `SELECT CAST(id AS CHAR) AS id, action, CAST(at AS CHAR) AS at
       FROM ${qualified(names.auditSchema, INSTATEMENT_TABLE)} ORDER BY id`,
  );
  const begin = await beginningOf(logLines(source));
  if (begin === undefined) return false;
  const second = ({ at }: Instatement): string => at.slice(0, 19);
  // Logs tell time in seconds: what was written in that very second is in this log or in the one before.
  const first = entries.some((entry) => second(entry) === begin)
    ? await firstInLog(connection, names, source)
    : undefined;
  const before = entries.filter((entry) =>
    first === undefined ? second(entry) <= begin : BigInt(entry.id) < BigInt(first),
  );
  return before.at(-1)?.action === 'start';
}

/**
 * Finds out which logs there are and whether auditing was on where they begin. Reads only.
 * @throws ChartgateError `usage` when the server does not log rows, or `since` is no moment;
 *   `privilege-missing` when this SQL user may not list the logs
 */
export async function binlogSource(
  connection: Connection,
  options: {
    readonly names: AuditNames;
    readonly server: ServerDescription;
    readonly request: BinlogRequest;
  },
): Promise<{ readonly source: LogSource; readonly auditing: boolean }> {
  const { names, server, request } = options;
  const { since, files, reach } = request;
  if (since !== undefined && !/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(since)) {
    throw new ChartgateError('usage', '--binlog-since is a UTC time like "2026-01-31 08:00:00".');
  }
  await refuseOtherFormats(connection);
  const program = request.program ?? (server.engine === 'mariadb' ? 'mariadb-binlog' : 'mysqlbinlog');
  const from = since === undefined ? {} : { since };
  const begun = async (source: LogSource): Promise<{ source: LogSource; auditing: boolean }> => ({
    source,
    auditing:
      since === undefined
        ? await auditingAtBegin(connection, names, source)
        : await auditingAt(connection, names, since),
  });
  if (files.length > 0) return begun({ program: [program], logs: files, ...from });
  let logs: (RowDataPacket & { Log_name: string })[];
  try {
    [logs] = await connection.query<(RowDataPacket & { Log_name: string })[]>('SHOW BINARY LOGS');
  } catch (error) {
    throw new ChartgateError(
      'privilege-missing',
      `The binary logs cannot be listed: ${error instanceof Error ? error.message : 'unknown error'}. ` +
        `It takes ${server.engine === 'mariadb' ? 'BINLOG MONITOR' : 'REPLICATION CLIENT'}, and REPLICATION SLAVE to read them.`,
      { cause: error },
    );
  }
  return begun({
    program: [program],
    logs: logs.map((log) => log.Log_name),
    remote: remoteArguments(server, reach),
    ...(reach.password === undefined ? {} : { password: reach.password }),
    ...from,
  });
}
