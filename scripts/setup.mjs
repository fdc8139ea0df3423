// The one set-up script of `npm run demo` and `npm test`: idempotent, quick when there is nothing to do.
// Plain JavaScript without packages, because it runs before any is installed, on Node 20 or later.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const quiet = process.argv.includes('--quiet');

const say = (line) => {
  if (!quiet) console.log(`setup: ${line}`);
};
const stop = (line) => {
  console.error(`setup: ${line}`);
  process.exit(4);
};
const run = (command, args, options = {}) =>
  spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options });

if (Number(process.versions.node.split('.')[0]) < 20)
  stop(`Node 20 or later is needed; this is ${process.version}.`);

// npm ci, when node_modules is missing or was made from another lock file.
const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const stamp = join(root, 'node_modules', '.chartgate-lock');
const installed = existsSync(stamp) && readFileSync(stamp, 'utf8') === lock;
if (!installed || !existsSync(join(root, 'node_modules', 'node', 'bin', 'node'))) {
  say('installing packages (npm ci) …');
  // Not with the Node in node_modules: npm ci deletes it first.
  const PATH = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .join(delimiter);
  const done = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    env: { ...process.env, PATH },
  });
  if (done.status !== 0) stop('npm ci failed; its messages are above.');
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, lock);
}

// Programs from Debian's packages, where they are missing. None of their services is ever started: the demo and the
// tests run instances of their own.
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'];
const has = (name) => folders.some((folder) => folder && existsSync(join(folder, name)));
const PACKAGES = [
  // The EMR's database.
  { name: 'mariadb-server', here: () => (has('mariadbd') || has('mysqld')) && has('mariadb-install-db') },
  // Limits that several gateways share.
  { name: 'redis-server', here: () => has('redis-server') || has('valkey-server') },
  // In front of several gateways.
  { name: 'haproxy', here: () => has('haproxy') },
  // Reverse tunnels.
  { name: 'openssh-server', here: () => has('sshd') && has('ssh') },
];
const wanted = PACKAGES.filter(({ here }) => !here()).map(({ name }) => name);
if (wanted.length > 0) {
  const list = wanted.join(' ');
  if (process.getuid?.() !== 0 || !has('apt-get')) {
    stop(`Missing: ${list}. Install with: sudo apt-get install -y --no-install-recommends ${list}`);
  }
  say(`installing ${list} from Debian's packages …`);
  // A policy-rc.d that answers 101 keeps a package from starting a service on this machine.
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    if (run('apt-get', ['update', '-qq'], { env }).status !== 0)
      say('apt-get update failed; trying with the lists at hand.');
    const done = run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...wanted], { env });
    if (done.status !== 0) stop(`apt-get could not install ${list}; its messages are above.`);
  } finally {
    if (ours) spawnSync('rm', ['-f', policy]);
  }
}
say('ready.');
