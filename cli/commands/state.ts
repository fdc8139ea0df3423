import type { Command } from 'commander';
import { createSealer, openState } from '../../identity/state/index.ts';
import { resealAll } from '../../identity/state/reseal.ts';
import { backupState, inspectState, migrateState, type StateReport } from '../../identity/state/upkeep.ts';
import { EXIT, fail } from '../output.ts';
import { stateNamedIn } from '../state-settings.ts';

interface Options {
  readonly config: string;
  readonly json?: true;
}

const RUN_AS = `
Run it as the OS user of the process whose state it is: SQLite makes files beside the store, and they must be that
user's.`;

/** `chartgate state check|migrate|backup|reseal`. */
export function register(program: Command): void {
  const state = program
    .command('state')
    .description('Check, migrate, back up and reseal where sessions, accounts and second factors are kept.');
  const add = (name: string, description: string): Command =>
    state
      .command(name)
      .description(description)
      .requiredOption('--config <file>', 'settings file of the process whose state it is')
      .option('--json', 'print the result as JSON');
  add('check', 'Look at the store and say what is wrong with it. Changes nothing.')
    .addHelpText(
      'after',
      `${RUN_AS}

Exit codes: ${EXIT.ok} sound, ${EXIT.finding} findings, ${EXIT.configuration} faulty settings, ${EXIT.unavailable} it cannot be reached.`,
    )
    .action(guarded(check));
  add('migrate', 'Make the tables, or bring them up to date; never back.')
    .option('--backed-up', 'a backup of the database was made (a SQLite file is copied by itself)')
    .addHelpText(
      'after',
      `${RUN_AS}
On MySQL and MariaDB the account needs CREATE, ALTER and INDEX for it, which the serving process does not.

Exit codes: ${EXIT.ok} up to date, ${EXIT.configuration} faulty settings, ${EXIT.unavailable} it cannot be reached or there is no backup.`,
    )
    .action(guarded(migrate));
  add('backup', 'Copy a SQLite store beside it, mode 0600, while it is in use.')
    .addHelpText('after', RUN_AS)
    .action(guarded(backup));
  add('reseal', 'Seal everything with the first of the sealing keys, so that the others can be given up.')
    .addHelpText(
      'after',
      `${RUN_AS}
To change keys: put the new one in front in the settings of every process that shares the store, start them again, run
this until it says zero, then take the old key out.

Exit codes: ${EXIT.ok} done, ${EXIT.finding} something is sealed with a key that is not given, ${EXIT.configuration} faulty settings, ${EXIT.unavailable} it cannot be reached.`,
    )
    .action(guarded(reseal));
}

function guarded<T extends Options>(action: (options: T) => Promise<void>): (options: T) => Promise<void> {
  return async (options) => {
    try {
      await action(options);
    } catch (error) {
      fail(error);
    }
  };
}

async function check(options: Options): Promise<void> {
  const report = await inspectState(stateNamedIn(options.config).state);
  if (options.json) console.log(JSON.stringify({ ok: report.findings.length === 0, ...report }, null, 2));
  else print(report);
  if (report.findings.length > 0) process.exitCode = EXIT.finding;
}

function print(report: StateReport): void {
  console.log(`${report.engine}, schema ${report.schema} of ${report.newest}`);
  for (const [kind, count] of Object.entries(report.documents)) console.log(`  ${kind}: ${count}`);
  if (report.expired > 0) console.log(`  expired, to be purged: ${report.expired}`);
  for (const { code, sentence } of report.findings) console.log(`${code}: ${sentence}`);
  if (report.findings.length === 0) console.log('sound');
}

async function migrate(options: Options & { readonly backedUp?: true }): Promise<void> {
  const report = await migrateState(stateNamedIn(options.config).state, options.backedUp === true);
  if (options.json) console.log(JSON.stringify(report, null, 2));
  else {
    if (report.copy !== undefined) console.log(`Copied first to ${report.copy}`);
    console.log(
      report.steps === 0
        ? 'Up to date already.'
        : `Up to date; ${report.steps} ${report.steps === 1 ? 'step' : 'steps'}.`,
    );
  }
}

async function backup(options: Options): Promise<void> {
  const copy = await backupState(stateNamedIn(options.config).state);
  console.log(options.json ? JSON.stringify({ copy }, null, 2) : copy);
}

async function reseal(options: Options): Promise<void> {
  const { state, keys } = stateNamedIn(options.config);
  const store = await openState(state);
  try {
    const report = await resealAll(store, createSealer(keys));
    if (options.json) console.log(JSON.stringify(report, null, 2));
    else {
      console.log(`Sealed anew: ${report.documents} documents.`);
      if (report.unopened > 0) console.log(`Sealed with no key that is given: ${report.unopened} values.`);
    }
    if (report.unopened > 0) process.exitCode = EXIT.finding;
  } finally {
    await store.close();
  }
}
