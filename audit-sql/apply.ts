import type { Connection } from 'mysql2/promise';
import { ChartgateError } from '../contracts/errors.ts';
import type { Script } from './writers/script.ts';

/** How far `apply` is. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  /** The statement just done, in a few words. */
  readonly label: string;
}

const MISSING_PRIVILEGE: ReadonlySet<string> = new Set([
  'ER_ACCESS_DENIED_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
  'ER_TABLEACCESS_DENIED_ERROR',
  'ER_COLUMNACCESS_DENIED_ERROR',
  'ER_PROCACCESS_DENIED_ERROR',
  'ER_SPECIFIC_ACCESS_DENIED_ERROR',
  'ER_CANT_CREATE_USER_WITH_GRANT',
  'ER_BINLOG_CREATE_ROUTINE_NEED_SUPER',
  'ER_CANNOT_USER',
]);

/**
 * Runs a script, statement by statement. Changes the session's character set and SQL mode.
 * @throws ChartgateError `privilege-missing` or `database-unavailable`, saying which statement failed and
 *   how many were done; running the script again is safe
 */
export async function apply(
  connection: Connection,
  script: Script,
  onProgress: (progress: Progress) => void = () => {},
): Promise<void> {
  const total = script.statements.length;
  for (const [index, statement] of script.statements.entries()) {
    try {
      await connection.query(statement.sql);
    } catch (error) {
      // On MySQL a table may be locked while its trigger is replaced.
      await connection.query('UNLOCK TABLES').catch(() => {});
      const code = String((error as { code?: unknown }).code ?? '');
      const said = error instanceof Error ? error.message : 'unknown error';
      throw new ChartgateError(
        MISSING_PRIVILEGE.has(code) ? 'privilege-missing' : 'database-unavailable',
        `The script "${script.name}" broke off at statement ${index + 1} of ${total} (${statement.label}): ${said}. ` +
          'What came before is done; the script can be run again.',
        { cause: error },
      );
    }
    onProgress({ done: index + 1, total, label: statement.label });
  }
}
