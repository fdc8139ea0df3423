import type { Connection } from 'mysql2/promise';
import { ChartgateError } from '../contracts/errors.ts';
import type { ServerDescription } from './dialect.ts';
import { type Account, type AuditNames, accountSql, literal } from './names.ts';
import { type ProtectPlan, readProtectPlan } from './privileges/index.ts';
import { SQL_MODE } from './writers/script.ts';

/**
 * The plan of `protect` for accounts named by hand, by the built-in policy: the EMR's hold the rows of
 * their own schema, the checker's calls the guard procedures.
 * @throws ChartgateError `usage` when an account does not exist
 */
export async function readProtectOptions(
  connection: Connection,
  options: {
    readonly server: ServerDescription;
    readonly names: AuditNames;
    readonly emrAccounts: readonly Account[];
    readonly checker: Account;
  },
): Promise<ProtectPlan> {
  return readProtectPlan(connection, options);
}

/**
 * Sets the checker's password and unlocks its account; the password stands in no file that is generated.
 * @throws ChartgateError `privilege-missing`; without the driver's error, which quotes the statement
 */
export async function setCheckerPassword(
  connection: Connection,
  checker: Account,
  password: Buffer,
): Promise<void> {
  if (password.length === 0) throw new ChartgateError('usage', "The checker's password must not be empty.");
  try {
    await connection.query(`SET SESSION sql_mode = '${SQL_MODE}'`);
    await connection.query(
      `ALTER USER ${accountSql(checker)} IDENTIFIED BY ${literal(password.toString('utf8'))} ACCOUNT UNLOCK`,
    );
  } catch (error) {
    const code = String((error as { code?: unknown }).code ?? 'unknown');
    throw new ChartgateError('privilege-missing', `The checker's password could not be set (${code}).`);
  }
}
