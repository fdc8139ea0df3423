import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { COMMANDS } from './commands/index.ts';
import { fail } from './output.ts';

/** `package.json` lies one folder up in the repository and two in the compiled package. */
function version(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as { version: string })
        .version;
    } catch {
      // The other place.
    }
  }
  return 'unknown';
}

const program = new Command('chartgate')
  .description('Security gateway for legacy electronic medical records.')
  .version(version())
  .showHelpAfterError('(see --help)')
  .configureHelp({ sortSubcommands: true });

for (const register of COMMANDS) register(program);

try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}
