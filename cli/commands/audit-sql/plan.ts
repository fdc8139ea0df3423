import {
  type AuditNames,
  describeServer,
  generate,
  type PlanCheck,
  planAccounts,
  planText,
  preflight,
  readModel,
  readPlan,
  type Script,
  type ServerDescription,
} from '../../../audit-sql/index.ts';
import { EXIT } from '../../output.ts';
import { type PolicyOptions, protectionOf } from './protect.ts';
import { type Connection, onServer, print, printJson } from './server.ts';

/** What stands in the way of any of the scripts, each once. */
async function checksOf(
  connection: Connection,
  about: {
    readonly server: ServerDescription;
    readonly names: AuditNames;
    readonly scripts: readonly Script[];
  },
): Promise<readonly PlanCheck[]> {
  const checks = new Map<string, PlanCheck>();
  for (const script of about.scripts) {
    for (const check of await preflight(connection, { ...about, script })) {
      checks.set(JSON.stringify([check.code, check.sentence]), check);
    }
  }
  return [...checks.values()];
}

/** Prints what `start` and `protect` would do; exit code 1 when something stands in the way. */
export async function runPlan(options: PolicyOptions): Promise<void> {
  const plan = await onServer(options, async (connection, names) => {
    const server = await describeServer(connection);
    const model = await readModel(connection, options.schema);
    const protection = await protectionOf(connection, server, options);
    const { start, guard, protect } = generate(model, { names, server, protect: protection });
    const checks = await checksOf(connection, { server, names, scripts: [start, guard, protect] });
    const accounts = planAccounts(protection);
    return readPlan(connection, { names, server, model, start, checks, accounts });
  });
  if (options.json === true) await printJson(plan);
  else await print(planText(plan));
  process.exitCode = plan.checks.some(({ severity }) => severity === 'stop') ? EXIT.finding : EXIT.ok;
}
