import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Flavour,
  type PrivateDatabase,
  type PrivateDatabaseOptions,
  runAs,
  startPrivate,
  unpackedProgram,
} from './private-database.ts';

/** Where `scripts/setup-mysql.mjs` unpacks MySQL. */
const FOLDER = join(import.meta.dirname, '../../.work/mysql-server');

/** True when MySQL was set up on this machine. */
export function mysqlIsHere(): boolean {
  return existsSync(join(FOLDER, 'ready'));
}

/**
 * The command line of a program of that MySQL, such as `usr/bin/mysqlbinlog`.
 * @throws Error when MySQL was not set up
 */
export function mysqlProgram(path: string): readonly [string, ...string[]] {
  if (!mysqlIsHere()) throw new Error('MySQL is missing; run: node scripts/setup-mysql.mjs');
  return unpackedProgram(FOLDER, path);
}

const SMALL = [
  '--innodb-redo-log-capacity=32M',
  '--innodb-buffer-pool-size=128M',
  '--performance-schema=OFF',
  '--sync-binlog=0',
  // A second protocol with a port of its own, which two servers would fight for.
  '--mysqlx=OFF',
  // Files may be read and written anywhere, as MariaDB allows unless told: tests show what FILE gives away.
  '--secure-file-priv=',
];

function folders(): string[] {
  const usr = join(FOLDER, 'root/usr');
  return [
    `--basedir=${usr}`,
    `--plugin-dir=${join(usr, 'lib/mysql/plugin')}`,
    `--lc-messages-dir=${join(usr, 'share/mysql')}`,
    `--character-sets-dir=${join(usr, 'share/mysql/charsets')}`,
  ];
}

function mysql(): Flavour {
  const command = mysqlProgram('usr/sbin/mysqld');
  return {
    engine: 'mysql',
    name: 'mysql',
    command,
    settings: (extra) => [
      ...folders(),
      ...SMALL,
      // On unless told otherwise, and it costs a write per transaction.
      ...(extra.some((option) => option.startsWith('--log-bin')) ? [] : ['--skip-log-bin']),
    ],
    install: (making) => {
      const [program, ...before] = command;
      const made = spawnSync(
        program,
        [
          ...before,
          '--no-defaults',
          '--initialize-insecure',
          `--datadir=${join(making, 'data')}`,
          `--tmpdir=${making}`,
          ...folders(),
          '--innodb-redo-log-capacity=32M',
          '--skip-log-bin',
          ...runAs(),
        ],
        { encoding: 'utf8' },
      );
      if (made.status !== 0)
        throw new Error(`mysqld --initialize-insecure failed:\n${made.stdout}\n${made.stderr}`);
    },
    // The server's own UUID, made anew at start.
    notCopied: ['auto.cnf', 'ib_buffer_pool'],
  };
}

/**
 * Starts a MySQL server of our own: its own data folder, socket and loopback port. Never touches a
 * database service of the machine. It ends with this process, however this process ends.
 */
export async function startPrivateMysql(options: PrivateDatabaseOptions): Promise<PrivateDatabase> {
  return startPrivate(mysql(), options);
}
