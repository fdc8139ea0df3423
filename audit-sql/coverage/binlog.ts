import type { Connection, RowDataPacket } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import { dialectOf, type Engine } from '../dialect.ts';
import type { SchemaModel } from '../model.ts';
import {
  AUDIT_ROW_TABLE,
  type AuditNames,
  DIRECT_ROW_TABLE,
  INSTATEMENT_TABLE,
  ident,
  TRIGGER_PREFIX,
} from '../names.ts';
import { provenanceStatements } from '../writers/audit-tables.ts';
import { TRIGGER_KINDS, triggerName } from '../writers/triggers.ts';
import { auditText, unquote } from './binlog-keys.ts';
import { type AuditEntry, type BinlogTable, type Matched, Matcher } from './binlog-match.ts';
import { type LogEntry, type LogSource, logEntries, logLines, type RowChange } from './binlog-text.ts';

export { BEYOND_REASONS, type BeyondReason, type BinlogTable } from './binlog-match.ts';
export type { LogSource } from './binlog-text.ts';

/** What `coverage --binlog` adds to the certificate; plain data. */
export interface BinlogCoverage {
  readonly format: 'chartgate-binlog-coverage/1';
  /** Row changes of audited tables while auditing was on. */
  readonly rowChanges: number;
  readonly audited: number;
  /** `audited / rowChanges`; 1 when there were none. Never rounded. */
  readonly ratio: number;
  /** True when every row change has its audit row. */
  readonly complete: boolean;
  readonly auditRows: number;
  readonly tables: readonly BinlogTable[];
  /** Row changes without an audit row, by table and kind. */
  readonly missing: Matched['missing'];
  /** Audit rows without a row change, and why. */
  readonly beyond: Matched['beyond'];
  /** Row changes that came while auditing was stopped, by the instatement log's own entries in the log. */
  readonly whileStopped: number;
  /** Row changes of what has no triggers: sequences, tables that are gone now. */
  readonly otherObjects: readonly { readonly object: string; readonly rows: number }[];
  /** Statements that the log has as text and that may have changed rows without any trigger: TRUNCATE, DROP… */
  readonly statements: readonly { readonly verb: string; readonly times: number; readonly where: string }[];
}

/** Positions of the audit tables' columns, from 1. */
interface AuditLayout {
  readonly table: number;
  readonly operation: number;
  readonly key: number;
  readonly old: number;
  readonly new: number;
  readonly changes: number;
  readonly action: number;
  /** Names of the operations by the number the log has. */
  readonly operations: readonly string[];
}

async function readLayout(connection: Connection, names: AuditNames): Promise<AuditLayout> {
  const [rows] = await connection.query<
    (RowDataPacket & { t: string; c: string; n: number; type: string })[]
  >(
    `SELECT TABLE_NAME AS t, COLUMN_NAME AS c, ORDINAL_POSITION AS n, COLUMN_TYPE AS type
       FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ?`,
    [names.auditSchema],
  );
  const position = (table: string, column: string): number => {
    const found = rows.find(({ t, c }) => t === table && c === column);
    if (found === undefined) {
      throw new ChartgateError(
        'usage',
        `The audit schema has no column ${table}.${column}; run start first, as this SQL user or one who may see it.`,
      );
    }
    return Number(found.n);
  };
  const of = (column: string): number => position(AUDIT_ROW_TABLE, column);
  const type = rows.find(({ t, c }) => t === AUDIT_ROW_TABLE && c === 'operation')?.type ?? '';
  return {
    table: of('emr_table'),
    operation: of('operation'),
    key: of('row_key'),
    old: of('old_values'),
    new: of('new_values'),
    changes: of('changes'),
    action: position(INSTATEMENT_TABLE, 'action'),
    operations: ['', ...[...type.matchAll(/'([^']*)'/g)].map((m) => m[1] ?? '')],
  };
}

const OPERATIONS: Readonly<Record<string, RowChange['operation']>> = {
  insert: 'insert',
  update: 'update',
  delete: 'delete',
  'cascade-update': 'update',
  'cascade-delete': 'delete',
};

function auditEntry(
  row: RowChange,
  layout: AuditLayout,
  matcher: Matcher,
  engine: Engine,
): AuditEntry | undefined {
  const text = (position: number): string | undefined => auditText(row.values.get(position), engine);
  const table = Buffer.from(unquote(row.values.get(layout.table) ?? '', engine), 'latin1').toString('utf8');
  const operation = layout.operations[Number(row.values.get(layout.operation))] ?? '';
  const kind = OPERATIONS[operation];
  if (kind === undefined) return undefined;
  const key = text(layout.key);
  const same =
    operation === 'update' &&
    (key === undefined ? text(layout.old) === text(layout.new) : text(layout.changes) === '{}');
  return {
    table,
    operation: kind,
    key: key === undefined ? undefined : matcher.reader(table)?.fromAudit(key),
    otherwise: operation.startsWith('cascade-') ? 'cascade' : same ? 'nothing-changed' : 'unexplained',
  };
}

/** Statements that change or remove rows without firing a trigger, or that replaced the triggers themselves. */
const TELLING =
  /^\s*(?:\/\*.*?\*\/\s*)*(truncate|drop\s+table|drop\s+trigger|drop\s+database|drop\s+schema|rename\s+table|alter\s+table|insert|update|delete|replace|load\s+data)\b/is;

const NAMED = '(?:`(?:[^`]|``)*`|[\\w$]+)';
const OWN_TRIGGER = new RegExp(
  `^\\s*(?:/\\*.*?\\*/\\s*)*(DROP|CREATE)\\b[^(]*?\\bTRIGGER\\s+(?:IF\\s+EXISTS\\s+)?(?:(${NAMED})\\.)?(\`?${TRIGGER_PREFIX}\\w+)`,
  'is',
);

const ownName = (schema: string, trigger: string): string => JSON.stringify([schema, trigger]);

/** What a statement does to a trigger of ours; undefined for any other statement. */
function ownTrigger(
  text: string,
  names: AuditNames,
): { readonly verb: 'DROP' | 'CREATE'; readonly name: string } | undefined {
  const [, verb = '', schema = '', name = ''] = OWN_TRIGGER.exec(text) ?? [];
  const place = [names.emrSchema, names.auditSchema].find((one) => [one, ident(one), ''].includes(schema));
  if (name === '' || place === undefined) return undefined;
  return {
    verb: verb.toUpperCase() === 'DROP' ? 'DROP' : 'CREATE',
    name: ownName(place, name.replace('`', '')),
  };
}

/**
 * Matches every row change in a row-based binary log with its audit row, which the same log has. Both
 * stand close together, so memory does not grow with the log.
 *
 * What it cannot see: sessions with `sql_log_bin = 0`, and columns added or moved since (then keys are
 * read from the wrong place, and rows show as missing, never as audited). Reads only.
 * @param options.auditing whether auditing was on where the log begins; entries of the instatement log
 *   switch it from there
 * @throws ChartgateError `database-unavailable` when the program is missing or fails
 */
export async function binlogCoverage(
  connection: Connection,
  options: {
    readonly names: AuditNames;
    readonly engine: Engine;
    readonly model: SchemaModel;
    readonly source: LogSource;
    readonly auditing: boolean;
  },
): Promise<BinlogCoverage> {
  const { names, engine, model } = options;
  const layout = await readLayout(connection, names);
  const matcher = new Matcher(model.tables, engine);
  const audited = new Set(model.tables.map(({ name }) => name));
  const auditColumns = new Set([
    layout.table,
    layout.operation,
    layout.key,
    layout.old,
    layout.new,
    layout.changes,
  ]);
  const wanted = (schema: string, table: string): ReadonlySet<number> | undefined => {
    if (schema === names.emrSchema) return matcher.columns(table);
    if (schema !== names.auditSchema) return undefined;
    return table === INSTATEMENT_TABLE ? new Set([layout.action]) : auditColumns;
  };
  let on = options.auditing;
  /** Triggers of ours that were dropped, and those of them that were made again before a row was changed. */
  const dropped = new Map<string, { readonly where: string; missed: boolean; again: boolean }>();
  const tableOf = new Map(
    model.tables.flatMap(({ name }) =>
      TRIGGER_KINDS.map((kind) => [ownName(names.emrSchema, triggerName(name, kind)), name] as const),
    ),
  );
  // `start` says each time who fills in who and when; it changes no row. Any other ALTER of these tables is told.
  const dialect = dialectOf({ engine, version: '', major: 0, minor: 0, partialRevokes: false });
  const setsDefaults = new Set(provenanceStatements(names, dialect).map(({ sql }) => sql.trim()));
  let whileStopped = 0;
  const others = new Map<string, number>();
  const statements = new Map<string, { verb: string; times: number; where: string }>();
  const tell = (verb: string, where: string): void => {
    const known = statements.get(verb) ?? { verb, times: 0, where };
    known.times += 1;
    statements.set(verb, known);
  };
  const look = (entry: LogEntry): void => {
    if (entry.kind === 'end') matcher.settle();
    else if (entry.kind === 'statement') {
      if (!on) return;
      const own = ownTrigger(entry.text, names);
      if (own !== undefined) {
        // Only `start` makes them again, and it says so at its end.
        const before = dropped.get(own.name);
        // `start` also drops what is not there; since when it has been missing is what counts.
        if (own.verb === 'CREATE' && before !== undefined) before.again = !before.missed;
        if (own.verb === 'DROP' && before?.again !== false) {
          dropped.set(own.name, { where: entry.where, missed: false, again: false });
        }
        return;
      }
      if (setsDefaults.has(entry.text.trim())) return;
      const verb = TELLING.exec(entry.text)?.[1]?.replace(/\s+/g, ' ').toUpperCase();
      if (verb === undefined) return;
      if (entry.database !== names.emrSchema && !entry.text.includes(names.emrSchema)) return;
      tell(verb, entry.where);
    } else if (entry.schema === names.auditSchema) {
      if (entry.table === INSTATEMENT_TABLE) {
        on = entry.values.get(layout.action) === '1';
        for (const [name, { again }] of dropped) if (on && again) dropped.delete(name);
      } else if (
        entry.operation === 'insert' &&
        [AUDIT_ROW_TABLE, DIRECT_ROW_TABLE].includes(entry.table) &&
        on
      ) {
        const audit = auditEntry(entry, layout, matcher, engine);
        if (audit !== undefined && audited.has(audit.table)) matcher.audit(audit);
      }
    } else if (entry.schema === names.emrSchema) {
      for (const [name, before] of dropped)
        before.missed ||= !before.again && tableOf.get(name) === entry.table;
      if (!on) whileStopped += 1;
      else if (audited.has(entry.table)) matcher.change(entry);
      else others.set(entry.table, (others.get(entry.table) ?? 0) + 1);
    }
  };
  for await (const entry of logEntries(logLines(options.source), wanted)) look(entry);
  for (const { where } of dropped.values()) tell('DROP TRIGGER', where);
  const result = matcher.result();
  return {
    format: 'chartgate-binlog-coverage/1',
    ...result,
    ratio: result.rowChanges === 0 ? 1 : result.audited / result.rowChanges,
    complete: result.missing.length === 0,
    auditRows: matcher.auditRows,
    whileStopped,
    otherObjects: [...others].map(([object, rows]) => ({ object, rows })),
    statements: [...statements.values()],
  };
}
