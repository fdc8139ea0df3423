import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { ChartgateError } from '../contracts/errors.ts';
import { COMMANDS } from './commands/index.ts';
import { EXIT, fail, failJson } from './output.ts';

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

const asked = process.argv[2] ?? '';
// Without a command that we know, all of them, for the help.
const names = Object.hasOwn(COMMANDS, asked) ? [asked] : Object.keys(COMMANDS);
for (const name of names) (await COMMANDS[name]?.())?.register(program);
throwInsteadOfExit(program);

/** commander's own exit code for wrong usage is 1, which here means that a check found something. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  for (const each of command.commands) throwInsteadOfExit(each);
}

try {
  await program.parseAsync();
} catch (error) {
  // commander has printed its message already; help and version end with 0.
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) process.exit(EXIT.ok);
    failJson(new ChartgateError('usage', error.message));
    process.exit(EXIT.usage);
  }
  fail(error);
}
