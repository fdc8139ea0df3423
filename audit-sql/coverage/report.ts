import type { Connection, RowDataPacket } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import { dialectOf, type ServerDescription } from '../dialect.ts';
import { readSnapshot } from '../fingerprint/read.ts';
import type { Snapshot } from '../fingerprint/types.ts';
import { type SchemaModel, schemaDigest } from '../model.ts';
import { type AuditNames, INSTATEMENT_TABLE, printable, qualified, TRIGGER_PREFIX } from '../names.ts';
import { readPrivileges } from '../privileges/index.ts';
import { GENERATOR } from '../version.ts';
import type { Script } from '../writers/script.ts';
import { MAXIMUM_BINARY_BYTES } from '../writers/triggers.ts';
import { type PowerfulAccount, powerfulAccounts } from './accounts.ts';
import type { BinlogCoverage } from './binlog.ts';
import { type BlindSpot, blindSpots } from './blind-spots.ts';
import { triggerKey, triggersOf } from './definitions.ts';
import { type LiveTrigger, readLiveTriggers } from './live.ts';
import { type CoverageState, countStates, type TableCoverage, tableCoverage } from './tables.ts';

/** The last entry of `audit_instatement_log`: whether auditing is on, since when, by whom. */
export interface LastInstatement {
  readonly action: string;
  /** UTC, `YYYY-MM-DD hh:mm:ss.ffffff`. */
  readonly at: string;
  readonly login: string;
  readonly account: string;
  readonly generator: string;
  readonly schemaDigest: string;
}

/** Why a schema is not covered, apart from its tables. */
export interface CoverageFault {
  readonly code: string;
  readonly sentence: string;
}

/** What the certificate says; `chartgate audit-sql coverage --json` prints it as it is. */
export interface CoverageReport {
  readonly format: 'chartgate-coverage/1';
  readonly takenAt: string;
  readonly takenBy: string;
  readonly server: {
    readonly engine: string;
    readonly version: string;
    readonly host: string;
    readonly port: number;
  };
  readonly emrSchema: string;
  readonly auditSchema: string;
  readonly generator: string;
  readonly schemaDigest: string;
  readonly instatement: LastInstatement | undefined;
  readonly counts: Readonly<Record<CoverageState, number>>;
  readonly triggers: { readonly wanted: number; readonly asWanted: number };
  readonly tables: readonly TableCoverage[];
  readonly faults: readonly CoverageFault[];
  readonly blindSpots: readonly BlindSpot[];
  readonly powerfulAccounts: readonly PowerfulAccount[];
  /** What the binary log says; undefined when it was not asked. */
  readonly binaryLog?: BinlogCoverage;
  /** True only if every table is covered and there is no fault. Blind spots and accounts are for people to judge. */
  readonly covered: boolean;
}

/** The last start or stop; undefined when the log is missing or empty. */
export async function readInstatement(
  connection: Connection,
  names: AuditNames,
): Promise<LastInstatement | undefined> {
  try {
    const [[row]] = await connection.query<(RowDataPacket & LastInstatement)[]>(
      `SELECT action, CAST(at AS CHAR) AS at, login, account, generator, schema_digest AS schemaDigest
         FROM ${qualified(names.auditSchema, INSTATEMENT_TABLE)} ORDER BY id DESC LIMIT 1`,
    );
    return row === undefined ? undefined : { ...row };
  } catch (error) {
    if (['ER_NO_SUCH_TABLE', 'ER_BAD_DB_ERROR'].includes(String((error as { code?: unknown }).code))) {
      return undefined;
    }
    throw error;
  }
}

/** The catalogue through the guard procedure; undefined where that is not there yet. */
export async function snapshotIfThere(
  connection: Connection,
  names: AuditNames,
): Promise<Snapshot | undefined> {
  try {
    return await readSnapshot(connection, names);
  } catch (error) {
    const { code, fatal } = error as { code?: unknown; fatal?: unknown };
    if (fatal === true) throw error;
    const absent = [
      'ER_SP_DOES_NOT_EXIST',
      'ER_BAD_DB_ERROR',
      'ER_PROCACCESS_DENIED_ERROR',
      'privilege-missing',
    ];
    if (absent.includes(String(code))) return undefined;
    throw error;
  }
}

function faultsOf(
  report: Pick<CoverageReport, 'instatement' | 'schemaDigest'>,
  snapshot: Snapshot | undefined,
  store: readonly TableCoverage[],
  names: AuditNames,
): CoverageFault[] {
  const faults: CoverageFault[] = [];
  if (report.instatement === undefined) {
    faults.push({ code: 'not-started', sentence: 'Auditing was never started here.' });
  } else if (report.instatement.action !== 'start') {
    faults.push({
      code: 'stopped',
      sentence: `Auditing was stopped on ${report.instatement.at} by ${report.instatement.login} and not started since.`,
    });
  } else if (report.instatement.schemaDigest !== report.schemaDigest) {
    faults.push({
      code: 'schema-changed',
      sentence: 'The tables are not those for which auditing was started; run start again.',
    });
  }
  for (const table of store.filter(({ state }) => state !== 'covered')) {
    faults.push({
      code: 'not-append-only',
      sentence: `The audit's own table ${table.table} does not refuse updates and deletes as it should; run start again.`,
    });
  }
  if (snapshot === undefined) {
    faults.push({
      code: 'guard-missing',
      sentence:
        'The guard procedure is missing or of another form, so nobody watches the triggers; run guard.',
    });
    return faults;
  }
  for (const account of [names.definer, names.guard]) {
    const found = snapshot.accounts.find(({ user, host }) => user === account.user && host === account.host);
    if (found?.locked === true) continue;
    faults.push({
      code: 'account-unlocked',
      sentence: `The account ${account.user}@${account.host} is missing or not locked; run start and guard again.`,
    });
  }
  return faults;
}

function staleTriggers(
  live: ReadonlyMap<string, LiveTrigger>,
  wanted: ReadonlySet<string>,
): readonly CoverageFault[] {
  return [...live.values()]
    .filter((trigger) => trigger.name.startsWith(TRIGGER_PREFIX) && !wanted.has(triggerKey(trigger)))
    .map((trigger) => ({
      code: 'stale-trigger',
      sentence: `The trigger ${trigger.name} on ${trigger.table} is none of this generator's; run start again.`,
    }));
}

/**
 * Compares what is live with what the generator writes for the schema as it is now. Reads only.
 * @param start the start script for this model and server
 */
export async function readCoverage(
  connection: Connection,
  options: {
    readonly names: AuditNames;
    readonly server: ServerDescription;
    readonly model: SchemaModel;
    readonly start: Script;
    readonly maximumBinaryBytes?: number;
  },
): Promise<CoverageReport> {
  const { names, server, model, start } = options;
  const [[who]] = await connection.query<
    (RowDataPacket & { at: string; account: string; host: string; port: number })[]
  >(
    'SELECT CAST(UTC_TIMESTAMP(6) AS CHAR) AS at, CURRENT_USER() AS account, @@hostname AS host, @@port AS port',
  );
  const wanted = triggersOf(start.statements);
  const live = await readLiveTriggers(connection, [names.emrSchema, names.auditSchema]);
  const snapshot = await snapshotIfThere(connection, names);
  // A user without TRIGGER sees no trigger, and no error: that must not read as "nothing is covered".
  if (live.size === 0 && (snapshot?.triggers.length ?? 0) > 0) {
    throw new ChartgateError(
      'privilege-missing',
      `This SQL user does not see the triggers; it needs TRIGGER on ${printable(names.emrSchema)} and ${printable(names.auditSchema)}.`,
    );
  }
  const instatement = await readInstatement(connection, names);
  const digest = schemaDigest(model);
  const tables = tableCoverage(
    wanted.filter(({ schema }) => schema === names.emrSchema),
    live,
  );
  const store = tableCoverage(
    wanted.filter(({ schema }) => schema === names.auditSchema),
    live,
  );
  const accounts = powerfulAccounts(await readPrivileges(connection, server), names, server.partialRevokes);
  const counts = countStates(tables);
  const wantedTriggers = tables.reduce((sum, { triggers }) => sum + triggers, 0);
  const faults = [
    ...faultsOf({ instatement, schemaDigest: digest }, snapshot, store, names),
    ...staleTriggers(live, new Set(wanted.map(triggerKey))),
  ];
  return {
    format: 'chartgate-coverage/1',
    takenAt: String(who?.at ?? ''),
    takenBy: String(who?.account ?? ''),
    server: {
      engine: server.engine,
      version: server.version,
      host: String(who?.host ?? ''),
      port: Number(who?.port ?? 0),
    },
    emrSchema: names.emrSchema,
    auditSchema: names.auditSchema,
    generator: GENERATOR,
    schemaDigest: digest,
    instatement,
    counts,
    triggers: {
      wanted: wantedTriggers,
      asWanted: wantedTriggers - tables.reduce((sum, { faulty }) => sum + faulty.length, 0),
    },
    tables,
    faults,
    blindSpots: blindSpots(
      model,
      dialectOf(server),
      snapshot,
      accounts,
      options.maximumBinaryBytes ?? MAXIMUM_BINARY_BYTES,
    ),
    powerfulAccounts: accounts,
    covered: counts.half === 0 && counts.uncovered === 0 && counts.covered > 0 && faults.length === 0,
  };
}

/** The report with what the binary log says; a row change there without an audit row is a fault. Pure. */
export function withBinaryLog(report: CoverageReport, binaryLog: BinlogCoverage): CoverageReport {
  const faults = [...report.faults];
  if (!binaryLog.complete) {
    const rows = binaryLog.missing.reduce((sum, missing) => sum + missing.rows, 0);
    faults.push({
      code: 'binary-log-rows',
      sentence: `${rows} row changes in the binary log have no audit row; they are listed below.`,
    });
  }
  const removed = binaryLog.statements.filter(({ verb }) => verb === 'TRUNCATE' || verb.startsWith('DROP'));
  if (removed.length > 0) {
    faults.push({
      code: 'binary-log-statements',
      sentence: `While auditing was on, rows or triggers were removed without a delete: ${removed.map(({ verb, times }) => `${verb} (${times})`).join(', ')}.`,
    });
  }
  return { ...report, faults, binaryLog, covered: report.covered && faults.length === report.faults.length };
}
