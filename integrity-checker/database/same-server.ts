import { randomBytes } from 'node:crypto';
import type { Connection } from 'mysql2/promise';
import { Trouble } from '../watch/trouble.ts';

async function answers(connection: Connection, sql: string, name: string): Promise<boolean> {
  const [rows] = await connection.query({ sql, values: [name], rowsAsArray: true });
  return Number((rows as unknown as readonly (readonly unknown[])[])[0]?.[0]) === 1;
}

/**
 * Makes sure that two connections have the same server at their other end. A balancer, or an address that moves
 * while they are being made, may give each another one: then the probes would tell of the server that the EMR
 * writes to, and the comparisons of one that nobody tampered with.
 *
 * A lock with a name of our own is seen on that one server only, and takes no privilege.
 * @throws Trouble `database-elsewhere`
 */
export async function sameServer(one: Connection, other: Connection): Promise<void> {
  const name = `chartgate-${randomBytes(16).toString('hex')}`;
  const held = await answers(one, 'SELECT GET_LOCK(?, 0)', name);
  const seen = held && (await answers(other, 'SELECT IS_USED_LOCK(?) IS NOT NULL', name));
  if (!seen) {
    throw new Trouble(
      'database-elsewhere',
      "The checker's connections end at different servers: give it the address of one server, not of a balancer.",
    );
  }
  await one.query({ sql: 'SELECT RELEASE_LOCK(?)', values: [name] });
}
