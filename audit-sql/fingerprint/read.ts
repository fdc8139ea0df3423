import { createHash } from 'node:crypto';
import type { Connection } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import { printable, qualified, SNAPSHOT_PROCEDURE } from '../names.ts';
import { canonicalJson } from './canonical.ts';
import { integer, optional, type Row, resultSets, rows, text } from './cells.ts';
import { readGuards } from './guards.ts';
import { dangerousPrivileges } from './privileges.ts';
import { GUARD_FORMAT, RESULT_SETS, type ResultSet, TRIGGER_COLUMNS } from './result-sets.ts';
import { readTexts, type Shown, type Texts } from './texts.ts';
import type { HistoryFact, InstatementFact, Snapshot, SnapshotNames } from './types.ts';

function unusable(message: string): ChartgateError {
  return new ChartgateError('privilege-missing', message);
}

interface Answer {
  readonly sets: Readonly<Record<ResultSet, readonly Row[]>>;
  /** What follows the result sets when texts were asked for. */
  readonly rest: readonly (readonly Row[])[];
}

async function callSnapshot(
  connection: Connection,
  names: SnapshotNames,
  withTexts: boolean,
): Promise<Answer> {
  const procedure = qualified(names.auditSchema, SNAPSHOT_PROCEDURE);
  let sets: (readonly Row[])[];
  try {
    sets = await resultSets(connection, `CALL ${procedure}(${withTexts ? 1 : 0})`);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ER_SP_WRONG_NO_OF_ARGS') throw error;
    throw unusable('The guard procedure is of another form; run the guard script again.');
  }
  if (sets.length < RESULT_SETS.length) {
    throw unusable(
      `The guard procedure returned ${sets.length} result sets instead of ${RESULT_SETS.length}; run the guard script again.`,
    );
  }
  const named = {} as Record<ResultSet, readonly Row[]>;
  RESULT_SETS.forEach((name, index) => {
    named[name] = sets[index] ?? [];
  });
  const [format, , emr, audit] = (named.meta[0] ?? []).map(text);
  if (format !== GUARD_FORMAT) {
    throw unusable(
      `The guard procedure is of the form ${printable(format ?? '')}, not ${GUARD_FORMAT}; run the guard script again.`,
    );
  }
  if (emr !== names.emrSchema || audit !== names.auditSchema) {
    throw unusable(
      `The guard procedure speaks about the schemas ${printable(emr ?? '')} and ${printable(audit ?? '')}.`,
    );
  }
  const rest = sets.slice(RESULT_SETS.length);
  if (!withTexts && rest.length > 0)
    throw unusable('The guard procedure returned more than it was asked for.');
  if (withTexts) {
    if (named.triggers.length > 0) throw unusable('The guard procedure listed triggers twice.');
    named.triggers = rest.flatMap(([row]) =>
      row?.length === TRIGGER_COLUMNS.length + 1 ? [row.slice(1)] : [],
    );
  }
  return { sets: named, rest };
}

/** Everything that has a text of its own, with the digest of what the catalogue shows of it. */
function shownIn(sets: Answer['sets'], engine: string): Shown[] {
  const shown = (kind: string, row: Row, digest: number): Shown => ({
    kind,
    schema: text(row[0]),
    name: text(row[1]),
    digest: text(row[digest]),
  });
  return [
    ...sets.triggers.map((row) => shown('TRIGGER', row, 12)),
    ...(engine === 'mysql' ? sets.routines.map((row) => shown(text(row[2]), row, 6)) : []),
    ...(engine === 'mysql' ? sets.events.map((row) => shown('EVENT', row, 6)) : []),
  ];
}

function instatement(row: Row | undefined): InstatementFact | undefined {
  if (row === undefined) return undefined;
  return { id: integer(row[0]), action: text(row[2]), schemaDigest: text(row[7]), generator: text(row[8]) };
}

function history(row: Row): HistoryFact {
  return {
    id: integer(row[0]),
    digest: createHash('sha256')
      .update(canonicalJson(row.map(text)))
      .digest('hex'),
  };
}

/** What a server says at one moment. */
export interface State {
  readonly snapshot: Snapshot;
  /**
   * Statements under way, of others, that are not plainly work on rows. While a definition is being changed,
   * the snapshot may still show the old one.
   */
  readonly pending: number;
  readonly texts: Texts;
}

/** The snapshot of `readState`. */
export async function readSnapshot(connection: Connection, names: SnapshotNames): Promise<Snapshot> {
  return (await readState(connection, names)).snapshot;
}

/**
 * Everything the audit depends on, as the server says it now. Works with the checker's user: it calls the
 * guard procedures, and looks at their own texts by another way.
 *
 * An answer that shows nothing is still an answer; only `compareSnapshot` says whether it is the right one.
 *
 * @param known texts read earlier, on the same server, since when no statement that defines anything began:
 *   used again if the catalogue shows all as it did then. Reading them is most of the work.
 * @throws ChartgateError `privilege-missing` when the guard procedure is of another form or speaks of
 *   other schemas; the driver's error when the call itself fails
 */
export async function readState(connection: Connection, names: SnapshotNames, known?: Texts): Promise<State> {
  const [version] = (await rows(connection, 'SELECT VERSION()')) as Row[];
  const engine = /mariadb/i.test(text(version?.[0])) ? 'mariadb' : 'mysql';
  const byView = engine === 'mariadb' || Number.parseInt(text(version?.[0]), 10) < 8;
  const guards = await readGuards(connection, names.auditSchema, byView);
  const { sets, texts } = await read(connection, names, engine, known);
  const snapshot = snapshotOf(names, engine, sets, guards, texts);
  return { snapshot, pending: integer(sets.meta[0]?.[4]), texts };
}

async function read(
  connection: Connection,
  names: SnapshotNames,
  engine: string,
  known: Texts | undefined,
): Promise<{ readonly sets: Answer['sets']; readonly texts: Texts }> {
  if (known !== undefined) {
    const { sets } = await callSnapshot(connection, names, false);
    if (known.isOf(shownIn(sets, engine))) return { sets, texts: known };
  }
  const { sets, rest } = await callSnapshot(connection, names, true);
  return { sets, texts: readTexts(rest, shownIn(sets, engine)) };
}

function snapshotOf(
  names: SnapshotNames,
  engine: string,
  sets: Answer['sets'],
  guards: Snapshot['guards'],
  texts: Texts,
): Snapshot {
  // MariaDB keeps the texts of routines and events as they were written where the guard can read them.
  const body = (kind: string, row: Row, shown: number): string =>
    engine === 'mariadb' ? text(row[shown]) : texts.digest(kind, text(row[0]), text(row[1]));
  const last = sets.instatements.at(-1);
  return {
    engine,
    emrSchema: names.emrSchema,
    auditSchema: names.auditSchema,
    triggers: sets.triggers.map((row) => ({
      schema: text(row[0]),
      name: text(row[1]),
      tableSchema: text(row[2]),
      table: text(row[3]),
      timing: text(row[4]),
      event: text(row[5]),
      order: integer(row[6]),
      definer: text(row[7]),
      sqlMode: text(row[8]),
      characterSetClient: text(row[9]),
      collationConnection: text(row[10]),
      databaseCollation: text(row[11]),
      body: texts.digest('TRIGGER', text(row[0]), text(row[1])),
    })),
    tables: sets.tables.map((row) => ({
      schema: text(row[0]),
      name: text(row[1]),
      type: text(row[2]),
      engine: text(row[3]),
      options: text(row[4]),
      definition:
        text(row[0]) === names.auditSchema ? texts.digest('TABLE', names.auditSchema, text(row[1])) : '',
    })),
    columns: sets.columns.map((row) => ({
      schema: text(row[0]),
      table: text(row[1]),
      name: text(row[2]),
      position: integer(row[3]),
      type: text(row[4]),
      nullable: text(row[5]),
      key: text(row[6]),
      collation: text(row[7]),
      extra: text(row[8]),
      default: optional(row[9]),
      generation: text(row[10]),
    })),
    views: sets.views.map((row) => ({
      schema: text(row[0]),
      name: text(row[1]),
      definer: text(row[2]),
      security: text(row[3]),
      checkOption: text(row[4]),
      characterSetClient: text(row[5]),
      collationConnection: text(row[6]),
      body: text(row[7]),
    })),
    foreignKeys: sets.foreignKeys.map((row) => ({
      schema: text(row[0]),
      table: text(row[1]),
      name: text(row[2]),
      position: integer(row[3]),
      column: text(row[4]),
      referencedSchema: text(row[5]),
      referencedTable: text(row[6]),
      referencedColumn: text(row[7]),
      onUpdate: text(row[8]),
      onDelete: text(row[9]),
    })),
    routines: sets.routines.map((row) => ({
      schema: text(row[0]),
      name: text(row[1]),
      type: text(row[2]),
      definer: text(row[3]),
      security: text(row[4]),
      sqlMode: text(row[5]),
      body: body(text(row[2]), row, 6),
    })),
    events: sets.events.map((row) => ({
      schema: text(row[0]),
      name: text(row[1]),
      definer: text(row[2]),
      status: text(row[3]),
      sqlMode: text(row[4]),
      schedule: text(row[5]),
      body: body('EVENT', row, 6),
    })),
    guards,
    accounts: sets.accounts.map((row) => ({
      user: text(row[0]),
      host: text(row[1]),
      locked: text(row[2]) === '1',
      plugin: text(row[3]),
      authentication: text(row[4]),
    })),
    privileges: dangerousPrivileges(
      sets.grants.map((row) => ({
        scope: text(row[0]),
        user: text(row[1]),
        host: text(row[2]),
        touches: text(row[3])
          .split(',')
          .filter((part) => part !== ''),
        object: [text(row[4]), text(row[5]), text(row[6])],
        privileges: text(row[7]),
      })),
      sets.roles.map((row) => ({
        user: text(row[0]),
        host: text(row[1]),
        role: text(row[2]),
        roleHost: text(row[3]),
      })),
    ),
    settings: sets.settings.map((row) => ({ name: text(row[0]).toLowerCase(), value: text(row[1]) })),
    extensions: sets.extensions.map((row) => ({
      kind: text(row[0]),
      name: text(row[1]),
      library: text(row[2]),
    })),
    history: sets.instatements.map(history),
    instatement: instatement(last),
  };
}
