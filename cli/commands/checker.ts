import { resolve } from 'node:path';
import type { Command } from 'commander';
import { checkerNeeds, confine } from '../confine/index.ts';

/** `chartgate checker`: runs the integrity checker in the foreground. */
export function register(program: Command): void {
  const checker = program
    .command('checker')
    .description('Run the integrity checker: its own process, with its own user and its own SQL account.')
    .requiredOption('-c, --config <file>', "the checker's own configuration file")
    .action(async ({ config }: { readonly config: string }) => {
      confine(() => checkerNeeds(config));
      // Loaded here, so that other commands do not start with the database driver.
      const { loadCheckerSettings } = await import('../../config/index.ts');
      const { runChecker } = await import('../../integrity-checker/index.ts');
      await runChecker(loadCheckerSettings(resolve(config)));
    });
  checker
    .command('status')
    .description(
      'Compare each database with its baseline once; print what differs and what would restore it.',
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Takes --config of the checker, and its user's rights to read what that names.
Exit codes: 0 all intact; 1 something differs or a database could not be compared; 3 the configuration is wrong.

Example:
  $ chartgate checker status --config /etc/chartgate/checker/checker.yaml`,
    )
    .action(async (_options: unknown, command: Command) => {
      const { config, json } = command.optsWithGlobals<{ config: string; json?: boolean }>();
      await (await import('./checker-status.ts')).runStatus(resolve(config), json === true);
    });
}
