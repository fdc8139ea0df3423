import { resolve } from 'node:path';
import type { Command } from 'commander';
import { checkerNeeds, confine } from '../confine/index.ts';

/** `chartgate checker`: runs the integrity checker in the foreground. */
export function register(program: Command): void {
  program
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
}
