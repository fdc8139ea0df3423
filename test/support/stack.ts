import { join } from 'node:path';
import { type Stack, type StackOptions, startStack } from '../../examples/demo/stack.ts';

/** A whole running Chartgate for one test file, in a folder of its own. */
export function stackFor(suite: string, options: Omit<StackOptions, 'directory'> = {}): Promise<Stack> {
  return startStack({ directory: join(import.meta.dirname, '..', '..', '.work', suite), ...options });
}
