import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PART_RULES } from './import-rules/table.ts';

/**
 * Compiles the product to `dist/`: the two entry files (the command, and the worker that the gateway forks)
 * and what they import, nothing else. Whatever only serves development must not be among it.
 */
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = join(root, 'dist');

rmSync(out, { recursive: true, force: true });
const compiled = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

// What the pages load in the browser is not compiled; console/assets.ts reads it from beside itself.
cpSync(join(root, 'console', 'assets'), join(out, 'console', 'assets'), { recursive: true });

const foreign = readdirSync(out).filter((part) => PART_RULES.get(part)?.product !== true);
if (foreign.length > 0) {
  console.error(`dist/ holds what must not ship: ${foreign.join(', ')}`);
  process.exit(1);
}
console.error(`built ${out}`);
