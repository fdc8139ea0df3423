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

// `systemd-analyze` judges the units; nothing of systemd is started.
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/bin'];
if (!folders.some((folder) => folder && existsSync(join(folder, 'systemd-analyze')))) {
  if (process.getuid?.() !== 0) {
    stop(
      'systemd-analyze is missing. Install it with: sudo apt-get install -y --no-install-recommends systemd',
    );
  }
  const done = spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'systemd'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (done.status !== 0) stop('apt-get could not install systemd; its messages are above.');
}
