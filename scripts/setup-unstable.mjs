// Fetches programs from Debian unstable into a folder of their own, beside the older Debian of this machine:
// apt with its own lists, cache and status, signatures checked against Debian's archive keyring, no root needed.
// What it unpacks is started through its own dynamic loader (`programIn`). Plain JavaScript without packages.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const KEYRINGS = [
  '/usr/share/keyrings/debian-archive-keyring.pgp',
  '/usr/share/keyrings/debian-archive-keyring.gpg',
];
/** Only scripts want these; no server program loads them. */
const NOT_UNPACKED = /^(perl|libperl|libgdbm|libdb5|gcc-|openssl-provider-legacy)/;

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, ...options });
  if (done.error !== undefined) throw new Error(`${command} cannot be run: ${done.error.message}`);
  if (done.status !== 0) {
    throw new Error(
      `${command} ${args[0] ?? ''} failed:\n${`${done.stdout}\n${done.stderr}`.trim().slice(-2000)}`,
    );
  }
  return done.stdout;
}

/** The mirror that this machine's own apt uses for Debian; unstable is in the same place. */
function debianMirror() {
  const listed = run('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI)|$(ORIGIN)|$(LABEL)',
    'Created-By: Packages',
  ]);
  for (const line of listed.split('\n')) {
    const [uri, origin, label] = line.split('|');
    if (origin === 'Debian' && label === 'Debian') return uri;
  }
  throw new Error('apt knows no mirror of Debian on this machine; run apt-get update first.');
}

/** apt's whole world in one folder; the machine's own packages count as not installed. */
function aptConfiguration(folder) {
  const keyring = KEYRINGS.find((file) => existsSync(file));
  if (keyring === undefined) {
    throw new Error(
      "Debian's archive keyring is missing, so nothing could be verified. Install it: apt-get install debian-archive-keyring",
    );
  }
  for (const part of ['state/lists/partial', 'cache/archives/partial', 'parts']) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  writeFileSync(join(folder, 'state/status'), '');
  writeFileSync(join(folder, 'sources.list'), `deb [signed-by=${keyring}] ${debianMirror()} unstable main\n`);
  const settings = {
    'Dir::State': join(folder, 'state'),
    'Dir::State::status': join(folder, 'state/status'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Log': folder,
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': join(folder, 'parts'),
    'Dir::Etc::preferences': join(folder, 'preferences'),
    'Dir::Etc::preferencesparts': join(folder, 'parts'),
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    'APT::Get::AllowUnauthenticated': 'false',
    // The download user `_apt` may not enter a checkout that belongs to somebody else.
    'APT::Sandbox::User': 'root',
  };
  const file = join(folder, 'apt.conf');
  writeFileSync(
    file,
    Object.entries(settings)
      .map(([name, value]) => `${name} "${value}";\n`)
      .join(''),
  );
  return { ...process.env, APT_CONFIG: file, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
}

/** What processes that were killed left beside the target. */
function sweep(target) {
  const parent = dirname(target);
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    const [, pid] = name.startsWith(`${basename(target)}.`) ? (/\.(\d+)\.[0-9a-f]{8}$/.exec(name) ?? []) : [];
    if (pid === undefined) continue;
    try {
      process.kill(Number(pid), 0);
    } catch (error) {
      if (error.code === 'ESRCH') rmSync(join(parent, name), { recursive: true, force: true });
    }
  }
}

/** The program of an unpacked folder: the command line that runs it with that folder's own libraries. */
export function programIn(target, path) {
  const multiarch = join(target, 'root/usr/lib', readFileSync(join(target, 'multiarch'), 'utf8').trim());
  const loader = readdirSync(multiarch).find((name) => /^ld-linux.*\.so\.\d+$/.test(name));
  if (loader === undefined) throw new Error(`There is no dynamic loader in ${multiarch}.`);
  return [join(multiarch, loader), '--library-path', multiarch, join(target, 'root', path)];
}

/**
 * Puts packages and all that they depend on into `target`/root, unless they are there. `target`/ready says
 * the version. Two that run this at once do not disturb each other: the folder appears whole, by one rename.
 * @returns what `version` said
 */
export function unpackFromUnstable({ target, packages, version, say }) {
  const ready = join(target, 'ready');
  if (existsSync(ready)) return readFileSync(ready, 'utf8').trim();
  mkdirSync(dirname(target), { recursive: true });
  sweep(target);
  const making = `${target}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    const env = aptConfiguration(join(making, 'apt'));
    say(`fetching ${packages.join(', ')} from Debian unstable (about 70 MB) …`);
    run('apt-get', ['update', '-q'], { env });
    run('apt-get', ['install', '--download-only', '-y', '-q', '--no-install-recommends', ...packages], {
      env,
    });
    const archives = join(making, 'apt/cache/archives');
    mkdirSync(join(making, 'root'));
    for (const name of readdirSync(archives)) {
      if (!name.endsWith('.deb') || NOT_UNPACKED.test(name)) continue;
      run('dpkg-deb', ['-x', join(archives, name), join(making, 'root')]);
    }
    const multiarch = readdirSync(join(making, 'root/usr/lib')).find((name) => /-linux-gnu/.test(name));
    if (multiarch === undefined) throw new Error('The packages hold no libraries.');
    writeFileSync(join(making, 'multiarch'), `${multiarch}\n`);
    rmSync(join(making, 'apt'), { recursive: true, force: true });
    for (const part of ['doc', 'man', 'locale', 'icu']) {
      rmSync(join(making, 'root/usr/share', part), { recursive: true, force: true });
    }
    const said = version(making);
    writeFileSync(join(making, 'ready'), `${said}\n`);
    // A folder without `ready` was left by somebody who was stopped in the middle of a removal.
    if (!existsSync(ready)) rmSync(target, { recursive: true, force: true });
    renameSync(making, target);
    return said;
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    // Somebody else was quicker.
    if (existsSync(ready)) return readFileSync(ready, 'utf8').trim();
    throw error;
  }
}

/** What `mysqld --version` and `mariadbd --version` have in common. */
export function serverVersion(target, path) {
  const [command, ...args] = programIn(target, path);
  const said = run(command, [...args, '--no-defaults', '--version']);
  const found = /Ver (\d+)\.(\d+)\.(\d+)[^ ]*/.exec(said);
  if (found === null) throw new Error(`The server does not say its version: ${said.slice(0, 200)}`);
  return { text: found[0].slice(4), major: Number(found[1]), minor: Number(found[2]) };
}

/** Runs a set-up script's one step: prints what it says and ends with 4 when it fails, as `setup.mjs` does. */
export function step(name, work) {
  const quiet = process.argv.includes('--quiet');
  const say = (line) => {
    if (!quiet) console.log(`${name}: ${line}`);
  };
  try {
    work(say);
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    process.exit(4);
  }
}
