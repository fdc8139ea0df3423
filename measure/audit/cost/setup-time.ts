import { apply, auditNames, describeServer, readModel } from '../../../audit-sql/index.ts';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { median } from '../../statistics.ts';
import { loadSchema, type SchemaName } from '../schemas/load.ts';
import { administrator } from '../servers.ts';
import { startScriptFor } from '../start.ts';

/** How long it takes to put a whole schema under audit. */
export interface SetupTime {
  readonly tables: number;
  readonly statements: number;
  /** Reading the schema and writing the script; the median of three. */
  readonly generateSeconds: number;
  /** Running it on a server where nothing of it is there. */
  readonly applySeconds: number;
}

export async function measureSetup(server: PrivateDatabase, schema: SchemaName): Promise<SetupTime> {
  const connection = await administrator(server);
  try {
    await loadSchema(connection, server.engine, schema);
    const names = auditNames({ emrSchema: schema });
    const seconds: number[] = [];
    const generate = async () => {
      const began = performance.now();
      const description = await describeServer(connection);
      const model = await readModel(connection, schema);
      const script = startScriptFor(model, names, description);
      seconds.push((performance.now() - began) / 1000);
      return { model, script };
    };
    await generate();
    await generate();
    const { model, script } = await generate();
    const began = performance.now();
    await apply(connection, script);
    return {
      tables: model.tables.length,
      statements: script.statements.length,
      generateSeconds: median(seconds),
      applySeconds: (performance.now() - began) / 1000,
    };
  } finally {
    await connection.end();
  }
}
