import type { Command } from 'commander';
import { withServer } from '../audit-sql/options.ts';

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

const EXIT_CODES = `
Exit codes: 0 intact; 1 something was found; 2 wrong usage; 4 the server, a privilege or a file was not there;
70 our own fault.`;

/** `chartgate audit …`: for auditors, with what the checker sealed. What a command needs is loaded when it runs. */
export function register(program: Command): void {
  const parent = program
    .command('audit')
    .description('Prove that audit rows are as the checker sealed them, or find what was done to them.')
    .addHelpText('after', EXIT_CODES);
  withServer(
    parent
      .command('verify')
      .description(
        'compare the audit rows of a database with what was sealed: finds rows that were edited, deleted, ' +
          'inserted, exchanged or cut off, and a database restored from an older copy',
      ),
  )
    .requiredOption(
      '--sealed <path>',
      "the database's folder in the checker's store, or a file of checkpoints",
    )
    .requiredOption('--public-key <file>', "the seal key's public half, PEM or a verifier line")
    .requiredOption('--database <id>', "the database's id in the checker's settings")
    .option('--expect <file>', 'a checkpoint kept elsewhere that must be part of it; repeat', collect)
    .option('--direct', 'read the audit tables themselves (SELECT), instead of through the guard procedure')
    .addHelpText(
      'after',
      `
With the folder, differences are found to the row; with only the checkpoints, to the second or so in which the
rows were sealed. The user needs EXECUTE on the guard procedure chartgate_row_hashes, which returns ids and hashes
only; with --direct it needs SELECT on the audit tables, and the guard need not be trusted.

Examples:
  $ chartgate audit verify --sealed /var/lib/chartgate-checker/clinic-emr --public-key seal.pub.pem \\
      --database clinic-emr --schema openemr --user auditor --password-file auditor.password --direct
  $ chartgate audit verify --sealed checkpoints-00000001.txt --expect kept-in-may.txt …`,
    )
    .action(async (options) => (await import('./verify.ts')).runVerify(options));
  parent
    .command('checkpoint')
    .description('print the last signed checkpoint, to be kept elsewhere and given to --expect later')
    .argument('<path>', "the database's folder in the checker's store, or a file of checkpoints")
    .addHelpText(
      'after',
      '\nExample:\n  $ chartgate audit checkpoint /var/lib/chartgate-checker/clinic-emr >> /media/usb/clinic-emr.txt',
    )
    .action(async (path) => (await import('./checkpoint.ts')).runCheckpoint(path));
  parent
    .command('key')
    .description('print the verifier line of a public key, as C2SP tools take it')
    .requiredOption('--public-key <file>', 'PEM')
    .requiredOption('--database <id>', "the database's id in the checker's settings")
    .action(async (options) => (await import('./checkpoint.ts')).runKey(options));
}
