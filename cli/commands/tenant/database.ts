import {
  describeServer,
  generateAudit,
  preflight,
  readCoverage,
  readModel,
} from '../../../audit-sql/index.ts';
import { ChartgateError } from '../../../contracts/errors.ts';
import { onServer } from '../audit-sql/server.ts';
import type { Finding } from './checks.ts';

/** An administrator's SQL account for the tenant's database; the gateway itself never holds any. */
export interface SqlOptions {
  readonly sqlSchema?: string;
  readonly sqlAuditSchema?: string;
  readonly sqlHost?: string;
  readonly sqlPort?: string;
  readonly sqlSocket?: string;
  readonly sqlUser?: string;
  readonly sqlPasswordFile?: string;
  readonly sqlCa?: string;
}

/** State of the audit in the database itself. @throws ChartgateError for wrong usage and for a server that is away */
export async function lookAtDatabase(options: SqlOptions): Promise<readonly Finding[]> {
  const { sqlSchema: schema, sqlUser: user } = options;
  if (schema === undefined || user === undefined)
    throw new ChartgateError('usage', 'To look into the database give --sql-schema and --sql-user.');
  const about = `schema ${schema}`;
  return onServer(
    {
      schema,
      user,
      ...(options.sqlAuditSchema === undefined ? {} : { auditSchema: options.sqlAuditSchema }),
      ...(options.sqlHost === undefined ? {} : { host: options.sqlHost }),
      ...(options.sqlPort === undefined ? {} : { port: options.sqlPort }),
      ...(options.sqlSocket === undefined ? {} : { socket: options.sqlSocket }),
      ...(options.sqlPasswordFile === undefined ? {} : { passwordFile: options.sqlPasswordFile }),
      ...(options.sqlCa === undefined ? {} : { ca: options.sqlCa }),
    },
    async (connection, names) => {
      const server = await describeServer(connection);
      const model = await readModel(connection, schema);
      const { start } = generateAudit(model, { names, server });
      const { covered } = await readCoverage(connection, { names, server, model, start });
      if (covered)
        return [{ mark: 'ok', about, sentence: `every table of ${model.tables.length} is audited` } as const];
      const checks = await preflight(connection, { server, names, script: start });
      const stops = checks.filter(({ severity }) => severity === 'stop');
      const todo: Finding = {
        mark: 'todo',
        about,
        sentence: 'not every table is audited',
        remedy: `chartgate audit-sql start --schema ${schema} …, then chartgate audit-sql coverage`,
      };
      return [
        todo,
        ...stops.map(
          ({ sentence }): Finding => ({
            mark: 'failed',
            about,
            sentence,
            remedy: 'see chartgate audit-sql plan',
          }),
        ),
      ];
    },
  );
}
