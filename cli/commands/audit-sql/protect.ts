import { readSecretFile } from '../../../audit-sql/connect.ts';
import {
  checkProtection,
  DEFAULT_POLICY,
  describeServer,
  generate,
  type ProtectPlan,
  type ProtectReport,
  parseAccount,
  parsePolicy,
  readModel,
  readProtectPlan,
  refuseStops,
  type ServerDescription,
  setCheckerPassword,
} from '../../../audit-sql/index.ts';
import { ChartgateError } from '../../../contracts/errors.ts';
import { EXIT } from '../../output.ts';
import { checkDelivery, type DeliverOptions, deliver, report } from './deliver.ts';
import type { ServerOptions } from './options.ts';
import { type Connection, namesOf, onServer, print, printJson, readInput } from './server.ts';

/** Options that say which accounts get which privileges. */
export interface PolicyOptions extends ServerOptions {
  readonly policy?: string;
  readonly emrUser?: readonly string[];
  readonly checkerUser: string;
}

export interface ProtectCommandOptions extends PolicyOptions, DeliverOptions {
  readonly check?: boolean;
  readonly checkerPasswordFile?: string;
}

/** Prints the built-in policy, to begin a file of one's own with. */
export async function runPolicy(): Promise<void> {
  await print(DEFAULT_POLICY);
}

/** What `protect` would change by the policy file and the accounts named. Reads only. */
export async function protectionOf(
  connection: Connection,
  server: ServerDescription,
  options: PolicyOptions,
): Promise<ProtectPlan> {
  const policy =
    options.policy === undefined ? undefined : parsePolicy(readInput(options.policy), options.policy);
  return readProtectPlan(connection, {
    server,
    names: namesOf(options),
    emrAccounts: (options.emrUser ?? []).map(parseAccount),
    checker: parseAccount(options.checkerUser),
    ...(policy === undefined ? {} : { policy }),
  });
}

function line({ object, sentence }: ProtectReport): string {
  return `${object}: ${sentence}`;
}

/** `protect`: print the script, write it with --out, execute it with --apply, or only compare with --check. */
export async function runProtect(options: ProtectCommandOptions): Promise<void> {
  checkDelivery(options);
  if (options.check === true && (options.apply === true || options.out !== undefined)) {
    throw new ChartgateError('usage', '--check only compares; give it without --apply and --out.');
  }
  if (options.checkerPasswordFile !== undefined && options.apply !== true) {
    throw new ChartgateError('usage', '--checker-password-file takes effect only with --apply.');
  }
  // Read before anything is changed: a script applied without its password would be half the work.
  const password =
    options.checkerPasswordFile === undefined ? undefined : readSecretFile(options.checkerPasswordFile);
  await onServer(options, async (connection, names) => {
    const server = await describeServer(connection);
    const plan = await protectionOf(connection, server, options);
    if (options.check === true) return check(plan, options.json === true);
    refuseStops(plan);
    const model = await readModel(connection, options.schema);
    const script = generate(model, { names, server, protect: plan }).protect;
    for (const one of plan.reports)
      console.error(`${one.severity === 'note' ? 'note' : 'warning'}: ${line(one)}`);
    const delivered = await deliver(connection, script, options, { names, server });
    if (password !== undefined) {
      await setCheckerPassword(connection, parseAccount(options.checkerUser), password);
    }
    await report(script, delivered, {
      tables: model.tables.length,
      json: options.json === true,
      more: { reports: plan.reports },
    });
  });
}

async function check(plan: ProtectPlan, json: boolean): Promise<void> {
  const result = checkProtection(plan);
  process.exitCode = result.ok ? EXIT.ok : EXIT.finding;
  if (json) return printJson(result);
  const lines = [
    ...result.differences.map(({ sentence }) => `DIFFERENT  ${sentence}`),
    ...result.histograms.map(({ sentence }) => `DIFFERENT  ${sentence}`),
    ...result.problems.map((one) => `PROBLEM    ${line(one)}`),
    ...result.notes.map((one) => `note       ${line(one)}`),
    result.ok
      ? 'The privileges are as the policy says.'
      : `${result.differences.length + result.histograms.length} differences, ${result.problems.length} problems; protect --apply removes the differences.`,
  ];
  await print(`${lines.join('\n')}\n`);
}
