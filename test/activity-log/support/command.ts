import { Command } from 'commander';
import { registerLog } from '../../../cli/commands/log.ts';

/** The `log` command alone, as `cli/main.ts` runs it. */
const program = new Command('chartgate');
registerLog(program);
await program.parseAsync();
