import type { EngineRule } from '../rule.ts';
import { COMMAND_RULES } from './commands.ts';
import { FILE_RULES } from './files.ts';
import { LANGUAGE_RULES } from './languages.ts';
import { NOSQL_RULES } from './nosql.ts';
import { REMOTE_RULES } from './remote.ts';
import { SCRIPT_RULES } from './script.ts';
import { SQL_RULES } from './sql.ts';

/** Every rule, as the engine is given them. */
export const RULES: readonly EngineRule[] = Object.freeze([
  ...SQL_RULES,
  ...NOSQL_RULES,
  ...SCRIPT_RULES,
  ...COMMAND_RULES,
  ...FILE_RULES,
  ...REMOTE_RULES,
  ...LANGUAGE_RULES,
]);
