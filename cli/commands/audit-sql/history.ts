import { describeServer, history, historyJson, historyTable, readModel } from '../../../audit-sql/index.ts';
import type { ServerOptions } from './options.ts';
import { onServer, print, printJson } from './server.ts';

export interface HistoryCommandOptions extends ServerOptions {
  readonly since?: string;
  readonly until?: string;
}

/** Prints a record's life from the audit trail. */
export async function runHistory(table: string, key: string, options: HistoryCommandOptions): Promise<void> {
  const life = await onServer(options, async (connection, names) => {
    const server = await describeServer(connection);
    const model = await readModel(connection, options.schema);
    const { since, until } = options;
    return history(connection, { names, server, model, table, key, since, until });
  });
  if (options.json === true) await printJson(historyJson(life));
  else await print(historyTable(life));
}
