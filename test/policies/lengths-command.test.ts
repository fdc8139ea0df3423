import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { charactersOf, lengthsOf, lengthsYaml } from '../../cli/policy/lengths.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { startServer } from '../audit-sql/support.ts';

const root = join(import.meta.dirname, '../..');
const PASSWORD = join(mkdtempSync(join(tmpdir(), 'lengths-')), 'password');
let server: PrivateDatabase;
beforeAll(async () => {
  server = await startServer('policy-lengths');
  const connection = await server.connect({ multipleStatements: true });
  await connection.query(`CREATE DATABASE emr CHARACTER SET utf8mb4; USE emr;
    CREATE TABLE patient_data (pid BIGINT PRIMARY KEY, fname VARCHAR(50), sex CHAR(1), note TEXT,
      old TINYTEXT CHARACTER SET latin1, born DATE, raw VARBINARY(20));
    CREATE TABLE users (id INT PRIMARY KEY, fname VARCHAR(30), \`on\` VARCHAR(7));
    CREATE USER lister@localhost IDENTIFIED BY 'password-of-a-test'; GRANT SELECT, TRIGGER ON emr.* TO lister@localhost`);
  writeFileSync(PASSWORD, 'password-of-a-test', { mode: 0o600 });
  await connection.end();
});
afterAll(() => server.stop());

function lengths(...args: string[]) {
  return spawnSync(
    join(root, 'node_modules/.bin/node'),
    [
      'bin/chartgate.mjs',
      'policy',
      'lengths',
      '--schema',
      'emr',
      '--socket',
      server.socket,
      '--user',
      'lister',
      '--password-file',
      PASSWORD,
      ...args,
    ],
    { cwd: root, encoding: 'utf8', timeout: 60_000 },
  );
}

describe('chartgate policy lengths', () => {
  it('prints what columns hold, the least of those with one name', () => {
    const { stdout, stderr } = lengths();
    expect(stderr).toBe('');
    expect(parse(stdout)).toEqual({ fname: 30, note: 16_383, old: 255, on: 7, sex: 1 });
    expect(stdout).toContain('fname: 30 # patient_data 50, users 30');
  });

  it('of the tables that are asked for', () => {
    expect(JSON.parse(lengths('--tables', 'patient_data', '--json').stdout)).toMatchObject({ fname: 50 });
    const { status, stderr } = lengths('--tables', 'patients');
    expect(status).not.toBe(0);
    expect(stderr).toContain('has no table patients');
  });
});

it('a column that holds no characters has no length', () => {
  const column = { name: 'a', dataType: 'int', columnType: 'int(10)', characterSet: undefined } as never;
  expect(charactersOf(column)).toBeUndefined();
  expect(lengthsYaml('emr', lengthsOf([]))).toMatch(/^# Characters/);
});
