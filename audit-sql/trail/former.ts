import type { Connection } from 'mysql2/promise';
import type { TableModel } from '../model.ts';
import { type AuditNames, INSTATEMENT_TABLE, literal, qualified } from '../names.ts';
import { TRAIL_TABLES } from './read.ts';
import { textRows } from './rows.ts';

/**
 * A table that is no longer in the schema but has audit rows, as it was when auditing was last started or
 * stopped with it. Undefined when there is none of this name.
 */
export async function formerTable(
  connection: Connection,
  names: AuditNames,
  name: string,
): Promise<TableModel | undefined> {
  let audited = false;
  for (const trail of TRAIL_TABLES) {
    const sql = `SELECT 1 FROM ${qualified(names.auditSchema, trail)} WHERE emr_table = ${literal(name)} LIMIT 1`;
    audited ||= (await textRows(connection, sql, 'the audit trail')).length > 0;
  }
  if (!audited) return undefined;
  const shapes = await textRows(
    connection,
    `SELECT DISTINCT schema_model FROM ${qualified(names.auditSchema, INSTATEMENT_TABLE)}
      WHERE LOCATE(${literal(`"name":${JSON.stringify(name)}`)}, schema_model) > 0`,
    'the log of starts and stops',
  );
  for (const [shape] of shapes.toReversed()) {
    const tables = JSON.parse(shape ?? '[]') as readonly TableModel[];
    const found = tables.find((table) => table.name === name);
    if (found !== undefined) return found;
  }
  return undefined;
}
