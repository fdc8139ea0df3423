import {
  changesSince,
  describeServer,
  generateAudit,
  readGuardCallers,
  readLastInstatement,
  readModel,
  type SchemaChange,
  type SchemaModel,
  type ScriptName,
  schemaChanges,
  schemaDigest,
  wantedTriggers,
} from '../../../audit-sql/index.ts';
import { ChartgateError } from '../../../contracts/errors.ts';
import { checkDelivery, type DeliverOptions, deliver, report } from './deliver.ts';
import { onServer, print } from './server.ts';

function changesText(changes: readonly SchemaChange[]): string {
  if (changes.length === 0) return 'The tables are as they were at the last start or stop.\n';
  return `Changed in the schema since the last start or stop:\n${changes.map(({ sentence }) => `- ${sentence}\n`).join('')}`;
}

/** What came while the triggers were made may have none. */
function refuseChanged(model: SchemaModel, now: SchemaModel): void {
  if (schemaDigest(now) === schemaDigest(model)) return;
  const changes = schemaChanges(model.tables, now.tables).map(({ sentence }) => `- ${sentence}`);
  throw new ChartgateError(
    'database-busy',
    `start was applied, but the schema was changed meanwhile, so that not all of it is audited:\n${changes.join('\n')}\n` +
      'Let the migration end, then run start again.',
  );
}

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
    // Read before it is applied: afterwards the last entry is this one.
    const changes =
      name === 'start' ? changesSince(await readLastInstatement(connection, names), model) : undefined;
    const delivered = await deliver(connection, script, options, {
      names,
      server,
      // After a failed stop, too, it must be said which tables are still covered.
      wanted: name === 'guard' ? [] : wantedTriggers(scripts, names),
    });
    if (name === 'start' && delivered.applied !== undefined) {
      refuseChanged(model, await readModel(connection, options.schema));
    }
    await report(script, delivered, {
      tables: model.tables.length,
      json: options.json === true,
      ...(changes === undefined ? {} : { more: { schemaChanges: changes } }),
    });
    if (options.json !== true && delivered.applied !== undefined && changes !== undefined) {
      await print(changesText(changes));
    }
  });
}
