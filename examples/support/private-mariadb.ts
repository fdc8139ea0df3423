import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Flavour,
  findProgram,
  type PrivateDatabase,
  type PrivateDatabaseOptions,
  runAs,
  startPrivate,
  unpackedProgram,
} from './private-database.ts';

export { findProgram };
export type PrivateMariadb = PrivateDatabase;
export type PrivateMariadbOptions = PrivateDatabaseOptions;

const LOG_FILE = '--innodb-log-file-size=16M';
const SMALL = [LOG_FILE, '--innodb-buffer-pool-size=128M', '--performance-schema=OFF'];

function mariadb(): Flavour {
  const daemon = findProgram('mariadbd', 'mysqld');
  if (daemon === undefined) throw new Error('mariadbd is missing; run: npm run setup');
  return {
    engine: 'mariadb',
    name: 'mariadb',
    command: [daemon],
    settings: () => SMALL,
    install: (making) => {
      const installer = findProgram('mariadb-install-db');
      if (installer === undefined) throw new Error('mariadb-install-db is missing; run: npm run setup');
      const made = spawnSync(
        installer,
        [
          '--no-defaults',
          `--datadir=${join(making, 'data')}`,
          `--tmpdir=${making}`,
          '--auth-root-authentication-method=normal',
          '--skip-test-db',
          '--skip-name-resolve',
          LOG_FILE,
          ...runAs(),
        ],
        { encoding: 'utf8' },
      );
      if (made.status !== 0) throw new Error(`mariadb-install-db failed:\n${made.stdout}\n${made.stderr}`);
    },
    notCopied: [],
  };
}

/** Where `scripts/setup-mariadb-11.mjs` unpacks a newer MariaDB. */
const NEWER = join(import.meta.dirname, '../../.work/mariadb-11');

/** What `mariadb-install-db` does, but for its belief that the server can be run as it is. */
const SYSTEM_TABLES = [
  'mariadb_system_tables.sql',
  'mariadb_performance_tables.sql',
  'mariadb_system_tables_data.sql',
  'maria_add_gis_sp_bootstrap.sql',
  'mariadb_sys_schema.sql',
];

function newerMariadb(): Flavour {
  const command = unpackedProgram(NEWER, 'usr/sbin/mariadbd');
  const share = join(NEWER, 'root/usr/share/mariadb');
  const folders = [
    `--basedir=${join(NEWER, 'root/usr')}`,
    `--lc-messages-dir=${share}`,
    `--character-sets-dir=${join(share, 'charsets')}`,
  ];
  return {
    engine: 'mariadb',
    name: 'mariadb-11',
    command,
    settings: () => [...folders, ...SMALL],
    install: (making) => {
      const data = join(making, 'data');
      mkdirSync(data);
      const [program, ...before] = command;
      const made = spawnSync(
        program,
        [
          ...before,
          '--no-defaults',
          '--bootstrap',
          `--datadir=${data}`,
          `--tmpdir=${making}`,
          ...folders,
          LOG_FILE,
          '--log-warnings=0',
          '--max-allowed-packet=8M',
          '--net-buffer-length=16K',
          ...runAs(),
        ],
        {
          encoding: 'utf8',
          input: [
            'create database if not exists mysql;',
            'use mysql;',
            'SET @auth_root_socket=NULL;',
            ...SYSTEM_TABLES.map((name) => readFileSync(join(share, name), 'utf8')),
          ].join('\n'),
        },
      );
      if (made.status !== 0) throw new Error(`mariadbd --bootstrap failed:\n${made.stdout}\n${made.stderr}`);
    },
    notCopied: [],
  };
}

/**
 * Starts a MariaDB server of our own: its own data folder, socket and loopback port. Never touches a
 * database service of the machine. It ends with this process, however this process ends.
 */
export async function startPrivateMariadb(
  options: PrivateDatabaseOptions & {
    /** The newer server that `scripts/setup-mariadb-11.mjs` unpacked, instead of the machine's. */
    readonly newer?: boolean;
  },
): Promise<PrivateDatabase> {
  return startPrivate(options.newer === true ? newerMariadb() : mariadb(), options);
}
