import { SEALED_TABLES, type SealedTable } from '../../audit-sql/fingerprint/index.ts';
import { ChartgateError } from '../../contracts/errors.ts';

/** One audit row as it was when it was sealed. */
export interface Leaf {
  readonly table: SealedTable;
  readonly id: number;
  /** 32 bytes, from the server. */
  readonly hash: Buffer;
}

/** Bytes of a leaf: the table's number from 1, the id in 8 bytes, the row's hash. This is what the tree hashes. */
export const LEAF_BYTES = 41;

export function encodeLeaf(leaf: Leaf, into: Buffer, offset: number): void {
  into.writeUInt8(SEALED_TABLES.indexOf(leaf.table) + 1, offset);
  into.writeBigUInt64BE(BigInt(leaf.id), offset + 1);
  leaf.hash.copy(into, offset + 9);
}

/** @throws ChartgateError `seal-broken` for bytes that no leaf has; `hash` is a view into `from` */
export function decodeLeaf(from: Buffer, offset: number): Leaf {
  const table = SEALED_TABLES[from.readUInt8(offset) - 1];
  const id = Number(from.readBigUInt64BE(offset + 1));
  if (table === undefined || !Number.isSafeInteger(id)) {
    throw new ChartgateError('seal-broken', 'The store of sealed rows holds something that is no leaf.');
  }
  return { table, id, hash: from.subarray(offset + 9, offset + LEAF_BYTES) };
}

export function encodeLeaves(leaves: readonly Leaf[]): Buffer {
  const bytes = Buffer.allocUnsafe(leaves.length * LEAF_BYTES);
  leaves.forEach((leaf, index) => {
    encodeLeaf(leaf, bytes, index * LEAF_BYTES);
  });
  return bytes;
}
