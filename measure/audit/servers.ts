import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { startPrivateMariadb } from '../../examples/support/private-mariadb.ts';
import { mysqlIsHere, startPrivateMysql } from '../../examples/support/private-mysql.ts';
import { onStop } from '../processes.ts';

export const ENGINES = ['mariadb', 'mysql'] as const;
export type Engine = (typeof ENGINES)[number];

export const ENGINE_TITLES: Readonly<Record<Engine, string>> = { mariadb: 'MariaDB', mysql: 'MySQL' };

export function engineIsHere(engine: Engine): boolean {
  return engine === 'mariadb' || mysqlIsHere();
}

/** A server of the measurement's own; stopped with everything else. */
export async function startMeasured(
  engine: Engine,
  folder: string,
  options: { readonly durable: boolean; readonly binaryLog: boolean; readonly extra?: readonly string[] },
): Promise<PrivateDatabase> {
  const directory = join(folder, engine);
  const extra = [
    '--local-infile=1',
    ...(options.durable
      ? ['--innodb-flush-log-at-trx-commit=1', '--sync-binlog=1', '--innodb-doublewrite=ON']
      : ['--innodb-flush-log-at-trx-commit=0', '--innodb-doublewrite=OFF']),
    ...(options.binaryLog
      ? [
          `--log-bin=${join(directory, 'binlog')}`,
          '--binlog-format=ROW',
          '--binlog-row-image=FULL',
          '--server-id=1',
          ...(engine === 'mysql' ? ['--enforce-gtid-consistency=OFF', '--gtid-mode=OFF'] : []),
        ]
      : []),
    ...(options.extra ?? []),
  ];
  const start = engine === 'mariadb' ? startPrivateMariadb : startPrivateMysql;
  const server = await start({ directory, extra });
  onStop(() => server.stop());
  return server;
}

/** The administrator, who may send several statements at once. */
export function administrator(server: PrivateDatabase, database?: string): Promise<Connection> {
  return server.connect({
    multipleStatements: true,
    charset: 'utf8mb4',
    ...(database === undefined ? {} : { database }),
  });
}
