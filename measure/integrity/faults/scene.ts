import { readFileSync, writeFileSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RowDataPacket } from 'mysql2/promise';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { startPrivateMariadb } from '../../../examples/support/private-mariadb.ts';
import { onStop } from '../../processes.ts';
import type { Bench } from '../bench.ts';
import type { Scene } from './faults.ts';
import { DatabaseProxy } from './proxy.ts';

/** Puts a proxy between the checker and its database, and makes two more servers to fail over to. */
export async function setScene(bench: Bench, folder: string, withServers: boolean): Promise<Scene> {
  const { stack } = bench;
  const proxy = await DatabaseProxy.start(stack.mariadb.port);
  onStop(() => proxy.close());
  await stack.checker.stop();
  const file = join(stack.layout.checker, 'checker.yaml');
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replaceAll(`port: ${stack.mariadb.port}`, `port: ${proxy.port}`),
  );
  let twin: PrivateDatabase | undefined;
  let stranger: PrivateDatabase | undefined;
  if (withServers) {
    // A copy of a data folder is only whole while nobody writes to it.
    await stack.mariadb.stop();
    const copies = ['twin', 'stranger'].map((name) => join(folder, name));
    for (const copy of copies) {
      await rm(copy, { recursive: true, force: true });
      await cp(stack.mariadb.directory, copy, {
        recursive: true,
        filter: (source) => !/\.(sock|pid)$/.test(source) && !source.endsWith('server.log'),
      });
    }
    await stack.mariadb.restart();
    [twin, stranger] = await Promise.all(
      copies.map((directory) => startPrivateMariadb({ directory, keep: true })),
    );
    for (const server of [twin, stranger]) if (server !== undefined) onStop(() => server.stop());
    if (stranger !== undefined) await changeData(stranger, bench.tenant.schema);
  }
  await stack.checker.start();
  return { bench, proxy, twin, stranger };
}

/** A replica on which nobody ever made the triggers of one table. */
async function changeData(server: PrivateDatabase, schema: string): Promise<void> {
  const connection = await server.connect({ database: schema });
  try {
    const [rows] = await connection.query<RowDataPacket[]>(
      'SELECT TRIGGER_NAME name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? ORDER BY 1 LIMIT 3',
      [schema],
    );
    for (const { name } of rows) await connection.query('DROP TRIGGER ??', [name]);
  } finally {
    await connection.end();
  }
}
