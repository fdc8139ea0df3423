import type { Connection } from 'mysql2/promise';
import { ChartgateError } from '../contracts/errors.ts';
import { readModel } from './catalogue/schema.ts';
import { describeServer } from './catalogue/server.ts';
import { triggersOf } from './coverage/definitions.ts';
import { readLiveTriggers } from './coverage/live.ts';
import { describeTable, tableCoverage } from './coverage/tables.ts';
import { sealBaseline } from './fingerprint/baseline.ts';
import { readSnapshot } from './fingerprint/read.ts';
import type { Snapshot } from './fingerprint/types.ts';
import { generateAudit } from './generate.ts';
import { type AuditNames, GUARD_PROCEDURES, printable } from './names.ts';
import { ROW_OPERATIONS, triggerName } from './writers/triggers.ts';

function refuse(message: string): never {
  throw new ChartgateError('baseline-invalid', `No baseline was taken: ${message}`);
}

/** A model must never be approved in which something is not audited. */
function refuseIncomplete(snapshot: Snapshot, names: AuditNames): void {
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
  for (const { name, body } of [...snapshot.triggers, ...snapshot.routines, ...snapshot.events]) {
    if (body === '') refuse(`the text of ${printable(name)} is not visible to the guard; run guard again.`);
  }
  if (snapshot.instatement?.action !== 'start') refuse('auditing is not started.');
  for (const account of [names.definer, names.guard]) {
    const found = snapshot.accounts.find((a) => a.user === account.user && a.host === account.host);
    if (found?.locked !== true) refuse(`the account ${printable(account.user)} is missing or not locked.`);
  }
  for (const procedure of GUARD_PROCEDURES) {
    const guard = snapshot.guards.find(({ name }) => name === procedure);
    if (guard === undefined || guard.text === '') {
      refuse(`the guard procedure ${procedure} or its text is not visible; run guard again.`);
    }
  }
  const hidden = snapshot.guards.find(({ text }) => text === '');
  if (hidden !== undefined) refuse(`the text of ${printable(hidden.name)} is not visible; run guard again.`);
  const table = snapshot.tables.find(
    (t) => t.schema === names.auditSchema && /TABLE|VERSION/.test(t.type) && t.definition === '',
  );
  if (table !== undefined)
    refuse(`the definition of ${printable(table.name)} is not visible to the guard; run guard again.`);
}

/** Every trigger must be the one that the generator makes for the tables as they are, not merely there. */
async function refuseUncovered(connection: Connection, names: AuditNames): Promise<void> {
  const server = await describeServer(connection);
  const model = await readModel(connection, names.emrSchema);
  const wanted = triggersOf(generateAudit(model, { names, server }).start.statements);
  const live = await readLiveTriggers(connection, [names.emrSchema, names.auditSchema]);
  const open = tableCoverage(wanted, live).find(({ state }) => state !== 'covered');
  if (open !== undefined) refuse(`${describeTable(open)}; run start again.`);
}

/**
 * Reads the present state through the guard procedures and signs it as the first administrator; others add
 * their signatures with `approveBaseline`. Needs a user
 * who may call them, and who may read the catalogue: the administrator.
 * @throws ChartgateError `baseline-invalid` when a table is not audited as it should be, auditing is not started, or an
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
  await refuseUncovered(connection, names);
  return sealBaseline(snapshot, now.toISOString(), privateKeyPem);
}
