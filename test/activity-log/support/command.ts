import { Command } from 'commander';
import { register } from '../../../cli/commands/log.ts';

/** The `log` command alone, as `cli/main.ts` runs it. */
const program = new Command('chartgate');
register(program);
await program.parseAsync();
