import type { Connection } from 'mysql2/promise';
import { readModel } from '../../../audit-sql/catalogue/schema.ts';
import { describeServer } from '../../../audit-sql/catalogue/server.ts';
import { dialectOf, type ServerDescription } from '../../../audit-sql/dialect.ts';
import { apply, type Script } from '../../../audit-sql/index.ts';
import type { SchemaModel } from '../../../audit-sql/model.ts';
import { type AuditNames, auditNames } from '../../../audit-sql/names.ts';
import { startScript } from '../../../audit-sql/writers/start.ts';

export interface Audited {
  readonly names: AuditNames;
  readonly server: ServerDescription;
  readonly model: SchemaModel;
  readonly start: Script;
}

/** Starts the audit of a schema, as `chartgate audit-sql start --apply` does. */
export async function startAudit(connection: Connection, schema: string): Promise<Audited> {
  const server = await describeServer(connection);
  const names = auditNames({ emrSchema: schema });
  const model = await readModel(connection, schema);
  const start = startScript(model, names, dialectOf(server));
  await apply(connection, start);
  await connection.query("SET SESSION sql_mode = ''");
  return { names, server, model, start };
}
