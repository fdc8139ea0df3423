import { spawn } from 'node:child_process';
import { ChartgateError } from '../../contracts/errors.ts';

/** A row as the row-based binary log has it. Values are texts as the client program prints them, in Latin-1. */
export interface RowChange {
  readonly kind: 'row';
  readonly operation: 'insert' | 'update' | 'delete';
  readonly schema: string;
  readonly table: string;
  /** By position of the column, from 1. Of an update and a delete the row before, of an insert the row after. */
  readonly values: ReadonlyMap<number, string>;
  /** `YYMMDD hh:mm:ss` in UTC and the position in its file where the event ends: enough to find it again. */
  readonly where: string;
}

/** A statement that the log has as text. */
export interface LoggedStatement {
  readonly kind: 'statement';
  readonly text: string;
  readonly database: string;
  readonly where: string;
}

/** What follows belongs to another transaction, or to none. */
export interface GroupEnd {
  readonly kind: 'end';
}

export type LogEntry = RowChange | LoggedStatement | GroupEnd;

/** How to call the server's own program that prints binary logs. */
export interface LogSource {
  /** `mariadb-binlog` or `mysqlbinlog` of the server's own engine, and what must stand before other arguments. */
  readonly program: readonly [string, ...string[]];
  /** Files on this machine, or names of logs when read from the server. In order. */
  readonly logs: readonly string[];
  /** Arguments that say how to reach the server; undefined when `logs` are files of this machine. */
  readonly remote?: readonly string[];
  /** Given to the program in its environment, never among the arguments that everybody can see. */
  readonly password?: Buffer;
  /** UTC, `YYYY-MM-DD hh:mm:ss`: events from then on. */
  readonly since?: string;
}

const MAXIMUM_STATEMENT = 4_096;

/** The program's output, line by line, as Latin-1: every byte is one character and none is lost. */
export async function* logLines(source: LogSource): AsyncGenerator<string> {
  const [command, ...first] = source.program;
  const child = spawn(
    command,
    [
      ...first,
      '--no-defaults',
      '--base64-output=DECODE-ROWS',
      '--verbose',
      ...(source.remote === undefined ? [] : ['--read-from-remote-server', ...source.remote]),
      ...(source.since === undefined ? [] : [`--start-datetime=${source.since}`]),
      ...source.logs,
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        TZ: 'UTC',
        ...(source.password === undefined ? {} : { MYSQL_PWD: source.password.toString('utf8') }),
      },
    },
  );
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  const ended = new Promise<number | Error>((resolve) => {
    child.once('error', resolve);
    child.once('close', (code) => resolve(code ?? -1));
  });
  let rest = '';
  try {
    for await (const chunk of child.stdout.setEncoding('latin1')) {
      const lines = `${rest}${String(chunk)}`.split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
    if (rest !== '') yield rest;
    const end = await ended;
    if (end !== 0) {
      const said = end instanceof Error ? end.message : errors.trim();
      throw new ChartgateError(
        'database-unavailable',
        `The binary log could not be read by ${command}: ${said}. Give the program of the server's own engine ` +
          '(mariadb-binlog or mysqlbinlog); reading from a server takes the privilege REPLICATION SLAVE.',
      );
    }
  } finally {
    if (child.exitCode === null) child.kill();
  }
}

const HEADS = [
  ['### INSERT INTO ', 'insert'],
  ['### UPDATE ', 'update'],
  ['### DELETE FROM ', 'delete'],
] as const;
/** Events at which a transaction begins or ends. */
const BOUNDARIES: ReadonlySet<string> = new Set(['GTID', 'Gtid', 'Anonymous_GTID', 'Anonymous_Gtid', 'Xid']);
const NAME = /^`((?:[^`]|``)*)`\.`((?:[^`]|``)*)`$/s;
const HEADER = /^#(\d{6}\s+\d{1,2}:\d\d:\d\d) server id \d+\s+end_log_pos (\d+).*?\t(\w+)/;

/** `YYMMDD h:mm:ss` as `YYYY-MM-DD hh:mm:ss`. */
function moment(logged: string): string {
  const [day = '', time = ''] = logged.split(/\s+/);
  return `20${day.slice(0, 2)}-${day.slice(2, 4)}-${day.slice(4, 6)} ${time.padStart(8, '0')}`;
}

/**
 * When a log was begun: UTC, `YYYY-MM-DD hh:mm:ss`, by the server's clock. A session may choose the time of its
 * own events, and not that of the head.
 */
export async function beginningOf(lines: AsyncIterable<string>): Promise<string | undefined> {
  for await (const line of lines) {
    const at = HEADER.exec(line)?.[1];
    // Heads that the server makes up for whoever asks it have no time.
    if (at !== undefined && !at.startsWith('700101')) return moment(at);
  }
  return undefined;
}

function utf8(latin1: string): string {
  return Buffer.from(latin1.replaceAll('``', '`'), 'latin1').toString('utf8');
}

/**
 * Makes rows and statements of the lines.
 * @param wanted the columns whose values the caller needs, by schema and table; undefined for none
 */
export async function* logEntries(
  lines: AsyncIterable<string>,
  wanted: (schema: string, table: string) => ReadonlySet<number> | undefined,
): AsyncGenerator<LogEntry> {
  let where = '';
  let database = '';
  let query: string[] | undefined;
  /** A table's name may hold line breaks. */
  let name: { readonly operation: RowChange['operation']; text: string } | undefined;
  let row: { entry: RowChange; values: Map<number, string> } | undefined;
  let columns: ReadonlySet<number> | undefined;
  let section: 'WHERE' | 'SET' | undefined;
  const open = (): void => {
    const parts = name === undefined ? null : NAME.exec(name.text);
    if (name === undefined || parts === null) return;
    const schema = utf8(parts[1] ?? '');
    const table = utf8(parts[2] ?? '');
    const values = new Map<number, string>();
    row = { entry: { kind: 'row', operation: name.operation, schema, table, values, where }, values };
    columns = wanted(schema, table);
    name = undefined;
  };
  for await (const line of lines) {
    if (name !== undefined) {
      name.text += `\n${line}`;
      open();
      continue;
    }
    if (line.startsWith('###')) {
      if (line.startsWith('###   @')) {
        // Of an update only the row before: it says which row it was.
        if (row === undefined || columns === undefined) continue;
        if (row.entry.operation === 'update' && section === 'SET') continue;
        const equals = line.indexOf('=');
        const number = Number(line.slice(7, equals));
        if (columns.has(number)) row.values.set(number, line.slice(equals + 1));
      } else if (line === '### WHERE' || line === '### SET') {
        section = line === '### SET' ? 'SET' : 'WHERE';
      } else {
        if (row !== undefined) yield row.entry;
        row = undefined;
        const head = HEADS.find(([text]) => line.startsWith(text));
        if (head === undefined) continue;
        name = { operation: head[1], text: line.slice(head[0].length) };
        open();
      }
      continue;
    }
    if (row !== undefined) {
      yield row.entry;
      row = undefined;
    }
    if (query !== undefined) {
      const text: string[] = query;
      if (line === '/*!*/;') {
        query = undefined;
        const statement = text.join('\n').slice(0, MAXIMUM_STATEMENT);
        if (!/^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|XA)\b/i.test(statement)) {
          yield { kind: 'statement', text: utf8(statement), database, where };
        }
      } else if (/^use `(.*)`\/\*!\*\/;$/.test(line)) {
        database = utf8(/^use `(.*)`/.exec(line)?.[1] ?? '');
      } else if (text.length > 0 || !/^(SET |\/\*!)/.test(line)) text.push(line);
      if (!line.startsWith('#')) continue;
    }
    const header = HEADER.exec(line);
    if (header === null) continue;
    if (BOUNDARIES.has(header[3] ?? '')) yield { kind: 'end' };
    where = `${header[1]?.replace(/\s+/, ' ')} position ${header[2]}`;
    query = header[3] === 'Query' ? [] : undefined;
  }
  if (row !== undefined) yield row.entry;
  yield { kind: 'end' };
}
