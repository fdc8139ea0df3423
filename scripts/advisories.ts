import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Fails when `npm audit` knows a weakness of high severity in what ships. A registry without an advisory
 * service is said, not failed: the tests must also run where none can be reached.
 */
interface Report {
  readonly metadata?: { readonly vulnerabilities?: Readonly<Record<string, number>> };
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const result = spawnSync('npm', ['audit', '--omit=dev', '--json'], { cwd: root, encoding: 'utf8' });

function read(text: string): Report {
  try {
    return JSON.parse(text) as Report;
  } catch {
    return {};
  }
}

const found = read(result.stdout).metadata?.vulnerabilities;
if (found === undefined) {
  console.log('  not checked: the registry in use answers no advisory requests');
} else {
  const serious = (found.high ?? 0) + (found.critical ?? 0);
  console.log(`  ${serious} of high or critical severity`);
  if (serious > 0) {
    console.error('  see: npm audit --omit=dev');
    process.exit(1);
  }
}
