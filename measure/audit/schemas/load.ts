import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { installEmr } from '../../../examples/legacy-emr/seed.ts';
import { awkwardSchema } from './awkward.ts';

/** Schemas that are written to: the demo's, two real EMRs', and one that gathers what is awkward. */
export const SCHEMAS = ['demo', 'openemr', 'librehealth', 'awkward'] as const;
export type SchemaName = (typeof SCHEMAS)[number];

const shared = join(import.meta.dirname, '../../../../shared/data/emr-schemas');
const FILES: Readonly<Record<'openemr' | 'librehealth', string>> = {
  openemr: join(shared, 'openemr-5.sql'),
  librehealth: join(shared, 'librehealth-ehr-2.sql'),
};

/** The real EMRs' schemas belong to other projects and lie beside this one, where they are there at all. */
export function schemaIsHere(name: SchemaName): boolean {
  return name === 'demo' || name === 'awkward' || existsSync(FILES[name]);
}

/** Makes the schema in a database of its own name. The connection must allow several statements. */
export async function loadSchema(
  connection: Connection,
  engine: 'mariadb' | 'mysql',
  name: SchemaName,
): Promise<void> {
  // As the installers of old EMRs ask of a server.
  const strict = engine === 'mariadb' ? 'GLOBAL innodb_strict_mode = OFF, ' : '';
  await connection.query(`SET SESSION sql_mode = '', ${strict}SESSION innodb_strict_mode = OFF`);
  if (name === 'demo') {
    await installEmr(connection, { database: 'demo', clinic: 'Workload', seed: 'workload', patients: 20 });
    return;
  }
  await connection.query(`CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4; USE \`${name}\``);
  if (name === 'awkward') {
    for (const statement of awkwardSchema(engine)) await connection.query(statement);
    return;
  }
  // The client that these were written for drops lines of dashes.
  await connection.query((await readFile(FILES[name], 'utf8')).replace(/^--.*$/gm, ''));
}
