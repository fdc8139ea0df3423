import { blindSpotLines } from '../coverage/certificate.ts';
import { printable } from '../names.ts';
import type { Plan, PlannedAccount } from './plan.ts';
import { type PlannedTable, TRIGGER_ACTIONS } from './tables.ts';

const ENGINES: Readonly<Record<string, string>> = { mariadb: 'MariaDB', mysql: 'MySQL' };

function field(name: string, value: string): string {
  return `  ${name.padEnd(15)} ${value}`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function summary(plan: Plan): string[] {
  const { summary: s, instatement } = plan;
  const { make, replace, keep } = s.triggers;
  return [
    `Plan for the schema ${printable(plan.emrSchema)}; nothing was changed`,
    '',
    field('server', `${ENGINES[plan.server.engine] ?? plan.server.engine} ${plan.server.version}`),
    field('audit schema', printable(plan.auditSchema)),
    field('generator', plan.generator),
    field('schema digest', plan.schemaDigest),
    field(
      'audit',
      instatement === undefined
        ? 'never started'
        : `last ${instatement.action}: ${instatement.at} UTC by ${instatement.login}`,
    ),
    field('tables', `${s.tables}, of which ${s.keyless} without a key`),
    field('triggers', `${make} to make, ${replace} to replace, ${keep} to keep, ${s.staleTriggers} to drop`),
    field("EMR's triggers", `${s.emrTriggers}, left as they are`),
    field('cascades', `recorded by the triggers of ${s.tablesWithCascades} tables`),
    field('statements', `${s.statements} in the start script`),
    field('blind spots', `${s.blindSpots}`),
  ];
}

function tableLines(table: PlannedTable): string[] {
  const key =
    table.key.length === 0
      ? 'no key: whole rows are recorded'
      : `a row is named by ${table.key.map(printable).join(', ')}`;
  const actions = TRIGGER_ACTIONS.flatMap((action) => {
    const some = table.triggers.filter((trigger) => trigger.action === action);
    const named = some.map(
      ({ timing, event, faults }) =>
        `${timing} ${event}${faults.length === 0 ? '' : ` (${faults.join(', ')})`}`,
    );
    return named.length === 0 ? [] : [`${action} ${named.join(', ')}`];
  });
  return [
    `${printable(table.table)} (${table.engine}, ${table.columns} column${table.columns === 1 ? '' : 's'}): ${key}`,
    `    triggers: ${actions.length === 0 ? 'none' : actions.join('; ')}`,
    ...(table.computed.length === 0
      ? []
      : [`    computed by the server, not recorded: ${table.computed.map(printable).join(', ')}`]),
    ...(table.cascades.length === 0
      ? []
      : [`    records the cascades into: ${table.cascades.map(printable).join(', ')}`]),
    ...table.emrTriggers.map(
      ({ name, timing, event, position }) =>
        `    the EMR's own trigger ${printable(name)} (${timing} ${event}, place ${position}) stays`,
    ),
  ];
}

function accountLines(account: PlannedAccount): string[] {
  return [
    `${account.account}${account.role === undefined ? '' : `, role ${printable(account.role)}`}`,
    ...account.loses.map((what) => `    loses ${what}`),
    ...account.gains.map((what) => `    gains ${what}`),
    ...(account.loses.length + account.gains.length === 0 ? ['    stays as it is'] : []),
  ];
}

/** The plan for a person: the summary first, what stands in the way, then the details. Pure. */
export function planText(plan: Plan): string {
  const stops = plan.checks.filter(({ severity }) => severity === 'stop');
  const warnings = plan.checks.filter(({ severity }) => severity === 'warn');
  const line = ({ sentence, remedy }: Plan['checks'][number]): string[] => [
    `- ${sentence}`,
    ...(remedy === '' ? [] : [`    ${remedy}`]),
  ];
  const { accounts } = plan;
  return `${[
    ...summary(plan),
    ...section('What stands in the way', stops.flatMap(line)),
    ...section('What to know before', warnings.flatMap(line)),
    ...section(
      'What changed in the schema since',
      (plan.schemaChanges ?? []).map(({ sentence }) => `- ${sentence}`),
    ),
    ...section('Blind spots: what no trigger will record, or not wholly', blindSpotLines(plan.blindSpots)),
    ...section(
      'Accounts that no role matches; they are left as they are',
      (accounts?.unmatched ?? []).map((account) => `- ${account}`),
    ),
    ...section(
      'About the policy',
      (accounts?.warnings ?? []).map((warning) => `- ${warning}`),
    ),
    ...section('Accounts', (accounts?.accounts ?? []).flatMap(accountLines)),
    ...section(
      'Triggers to drop',
      plan.staleTriggers.map((name) => printable(name)),
    ),
    ...section('Tables', plan.tables.flatMap(tableLines)),
  ].join('\n')}\n`;
}
