import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folders and files of the repository that ship; the rest of a checkout is nobody's business at run time. */
const PARTS = [
  'activity-log',
  'audit-sql',
  'bin',
  'cli',
  'config',
  'console',
  'contracts',
  'gateway',
  'identity',
  'inspection',
  'integrity-checker',
  'policies',
  'telemetry',
  'tenant-router',
] as const;

/** Absolute paths of the product's own code and of the packages it may load, in the repository or installed. */
export function codePaths(): readonly string[] {
  const compiled = !import.meta.url.endsWith('.ts');
  const root = fileURLToPath(new URL(compiled ? '../../..' : '../..', import.meta.url)).replace(/\/$/, '');
  const own = compiled ? ['bin', 'config', 'dist'] : PARTS;
  const packages = (createRequire(import.meta.url).resolve.paths('a-package') ?? []).filter((folder) =>
    // Above the package or the checkout only the one that holds the package.
    folder.startsWith(`${root}/`) ? true : folder === dirname(root),
  );
  return (
    [join(root, 'package.json'), ...own.map((part) => join(root, part)), ...packages]
      .filter((path) => existsSync(path))
      // Where a folder is a link, as `npm link` makes them, modules are looked for through it and read behind it.
      .flatMap((path) => [...new Set([path, realpathSync(path)])])
  );
}
