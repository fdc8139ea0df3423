import {
  describeServer,
  generateAudit,
  readGuardCallers,
  readModel,
  type ScriptName,
  wantedTriggers,
} from '../../../audit-sql/index.ts';
import { checkDelivery, type DeliverOptions, deliver, report } from './deliver.ts';
import { onServer } from './server.ts';

/** `start`, `stop` and `guard`: print the script, write it with --out, execute it with --apply. */
export async function runScript(
  name: Exclude<ScriptName, 'protect'>,
  options: DeliverOptions,
): Promise<void> {
  checkDelivery(options);
  await onServer(options, async (connection, names) => {
    const server = await describeServer(connection);
    const model = await readModel(connection, options.schema);
    const guardCallers = name === 'guard' ? await readGuardCallers(connection, names) : [];
    const scripts = generateAudit(model, { names, server, guardCallers });
    const script = scripts[name];
    const delivered = await deliver(connection, script, options, {
      names,
      server,
      // After a failed stop, too, it must be said which tables are still covered.
      wanted: name === 'guard' ? [] : wantedTriggers(scripts, names),
    });
    await report(script, delivered, { tables: model.tables.length, json: options.json === true });
  });
}
