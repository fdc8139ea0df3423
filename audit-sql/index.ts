import type { Connection } from 'mysql2/promise';
import { ChartgateError } from '../contracts/errors.ts';
import { readEmrAccount, readGuardsElsewhere, readPublicGrants } from './catalogue/accounts.ts';
import { dialectOf, type ServerDescription } from './dialect.ts';
import { sealBaseline } from './fingerprint/baseline.ts';
import { readSnapshot } from './fingerprint/read.ts';
import type { Snapshot } from './fingerprint/types.ts';
import type { SchemaModel } from './model.ts';
import { type Account, type AuditNames, accountSql, literal, printable } from './names.ts';
import { guardScript } from './writers/guard.ts';
import { type ProtectOptions, protectScript } from './writers/protect.ts';
import { type Script, SQL_MODE } from './writers/script.ts';
import { startScript } from './writers/start.ts';
import { stopScript } from './writers/stop.ts';
import { ROW_OPERATIONS, triggerName } from './writers/triggers.ts';

export { apply, type Progress } from './apply.ts';
export { readModel } from './catalogue/schema.ts';
export { describeServer } from './catalogue/server.ts';
export type { ServerDescription } from './dialect.ts';
export { type SchemaModel, schemaDigest } from './model.ts';
export { type Account, type AuditNames, auditNames, parseAccount } from './names.ts';
export type { EmrAccount, ProtectOptions, PublicGrant } from './writers/protect.ts';
export { SCRIPT_NAMES, type Script, type ScriptName, type Statement } from './writers/script.ts';

/** The four scripts of one schema. */
export interface Scripts {
  readonly start: Script;
  readonly stop: Script;
  readonly guard: Script;
  readonly protect: Script;
}

export interface GenerateOptions {
  readonly names: AuditNames;
  readonly server: ServerDescription;
  readonly protect: ProtectOptions;
  /** Binary values longer than this many bytes are recorded as length and SHA-256. Default 65,536. */
  readonly maximumBinaryBytes?: number;
}

/** Pure: the same model and options give the same bytes. */
export function generate(model: SchemaModel, options: GenerateOptions): Scripts {
  const { names, server } = options;
  const dialect = dialectOf(server);
  return {
    start: startScript(
      model,
      names,
      dialect,
      options.maximumBinaryBytes === undefined ? {} : { maximumBinaryBytes: options.maximumBinaryBytes },
    ),
    stop: stopScript(model, names, dialect),
    guard: guardScript(names, dialect, server.major),
    protect: protectScript(options.protect, names, dialect),
  };
}

/**
 * Reads from the server what `protect` must know: the EMR's accounts as they are, and public grants.
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
): Promise<ProtectOptions> {
  const emrAccounts = [];
  for (const account of options.emrAccounts) {
    emrAccounts.push(await readEmrAccount(connection, options.server, account, options.names.emrSchema));
  }
  return {
    emrAccounts,
    checker: options.checker,
    checkerElsewhere: await readGuardsElsewhere(connection, options.checker, options.names.auditSchema),
    publicGrants: await readPublicGrants(connection),
  };
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

/** A model must never be approved in which something is not audited. */
function refuseIncomplete(snapshot: Snapshot, names: AuditNames): void {
  const refuse = (message: string): never => {
    throw new ChartgateError('baseline-invalid', `No baseline was taken: ${message}`);
  };
  const triggers = new Map(
    snapshot.triggers.filter((t) => t.schema === names.emrSchema).map((t) => [t.name, t.table] as const),
  );
  const audited = snapshot.tables.filter(
    (t) => t.schema === names.emrSchema && (t.type === 'BASE TABLE' || t.type === 'SYSTEM VERSIONED'),
  );
  if (audited.length === 0) refuse('the guard account sees no tables.');
  for (const table of audited) {
    for (const operation of ROW_OPERATIONS) {
      if (triggers.get(triggerName(table.name, operation)) !== table.name) {
        refuse(`the table ${printable(table.name)} has no ${operation} trigger; run start again.`);
      }
    }
  }
  if (snapshot.instatement?.action !== 'start') refuse('auditing is not started.');
  for (const account of [names.definer, names.guard]) {
    const found = snapshot.accounts.find((a) => a.user === account.user && a.host === account.host);
    if (found?.locked !== true) refuse(`the account ${printable(account.user)} is missing or not locked.`);
  }
  if (snapshot.guards.length === 0) refuse('the guard procedure is not visible.');
}

/**
 * Reads the present state through the guard procedures and signs it as the approved one. Needs a user
 * who may call them.
 * @throws ChartgateError `baseline-invalid` when a table is not audited, auditing is not started, or an
 *   account is not locked
 */
export async function takeBaseline(
  connection: Connection,
  names: AuditNames,
  privateKeyPem: Buffer,
  now: Date = new Date(),
): Promise<Buffer> {
  const snapshot = await readSnapshot(connection, names);
  refuseIncomplete(snapshot, names);
  return sealBaseline(snapshot, now.toISOString(), privateKeyPem);
}
