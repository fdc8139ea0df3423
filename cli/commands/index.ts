import type { Command } from 'commander';
import { register as check } from './check.ts';
import { register as checker } from './checker.ts';
import { register as log } from './log.ts';
import { register as start } from './start.ts';

/** Each command is one file that adds itself to the program. */
export const COMMANDS: readonly ((program: Command) => void)[] = [start, checker, check, log];
