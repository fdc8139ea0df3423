import type { Command } from 'commander';

/** Each command is one file that adds itself to the program. */
export const COMMANDS: readonly ((program: Command) => void)[] = [];
