import type { Connection } from 'mysql2/promise';

/** Clinics whose charts lie in one table, told apart by a column. Everybody in it is invented. */
const SHARED: readonly (readonly [clinic: string, name: string])[] = [
  ['birch', 'Ada Acorn'],
  ['cedar', 'Ben Bramble'],
  ['birch', 'Cleo Clover'],
  ['cedar', 'Dov Dandelion'],
  ['fir', 'Eli Elder'],
  ['birch', 'Fay Fern'],
];

/** Those of clinics that have a database to themselves. */
const OWN = [
  ['Gil Gorse', 'Hal Hazel'],
  ['Ira Iris', 'Jan Juniper'],
] as const;

/** Makes the tables of Manyleaf in a schema of its own, for clinics that share it and for one that has it alone. */
export async function installManyleaf(connection: Connection, schema: string): Promise<void> {
  await connection.query('CREATE DATABASE IF NOT EXISTS ?? CHARACTER SET utf8mb4', [schema]);
  await connection.query('USE ??', [schema]);
  await connection.query(
    'CREATE TABLE chart (id INT AUTO_INCREMENT PRIMARY KEY, clinic VARCHAR(32) NOT NULL, name VARCHAR(64) NOT NULL, note VARCHAR(255) NOT NULL)',
  );
  await connection.query(
    'CREATE TABLE card (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(64) NOT NULL, note VARCHAR(255) NOT NULL)',
  );
  for (const [clinic, name] of SHARED)
    await connection.query('INSERT INTO chart (clinic, name, note) VALUES (?, ?, ?)', [clinic, name, 'none']);
  for (const name of OWN[schema.endsWith('north') ? 0 : 1] ?? [])
    await connection.query('INSERT INTO card (name, note) VALUES (?, ?)', [name, schema]);
}
