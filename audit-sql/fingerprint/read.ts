import type { Connection } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import { literal, printable, qualified, SNAPSHOT_PROCEDURE } from '../names.ts';
import { type Originals, readOriginals } from './originals.ts';
import { dangerousPrivileges } from './privileges.ts';
import { GUARD_FORMAT, RESULT_SETS, type ResultSet } from './result-sets.ts';
import type { GuardFact, InstatementFact, Snapshot, SnapshotNames } from './types.ts';

type Cell = string | number | bigint | Buffer | Date | null | undefined;
type Row = readonly Cell[];

function text(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  if (Buffer.isBuffer(cell)) return cell.toString('utf8');
  if (cell instanceof Date) return cell.toISOString();
  return String(cell);
}

function integer(cell: Cell): number {
  return Number(text(cell));
}

function optional(cell: Cell): string | null {
  return cell === null || cell === undefined ? null : text(cell);
}

function unusable(message: string): ChartgateError {
  return new ChartgateError('privilege-missing', message);
}

/** Rows are told apart by position: names of columns are a server's to choose. */
async function rows(connection: Connection, sql: string): Promise<unknown[]> {
  const [result] = await connection.query({ sql, rowsAsArray: true });
  return result as unknown as unknown[];
}

async function callSnapshot(
  connection: Connection,
  names: SnapshotNames,
): Promise<{ readonly sets: Record<ResultSet, readonly Row[]>; readonly originals: Originals }> {
  const answer = await rows(connection, `CALL ${qualified(names.auditSchema, SNAPSHOT_PROCEDURE)}()`);
  const sets = answer.filter((part): part is Row[] => Array.isArray(part));
  if (sets.length < RESULT_SETS.length) {
    throw unusable(
      `The guard procedure returned ${sets.length} result sets instead of ${RESULT_SETS.length}.`,
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
  return { sets: named, originals: readOriginals(sets.slice(RESULT_SETS.length)) };
}

/**
 * The guard procedures as this user sees them in the catalogue: without their text, which takes rights over
 * every routine of the server. A replaced procedure shows by the time at which it was made, unless whoever
 * made it, an account with CREATE ROUTINE here and the right to name any definer, also set the session's
 * `timestamp` to the old time.
 */
async function readGuards(connection: Connection, names: SnapshotNames): Promise<GuardFact[]> {
  const found = (await rows(
    connection,
    `SELECT ROUTINE_NAME, DEFINER, SECURITY_TYPE, SQL_MODE, UNIX_TIMESTAMP(CREATED), UNIX_TIMESTAMP(LAST_ALTERED)
       FROM information_schema.ROUTINES
      WHERE ROUTINE_SCHEMA = ${literal(names.auditSchema)} AND ROUTINE_TYPE = 'PROCEDURE'`,
  )) as Row[];
  return found.map((row) => ({
    name: text(row[0]),
    definer: text(row[1]),
    security: text(row[2]),
    sqlMode: text(row[3]),
    created: text(row[4]),
    altered: text(row[5]),
  }));
}

function instatement(row: Row | undefined): InstatementFact | undefined {
  if (row === undefined) return undefined;
  return { id: integer(row[0]), action: text(row[1]), schemaDigest: text(row[2]), generator: text(row[3]) };
}

/**
 * Everything the audit depends on, as the server says it now. Works with the checker's user: it calls
 * the guard procedure and looks at that procedure's own entry in the catalogue.
 *
 * An answer that shows nothing is still an answer; only `compareSnapshot` says whether it is the right one.
 *
 * @throws ChartgateError `privilege-missing` when the guard procedure is of another form or speaks of
 *   other schemas; the driver's error when the call itself fails
 */
export async function readSnapshot(connection: Connection, names: SnapshotNames): Promise<Snapshot> {
  const guards = await readGuards(connection, names);
  const { sets, originals } = await callSnapshot(connection, names);
  const engine = /mariadb/i.test(text(sets.meta[0]?.[1])) ? 'mariadb' : 'mysql';
  // MariaDB shows bodies as they were written, but for the character sets in front of literals.
  const body = (kind: string, schema: Cell, name: Cell, shown: Cell): string =>
    engine === 'mariadb' ? text(shown) : originals.digest(kind, text(schema), text(name));
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
      body: body('TRIGGER', row[0], row[1], row[12]),
    })),
    tables: sets.tables.map((row) => ({
      schema: text(row[0]),
      name: text(row[1]),
      type: text(row[2]),
      engine: text(row[3]),
      options: text(row[4]),
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
      body: body(text(row[2]), row[0], row[1], row[6]),
    })),
    events: sets.events.map((row) => ({
      schema: text(row[0]),
      name: text(row[1]),
      definer: text(row[2]),
      status: text(row[3]),
      sqlMode: text(row[4]),
      schedule: text(row[5]),
      body: body('EVENT', row[0], row[1], row[6]),
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
    instatement: instatement(sets.instatement[0]),
  };
}
