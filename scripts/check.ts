import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What `npm test` is: every check in order, the quick ones first. Arguments are handed to the tests. */
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = join(root, 'node_modules', '.bin');

const CHECKS: readonly (readonly [title: string, command: string, ...args: string[]])[] = [
  ['format and lint', join(bin, 'biome'), 'check', '--error-on-warnings', '.'],
  ['types', join(bin, 'tsc'), '-p', '.'],
  ['import rules', process.execPath, 'scripts/import-rules.ts'],
  ['documentation of the configuration', process.execPath, 'scripts/configuration-docs.ts', '--check'],
  ['known weaknesses in what ships', process.execPath, 'scripts/advisories.ts'],
  ['what only the tests need', process.execPath, 'scripts/setup-tests.mjs'],
  ['tests', join(bin, 'vitest'), 'run', ...process.argv.slice(2)],
];

for (const [title, command, ...args] of CHECKS) {
  const started = performance.now();
  console.log(`\n▸ ${title}`);
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) {
    console.error(`\n✗ ${title} failed${result.error === undefined ? '' : `: ${result.error.message}`}`);
    process.exit(1);
  }
  console.log(`  ${title}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
