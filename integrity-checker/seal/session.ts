import type { CheckedDatabase } from '../../contracts/settings.ts';
import { connect } from '../database/connect.ts';
import { guardedRows } from './rows.ts';
import type { SealSession } from './sealer.ts';

/** A connection of the checker's own user, which can call the guard procedures and nothing else. */
export async function openSealSession(database: CheckedDatabase): Promise<SealSession> {
  let destroy = (): void => {};
  // A lost connection fails the query that is under way, and every later one.
  const link = await connect(database, () => destroy());
  destroy = link.destroy;
  return { reader: guardedRows(link.connection.promise(), database.auditSchema), destroy: link.destroy };
}
