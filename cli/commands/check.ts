import { accessSync, constants } from 'node:fs';
import type { Command } from 'commander';
import {
  type FileKind,
  faultsTogether,
  faultsWithIssuer,
  kindOf,
  loadCheckerSettings,
  loadIssuerSettings,
  loadPolicyDocument,
  readGatewaySources,
  type Warning,
  warningsOf,
} from '../../config/index.ts';
import { ChartgateError, ConfigurationError, type Fault } from '../../contracts/errors.ts';
import type { IssuerProcessSettings } from '../../contracts/issuer-settings.ts';
import type { CheckerSettings, GatewaySettings } from '../../contracts/settings.ts';
import { policyRules, readSettings } from '../../gateway/process/runtime.ts';
import { EXIT } from '../output.ts';

interface Options {
  readonly gateway?: string;
  readonly checker?: string;
  readonly issuer?: string;
  readonly policy?: string;
  readonly json?: true;
}

interface Checked {
  readonly kind: FileKind;
  readonly file: string;
  /** What it holds, for a person; empty when it has faults. */
  readonly summary: string;
}

interface Report {
  readonly checked: Checked[];
  readonly faults: Fault[];
  readonly warnings: Warning[];
}

export function register(program: Command): void {
  program
    .command('check')
    .description('Check settings files and say everything that is wrong with them.')
    .argument('[file]', 'a settings file of any kind; which one is seen from its keys')
    .option('--gateway <file>', 'settings of the gateway, with the policies they name')
    .option('--checker <file>', 'settings of the integrity checker')
    .option('--issuer <file>', 'settings of the embedded issuer')
    .option('--policy <file>', 'a policy file by itself')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
With --gateway and one of --checker and --issuer it also checks that the two fit together.

Exit codes: ${EXIT.ok} no fault (there may be warnings), ${EXIT.configuration} faults, ${EXIT.usage} wrong usage.`,
    )
    .action((file: string | undefined, options: Options) => {
      const report = check(file, options);
      if (options.json) console.log(JSON.stringify({ ok: report.faults.length === 0, ...report }, null, 2));
      else print(report);
      if (report.faults.length > 0) process.exitCode = EXIT.configuration;
    });
}

/** Before its kind is guessed: of a file that cannot be read nothing can be told. */
function refuseUnreadable(file: string): void {
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    const missing = (error as { code?: unknown }).code === 'ENOENT';
    const message = missing ? 'the file does not exist' : 'the file cannot be read; check its mode and owner';
    throw new ConfigurationError([{ file, line: 0, column: 0, path: '', message }]);
  }
}

function check(file: string | undefined, options: Options): Report {
  const report: Report = { checked: [], faults: [], warnings: [] };
  const named = { ...options };
  if (file !== undefined) {
    refuseUnreadable(file);
    const kind = kindOf(file);
    if (kind === undefined) {
      throw new ChartgateError(
        'usage',
        `${file}: cannot tell which kind of settings file this is; name it with --gateway, --checker, --issuer or --policy`,
      );
    }
    if (named[kind] !== undefined)
      throw new ChartgateError('usage', `${file}: a ${kind} file is given twice`);
    named[kind] = file;
  }
  if (Object.keys(named).every((key) => key === 'json')) {
    throw new ChartgateError(
      'usage',
      'nothing to check: name a file, or give --gateway, --checker, --issuer or --policy',
    );
  }
  const gateway = attempt(
    report,
    'gateway',
    named.gateway,
    (path) => readSettings(readGatewaySources(path)),
    holds,
  );
  const checker = attempt(report, 'checker', named.checker, (path) => loadCheckerSettings(path), watches);
  const issuer = attempt(report, 'issuer', named.issuer, (path) => loadIssuerSettings(path), issues);
  attempt(
    report,
    'policy',
    named.policy,
    (path) => loadPolicyDocument(path, { policyRules }),
    (document) => count(document.routes.length, 'route'),
  );
  if (gateway !== undefined) report.warnings.push(...warningsOf(gateway));
  if (gateway !== undefined && checker !== undefined) report.faults.push(...faultsTogether(gateway, checker));
  if (gateway !== undefined && issuer !== undefined) report.faults.push(...faultsWithIssuer(gateway, issuer));
  return report;
}

function attempt<T>(
  report: Report,
  kind: FileKind,
  file: string | undefined,
  load: (file: string) => T,
  summary: (loaded: T) => string,
): T | undefined {
  if (file === undefined) return undefined;
  try {
    const loaded = load(file);
    report.checked.push({ kind, file, summary: summary(loaded) });
    return loaded;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    report.checked.push({ kind, file, summary: '' });
    report.faults.push(...error.faults);
    return undefined;
  }
}

function holds(settings: GatewaySettings): string {
  const routes = [...settings.policies.values()].reduce((sum, policy) => sum + policy.routes.length, 0);
  return [
    count(settings.tenants.length, 'tenant'),
    count(settings.issuers.length, 'issuer'),
    `${settings.policies.size} ${settings.policies.size === 1 ? 'policy' : 'policies'} with ${count(routes, 'route')}`,
  ].join(', ');
}

function watches(settings: CheckerSettings): string {
  return count(settings.databases.length, 'database');
}

function issues(settings: IssuerProcessSettings): string {
  return `${count(settings.tenants.length, 'tenant')}, ${count(settings.clients.length, 'client')}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function print(report: Report): void {
  if (report.faults.length > 0) {
    console.error(new ConfigurationError(report.faults).message);
    console.error(`${count(report.faults.length, 'fault')}.`);
  }
  for (const { kind, file, summary } of report.checked) {
    if (summary !== '') console.log(`${file}: sound ${kind} settings: ${summary}.`);
  }
  for (const { code, message } of report.warnings) console.log(`warning: ${message} (${code})`);
}
