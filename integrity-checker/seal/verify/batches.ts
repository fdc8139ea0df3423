import { createHash } from 'node:crypto';
import { SEALED_TABLES, type SealedTable } from '../../../audit-sql/fingerprint/index.ts';
import { type Checkpoint, NO_TABLES, perTable } from '../checkpoint.ts';
import { encodeLeaves, type Leaf } from '../leaf.ts';
import type { NoteVerifier } from '../note.ts';
import type { RowReader } from '../rows.ts';
import { leafHash, RightEdge } from '../tree.ts';
import type { Findings } from './findings.ts';
import { type Moment, momentOf, type OnProgress } from './report.ts';
import type { RowCounts } from './rows.ts';
import { readCheckpoints } from './source.ts';

const ROWS_AT_ONCE = 2_000;

type Reader = Pick<RowReader, 'hashes'>;

export interface BatchOptions {
  readonly files: readonly string[];
  readonly verifier: NoteVerifier;
  readonly reader: Reader;
  readonly last: Checkpoint;
  readonly findings: Findings;
  readonly notes: string[];
  readonly onProgress: OnProgress | undefined;
}

/**
 * Compares the database with the checkpoints alone: each says which ids it sealed, so its leaves can be made
 * from the rows again. What differs is found to within one checkpoint.
 */
export async function compareBatches(options: BatchOptions): Promise<RowCounts> {
  const { files, verifier, reader, last, findings, notes, onProgress } = options;
  const late = await lateIds(files, verifier);
  const edge = new RightEdge();
  let before: Checkpoint | undefined;
  let moment: Moment | undefined;
  let number = 0;
  let rows = 0;
  let whole = true;
  for await (const { checkpoint } of readCheckpoints(files, verifier)) {
    number += 1;
    if (checkpoint === undefined) continue;
    const leaves = await leavesOf(reader, checkpoint, before, late);
    rows += leaves.length;
    const now = momentOf(checkpoint, number);
    const bytes = encodeLeaves(leaves);
    const same = createHash('sha256').update(bytes).digest().equals(checkpoint.batch.digest);
    for (const leaf of leaves) edge.push(leafHash(encodeLeaves([leaf])));
    // What comes late is more; that there are fewer, or as many and others, no transaction explains.
    if (!same && leaves.length > checkpoint.batch.count && isOpen(checkpoint, last)) {
      notes.push(
        `Checkpoint ${number} cannot be compared yet: transactions from before it may still be under way. A later checkpoint will tell.`,
      );
      whole = false;
    } else if (!same) {
      findings.add(difference(checkpoint, before, leaves.length, moment, now));
      whole = false;
    } else if (whole && !edge.root().equals(checkpoint.root)) {
      const sentence = 'The rows up to here make another tree than the checkpoint signs.';
      findings.add({ code: 'checkpoint-contradicts', sentence, after: moment, sealedBy: now });
      whole = false;
    }
    before = checkpoint;
    moment = now;
    onProgress?.({ step: 'rows of checkpoints', done: rows, total: last.size });
  }
  let unsealed = 0;
  for (const table of SEALED_TABLES) {
    unsealed += await countFrom(reader, table, last.tables[table].head + 1);
  }
  return { rows: rows + unsealed, unsealed };
}

/** Ids of the whole log that were sealed after a higher one. */
async function lateIds(
  files: readonly string[],
  verifier: NoteVerifier,
): Promise<Readonly<Record<SealedTable, ReadonlySet<number>>>> {
  const late = perTable(() => new Set<number>());
  for await (const { checkpoint } of readCheckpoints(files, verifier)) {
    for (const table of SEALED_TABLES) {
      for (const [first, end] of checkpoint?.tables[table].late ?? []) {
        for (let id = first; id <= end; id++) late[table].add(id);
      }
    }
  }
  return late;
}

async function leavesOf(
  reader: Reader,
  checkpoint: Checkpoint,
  before: Checkpoint | undefined,
  late: Readonly<Record<SealedTable, ReadonlySet<number>>>,
): Promise<readonly Leaf[]> {
  const leaves: Leaf[] = [];
  for (const table of SEALED_TABLES) {
    const state = checkpoint.tables[table];
    const was = before?.tables[table].head ?? NO_TABLES[table].head;
    for (const [first, end] of state.late) await add(reader, leaves, table, first, end, undefined);
    if (state.head > was) await add(reader, leaves, table, was + 1, state.head, late[table]);
  }
  return leaves;
}

async function add(
  reader: Reader,
  leaves: Leaf[],
  table: SealedTable,
  first: number,
  end: number,
  without: ReadonlySet<number> | undefined,
): Promise<void> {
  let from = first;
  while (from <= end) {
    const rows = await reader.hashes(table, from, end, ROWS_AT_ONCE);
    for (const { id, hash } of rows) if (without?.has(id) !== true) leaves.push({ table, id, hash });
    const last = rows.at(-1);
    if (rows.length < ROWS_AT_ONCE || last === undefined) break;
    from = last.id + 1;
  }
}

/** Whether ids of this batch may still be filled by transactions that the last checkpoint waits for. */
function isOpen(checkpoint: Checkpoint, last: Checkpoint): boolean {
  return SEALED_TABLES.some((table) => checkpoint.tables[table].head > last.tables[table].settled);
}

function difference(
  checkpoint: Checkpoint,
  before: Checkpoint | undefined,
  found: number,
  after: Moment | undefined,
  sealedBy: Moment,
) {
  const { count } = checkpoint.batch;
  const what =
    found < count
      ? `sealed ${count}, still there ${found}`
      : found > count
        ? `sealed ${count}, now there ${found}`
        : `as many as were sealed, ${count}, but not the same`;
  const parts = SEALED_TABLES.flatMap((table) => {
    const first = (before?.tables[table].head ?? NO_TABLES[table].head) + 1;
    const last = checkpoint.tables[table].head;
    return last >= first ? [{ table, first, last, count: undefined }] : [];
  });
  const places = parts.map(({ table, first, last }) => `${table} ${first} to ${last}`).join(', ');
  const [rows] = parts;
  return {
    code: 'batch-differs',
    sentence: `Rows of ${places}: ${what}.`,
    ...(parts.length === 1 && rows !== undefined ? { rows } : {}),
    after,
    sealedBy,
  } as const;
}

async function countFrom(reader: Reader, table: SealedTable, first: number): Promise<number> {
  let count = 0;
  let from = first;
  for (;;) {
    const rows = await reader.hashes(table, from, undefined, ROWS_AT_ONCE);
    count += rows.length;
    const last = rows.at(-1);
    if (rows.length < ROWS_AT_ONCE || last === undefined) return count;
    from = last.id + 1;
  }
}
