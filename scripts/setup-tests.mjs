// What the tests need besides what the demo needs. Idempotent, quick when there is nothing to do.
// Plain JavaScript without packages, on Node 20 or later.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const stop = (line) => {
  console.error(`setup: ${line}`);
  process.exit(4);
};

// MySQL, beside MariaDB: from Debian unstable, unpacked into a folder of its own.
const mysql = spawnSync(process.execPath, [join(here, 'setup-mysql.mjs'), '--quiet'], { stdio: 'inherit' });
if (mysql.status !== 0) stop('MySQL for the tests could not be made ready; the messages are above.');

// `systemd-analyze` judges the units (nothing of systemd is started); a real browser looks at the pages.
const WANTED = [
  { package: 'systemd', programs: ['systemd-analyze'] },
  { package: 'chromium', programs: ['chromium', 'chromium-browser', 'google-chrome'] },
];
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/bin'];
const missing = WANTED.filter(
  ({ programs }) =>
    !programs.some((name) => folders.some((folder) => folder && existsSync(join(folder, name)))),
).map((wanted) => wanted.package);
if (missing.length > 0) {
  const names = missing.join(' ');
  if (process.getuid?.() !== 0) {
    stop(`missing: ${names}. Install with: sudo apt-get install -y --no-install-recommends ${names}`);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => spawnSync('apt-get', args, { stdio: ['ignore', 'inherit', 'inherit'], env });
  if (apt('update', '-qq').status !== 0)
    console.error('setup: apt-get update failed; trying with the lists at hand.');
  if (apt('install', '-y', '-qq', '--no-install-recommends', ...missing).status !== 0) {
    stop(`apt-get could not install ${names}; its messages are above.`);
  }
}
