import type { Connection } from 'mysql2/promise';
import { dialectOf } from '../../audit-sql/dialect.ts';
import {
  type AuditNames,
  apply,
  auditNames,
  describeServer,
  readModel,
  type SchemaModel,
  type Script,
  type ServerDescription,
} from '../../audit-sql/index.ts';
import { startScript } from '../../audit-sql/writers/start.ts';
import { loadSchema, type SchemaName } from './schemas/load.ts';
import type { Engine } from './servers.ts';

/** What `audit-sql start` would do. */
export function startScriptFor(model: SchemaModel, names: AuditNames, server: ServerDescription): Script {
  return startScript(model, names, dialectOf(server));
}

/** A schema under audit. */
export interface Audited {
  readonly names: AuditNames;
  readonly server: ServerDescription;
  readonly model: SchemaModel;
}

/** Loads a schema and starts its audit. */
export async function startAudit(
  connection: Connection,
  engine: Engine,
  schema: SchemaName,
): Promise<Audited> {
  await loadSchema(connection, engine, schema);
  const server = await describeServer(connection);
  const names = auditNames({ emrSchema: schema });
  const model = await readModel(connection, schema);
  await apply(connection, startScriptFor(model, names, server));
  return { names, server, model };
}
