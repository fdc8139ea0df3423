import { ChartgateError } from '../contracts/errors.ts';
import { type Account, accountSql, ident, printable } from './names.ts';

export type Engine = 'mariadb' | 'mysql';

/** What is known of a server before anything is written for it. */
export interface ServerDescription {
  readonly engine: Engine;
  /** As the server says it. */
  readonly version: string;
  readonly major: number;
  readonly minor: number;
  /** MySQL's `partial_revokes`: `_` and `%` in the schema part of GRANT are then plain characters. */
  readonly partialRevokes: boolean;
}

/** Where the two engines want different SQL. Everything else is written once. */
export interface Dialect {
  readonly engine: Engine;
  /** Options of CREATE USER for an account that nobody can log in as, even if it were unlocked. */
  readonly unusableAuthentication: string;
  /** Statements that put a trigger in place, replacing its namesake, without a gap where the engine can. */
  replaceTrigger(parts: {
    readonly schema: string;
    readonly table: string;
    readonly name: string;
    /** From `TRIGGER` on. */
    readonly rest: string;
    readonly definer: Account;
  }): readonly string[];
  /** Statements that replace a procedure. */
  replaceProcedure(parts: {
    readonly schema: string;
    readonly name: string;
    readonly definer: Account;
    readonly rest: string;
  }): readonly string[];
  /** The schema part of a schema-level GRANT, where `_` and `%` are wildcards. */
  grantSchema(schema: string): string;
  /**
   * True in a session in which a foreign key's cascade fires the children's triggers; undefined where none
   * can. Asked row by row, because any user may change it for his session (MySQL 9.7).
   */
  readonly cascadesFireTriggers: string | undefined;
  /** True where the server can do cascades itself, above InnoDB (MySQL 9.6 and later, `innodb_native_foreign_keys`). */
  readonly cascadesAboveInnodb: boolean;
  /** The data type of columns that JSON_OBJECT could take for JSON, and nest instead of quoting. */
  readonly jsonColumnType: string;
}

/** MySQL's own marker of an account without a usable password (as in `mysql.sys`): no password has this hash. */
const NO_PASSWORD_SHA2 = '$A$005$THISISACOMBINATIONOFINVALIDSALTANDPASSWORDTHATMUSTNEVERBRBEUSED';
const NO_PASSWORD_NATIVE = '*THISISNOTAVALIDPASSWORDTHATCANBEUSEDHERE';

/** What the column `Db` of the server's own table of grants holds. */
const MAXIMUM_PATTERN = 64;

function escapePattern(schema: string): string {
  const pattern = schema.replace(/[_%]/g, (c) => `\\${c}`);
  if ([...pattern].length > MAXIMUM_PATTERN) {
    throw new ChartgateError(
      'usage',
      `Nothing can be granted on the schema ${printable(schema)}: in a grant each _ and % of its name takes a backslash, ` +
        `which makes ${[...pattern].length} characters, and the server takes ${MAXIMUM_PATTERN}. A name with fewer of them is needed; that of the audit is given with --audit-schema.`,
    );
  }
  return pattern;
}

function mariadb(): Dialect {
  return {
    engine: 'mariadb',
    unusableAuthentication: "IDENTIFIED VIA mysql_native_password USING 'invalid'",
    replaceTrigger: ({ schema, name, rest, definer }) => [
      `CREATE OR REPLACE DEFINER = ${accountSql(definer)}\nTRIGGER ${ident(schema)}.${ident(name)}\n${rest}`,
    ],
    replaceProcedure: ({ schema, name, rest, definer }) => [
      `CREATE OR REPLACE DEFINER = ${accountSql(definer)}\nPROCEDURE ${ident(schema)}.${ident(name)}${rest}`,
    ],
    grantSchema: (schema) => ident(escapePattern(schema)),
    // MariaDB's JSON is a LONGTEXT with a check, and `information_schema` does not tell them apart.
    cascadesFireTriggers: undefined,
    cascadesAboveInnodb: false,
    jsonColumnType: 'longtext',
  };
}

function mysql(server: ServerDescription): Dialect {
  return {
    engine: 'mysql',
    unusableAuthentication:
      server.major >= 8
        ? `IDENTIFIED WITH caching_sha2_password AS '${NO_PASSWORD_SHA2}'`
        : `IDENTIFIED WITH mysql_native_password AS '${NO_PASSWORD_NATIVE}'`,
    // No OR REPLACE here: the write lock keeps everybody out between the two statements.
    replaceTrigger: ({ schema, table, name, rest, definer }) => [
      `LOCK TABLES ${ident(schema)}.${ident(table)} WRITE`,
      `DROP TRIGGER IF EXISTS ${ident(schema)}.${ident(name)}`,
      `CREATE DEFINER = ${accountSql(definer)}\nTRIGGER ${ident(schema)}.${ident(name)}\n${rest}`,
      'UNLOCK TABLES',
    ],
    replaceProcedure: ({ schema, name, rest, definer }) => [
      `DROP PROCEDURE IF EXISTS ${ident(schema)}.${ident(name)}`,
      `CREATE DEFINER = ${accountSql(definer)}\nPROCEDURE ${ident(schema)}.${ident(name)}${rest}`,
    ],
    grantSchema: (schema) => ident(server.partialRevokes ? schema : escapePattern(schema)),
    // From 9.6 on the SQL layer does cascades, and from 9.7 on it can fire triggers; InnoDB's own never do.
    cascadesFireTriggers:
      server.major > 9 || (server.major === 9 && server.minor >= 7)
        ? '(@@SESSION.enable_cascade_triggers = 1 AND @@GLOBAL.innodb_native_foreign_keys = 0)'
        : undefined,
    cascadesAboveInnodb: server.major > 9 || (server.major === 9 && server.minor >= 6),
    jsonColumnType: 'json',
  };
}

/**
 * How the checker sees the texts of the guard procedures without asking them: through a view, or, where there
 * is a privilege that shows routines and allows nothing else, SHOW_ROUTINE.
 */
export function textsByView({ engine, major }: Pick<ServerDescription, 'engine' | 'major'>): boolean {
  return engine === 'mariadb' || major < 8;
}

export function dialectOf(server: ServerDescription): Dialect {
  return server.engine === 'mariadb' ? mariadb() : mysql(server);
}
