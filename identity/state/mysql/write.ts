import { firstVersion, type JudgedOperation, type ReadRow, type WritableRow } from '../rows.ts';
import type { Row, Session } from './session.ts';

/** Changes of one document within a transaction. */

export const COLUMNS =
  'd.id, d.version, d.body, d.indexes, d.created_at AS createdAt, d.expires_at AS expiresAt';

/** Ids, names and values are columns of bytes. */
export function bytes(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

export function readRow(row: Row): ReadRow {
  return {
    id: (row.id as Buffer).toString('latin1'),
    version: Number(row.version),
    body: String(row.body),
    indexes: String(row.indexes),
    createdAt: Number(row.createdAt),
    expiresAt: Number(row.expiresAt),
  };
}

/** @returns false when it cannot be; the caller then undoes the transaction */
export async function apply(session: Session, operation: JudgedOperation, now: number): Promise<boolean> {
  const kind = bytes(operation.kind);
  const id = bytes(operation.id);
  const [found] = await session.rows(
    `SELECT version, indexes, created_at AS createdAt, expires_at AS expiresAt FROM chartgate_document
     WHERE kind = ? AND id = ? FOR UPDATE`,
    [kind, id],
  );
  const live = found !== undefined && Number(found.expiresAt) > now;
  if (operation.do === 'insert') {
    if (live) return false;
    if (found !== undefined) await erase(session, kind, id);
    return put(session, kind, id, operation.row, { version: firstVersion(), createdAt: now }, now);
  }
  if (!live || Number(found.version) !== operation.version) return false;
  if (operation.do === 'replace') {
    const version = operation.version + 1;
    if (found.indexes === operation.row.indexes) {
      await session.run(
        'UPDATE chartgate_document SET version = ?, body = ?, expires_at = ? WHERE kind = ? AND id = ?',
        [version, operation.row.body, operation.row.expiresAt, kind, id],
      );
      return true;
    }
    await erase(session, kind, id);
    return put(session, kind, id, operation.row, { version, createdAt: Number(found.createdAt) }, now);
  }
  await erase(session, kind, id);
  return true;
}

async function put(
  session: Session,
  kind: Buffer,
  id: Buffer,
  row: WritableRow,
  { version, createdAt }: { readonly version: number; readonly createdAt: number },
  now: number,
): Promise<boolean> {
  for (const { name, value, unique } of row.values) {
    const place = [kind, bytes(name), bytes(value)];
    if (unique && !(await vacate(session, place, now))) return false;
    await session.run(
      `INSERT INTO ${unique ? 'chartgate_claim' : 'chartgate_entry'} (kind, name, value, id) VALUES (?, ?, ?, ?)`,
      [...place, id],
    );
  }
  await session.run(
    `INSERT INTO chartgate_document (kind, id, version, body, indexes, created_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    [kind, id, version, row.body, row.indexes, createdAt, row.expiresAt],
  );
  return true;
}

/** A value whose document has expired is free, with all that is left of that document. @returns whether it is */
async function vacate(session: Session, place: readonly Buffer[], now: number): Promise<boolean> {
  const [holder] = await session.rows(
    `SELECT c.id, d.expires_at AS expiresAt FROM chartgate_claim c
     LEFT JOIN chartgate_document d ON d.kind = c.kind AND d.id = c.id
     WHERE c.kind = ? AND c.name = ? AND c.value = ? FOR UPDATE`,
    place,
  );
  if (holder === undefined) return true;
  if (holder.expiresAt !== null && Number(holder.expiresAt) > now) return false;
  await erase(session, place[0] as Buffer, holder.id as Buffer);
  return true;
}

export async function erase(session: Session, kind: Buffer, id: Buffer): Promise<void> {
  for (const table of ['chartgate_entry', 'chartgate_claim', 'chartgate_document']) {
    await session.run(`DELETE FROM ${table} WHERE kind = ? AND id = ?`, [kind, id]);
  }
}
