import type { Command } from 'commander';
import type { ScriptName } from '../../../audit-sql/index.ts';
import type { DeliverOptions } from './deliver.ts';
import { withServer } from './options.ts';

const DEFAULT_CHECKER = 'chartgate_checker@localhost';

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

const DESCRIPTIONS: Readonly<Record<ScriptName, string>> = {
  start: 'triggers for every table, the append-only audit tables, and the entry that auditing started',
  stop: 'the entry that auditing stopped, then drop the triggers; for migrations',
  guard: 'the procedures through which the checker sees the catalogue, and the locked account that owns them',
  protect: 'least privilege: gives every SQL account what its role in the policy needs, and takes the rest',
};

const EXIT_CODES = `
Exit codes: 0 done, or nothing found; 1 something is not as it should be (a table not covered, a privilege
too many, a difference); 2 wrong usage; 3 a file that a person wrote is wrong; 4 the server, a privilege or a
file was not there; 70 our own fault.`;

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ chartgate audit-sql ${line}`).join('\n')}`;
}

const SERVER = '--schema openemr --user root --password-file root.password';

function delivered(command: Command, name: ScriptName): Command {
  return command
    .option('--out <directory>', `write ${name}.sql there instead of printing it`)
    .option('--apply', 'execute it; nothing is executed otherwise')
    .option(
      '--lock-timeout <seconds>',
      'how long to wait for a table that another session uses (default: 30)',
    );
}

function withPolicy(command: Command): Command {
  return command
    .option('--policy <file>', 'who gets what, YAML or JSON (default: the built-in policy)')
    .option('--emr-user <user@host>', 'an SQL account of the EMR, role "emr"; repeat for each', collect)
    .option('--checker-user <user@host>', "the checker's SQL account", DEFAULT_CHECKER);
}

function scriptCommand(parent: Command, name: Exclude<ScriptName, 'protect'>, ...lines: string[]): void {
  const command = delivered(withServer(parent.command(name).description(DESCRIPTIONS[name])), name);
  if (name === 'start') {
    command.option(
      '--accept-cascades-above-innodb',
      "begin although MySQL does cascades itself, not always as the keys demand (see plan's blind spots)",
    );
  }
  command
    .addHelpText('after', examples(...lines))
    .action(async (options: DeliverOptions) => (await import('./scripts.ts')).runScript(name, options));
}

function privilegeCommands(parent: Command): void {
  const protect = withServer(parent.command('protect').description(DESCRIPTIONS.protect));
  delivered(withPolicy(protect), 'protect')
    .option('--check', 'only compare: exit code 1 and a list when the privileges are not as the policy says')
    .option('--checker-password-file <file>', "with --apply: set the checker's password and unlock it")
    .addHelpText(
      'after',
      examples(
        `protect ${SERVER} --emr-user openemr@localhost --out review`,
        `protect ${SERVER} --emr-user openemr@localhost --checker-password-file checker.password --apply`,
        `protect ${SERVER} --policy pharmacy.yaml --check`,
      ),
    )
    .action(async (options) => (await import('./protect.ts')).runProtect(options));
  parent
    .command('policy')
    .description('print the built-in policy of protect, to begin a file of your own with')
    .addHelpText('after', examples('policy > pharmacy.yaml'))
    .action(async () => (await import('./protect.ts')).runPolicy());
}

function auditorCommands(parent: Command): void {
  withServer(
    parent
      .command('coverage')
      .description('the certificate: which tables are covered, what is not recorded, who could disable it'),
  )
    .option('--binlog', 'also match every row change in the row-based binary log with its audit row')
    .option('--binlog-since <time>', 'only from this UTC time on, "2026-01-31 08:00:00"')
    .option(
      '--binlog-file <file>',
      'a log file on this machine, instead of asking the server; repeat',
      collect,
    )
    .option('--binlog-program <path>', 'mariadb-binlog or mysqlbinlog (default: the one on the path)')
    .addHelpText('after', examples(`coverage ${SERVER}`, `coverage ${SERVER} --binlog --json`))
    .action(async (options) => (await import('./coverage.ts')).runCoverage(options));
  withServer(
    parent
      .command('verify')
      .description(
        'check triggers and audit tables, the trail itself and, with --content, every row against it',
      ),
  )
    .option('--content [table...]', 'also compare the rows of all tables, or of these, with the trail')
    .option('--keys', 'show the keys of records that differ; without it only digests of them')
    .addHelpText('after', examples(`verify ${SERVER}`, `verify ${SERVER} --content patient_data --keys`))
    .action(async (options) => (await import('./verify.ts')).runVerify(options));
  withServer(
    parent
      .command('history')
      .description("a record's life: every insert, change and delete, by whom, when, from what to what")
      .argument('<table>', 'a table of the EMR')
      .argument('<key>', "the record's key: 5, id=5, pid=1,name=x, or a JSON object"),
  )
    .option('--since <when>', 'from this UTC time on, such as 2026-01-31 or 2026-01-31T08:00:00Z')
    .option('--until <when>', 'up to this UTC time')
    .addHelpText('after', examples(`history patient_data 5 ${SERVER}`, `history log id=7 ${SERVER} --json`))
    .action(async (table, key, options) => (await import('./history.ts')).runHistory(table, key, options));
}

function baselineCommands(parent: Command): void {
  withServer(
    parent.command('baseline').description('sign the present state as the approved one, as the first of two'),
  )
    .requiredOption('--private-key <file>', 'Ed25519 private key, PEM, readable for its owner only')
    .requiredOption('--out <file>', 'the baseline, with one signature')
    .option('--compare <file>', 'the baseline that it would replace: print what changes, in words')
    .addHelpText(
      'after',
      examples(
        `baseline ${SERVER} --private-key anna.pem --out openemr.baseline.json`,
        `baseline ${SERVER} --private-key anna.pem --out new.baseline.json --compare openemr.baseline.json`,
      ),
    )
    .action(async (options) => (await import('./baseline.ts')).runBaseline(options));
  parent
    .command('approve')
    .description("add another administrator's signature to a baseline; without a key only say what it holds")
    .argument('<file>', 'the baseline; the signature is added in it')
    .option('--private-key <file>', 'Ed25519 private key, PEM, of another administrator')
    .option('--compare <file>', 'the baseline that it would replace: print what changes, in words')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      examples(
        'approve new.baseline.json --compare openemr.baseline.json',
        'approve new.baseline.json --compare openemr.baseline.json --private-key boris.pem',
      ),
    )
    .action(async (file, options) => (await import('./baseline.ts')).runApprove(file, options));
  parent
    .command('keygen')
    .description('make the Ed25519 pair that signs baselines')
    .requiredOption('--private-key <file>', 'where to put the private key (mode 0600); must not exist')
    .requiredOption('--public-key <file>', 'where to put the public key; must not exist')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples('keygen --private-key anna.pem --public-key anna.pub.pem'))
    .action(async (options) => (await import('./baseline.ts')).runKeygen(options));
}

/** `chartgate audit-sql …`; what a command needs is loaded when it runs. */
export function register(program: Command): void {
  const parent = program
    .command('audit-sql')
    .description('Generate, and with --apply execute, the audit triggers and grants of an EMR schema.')
    .addHelpText('after', EXIT_CODES);
  withPolicy(
    withServer(
      parent
        .command('plan')
        .description('what start and protect would do and what cannot be covered; changes nothing'),
    ),
  )
    .addHelpText('after', examples(`plan ${SERVER}`, `plan ${SERVER} --json`))
    .action(async (options) => (await import('./plan.ts')).runPlan(options));
  scriptCommand(parent, 'start', `start ${SERVER} --out review`, `start ${SERVER} --apply`);
  scriptCommand(parent, 'stop', `stop ${SERVER} --apply`);
  scriptCommand(parent, 'guard', `guard ${SERVER} --out review`, `guard ${SERVER} --apply`);
  privilegeCommands(parent);
  auditorCommands(parent);
  baselineCommands(parent);
}
