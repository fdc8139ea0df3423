import { createHash } from 'node:crypto';
import { SEALED_TABLES } from '../../../audit-sql/fingerprint/index.ts';
import { ChartgateError } from '../../../contracts/errors.ts';
import { type Checkpoint, NO_TABLES } from '../checkpoint.ts';
import { LEAF_BYTES } from '../leaf.ts';
import type { NoteVerifier } from '../note.ts';
import type { LeafFiles } from '../store-files.ts';
import { leafHash, RightEdge } from '../tree.ts';
import type { Findings } from './findings.ts';
import type { LeafIndex } from './leaf-index.ts';
import { type Moment, momentOf, type OnProgress } from './report.ts';
import { readCheckpoints } from './source.ts';

const LEAVES_AT_ONCE = 8_192;

/** Why a checkpoint cannot follow the one before it; undefined when it can. */
function contradiction(before: Checkpoint | undefined, next: Checkpoint): string | undefined {
  if (next.size !== (before?.size ?? 0) + next.batch.count)
    return 'its batch is not what lies between their sizes';
  for (const table of SEALED_TABLES) {
    const was = before?.tables[table] ?? NO_TABLES[table];
    const now = next.tables[table];
    if (now.head < was.head || now.settled < was.settled) return `${table} goes back`;
    if (now.late.some(([first, last]) => first <= was.settled || last > was.head)) {
      return `its late rows of ${table} are not among those that were open`;
    }
  }
  return undefined;
}

/** What one walk over the log knows at its end. */
export interface Walked {
  readonly count: number;
  readonly last: Checkpoint | undefined;
  readonly moment: Moment | undefined;
}

export interface WalkOptions {
  readonly files: readonly string[];
  readonly verifier: NoteVerifier;
  readonly leaves: LeafFiles | undefined;
  /** Filled with the leaves. */
  readonly index: LeafIndex;
  /** Kept elsewhere: the log must contain these. */
  readonly expected: readonly Checkpoint[];
  readonly findings: Findings;
  readonly onProgress: OnProgress | undefined;
}

/**
 * Checks the log in itself: every signature, that each checkpoint continues the one before, that the leaves are
 * those that were signed, and that checkpoints kept elsewhere are part of it (RFC 9162 §2.1.4: the tree of one is
 * a prefix of the other's; with all leaves at hand it is simply computed).
 */
export async function walkLog(options: WalkOptions): Promise<Walked> {
  const { files, verifier, findings, onProgress } = options;
  const expected = options.expected.toSorted((a, b) => a.size - b.size);
  const tree = new Tree(options);
  let before: Checkpoint | undefined;
  let moment: Moment | undefined;
  let number = 0;
  for await (const { file, checkpoint, why } of readCheckpoints(files, verifier)) {
    number += 1;
    if (checkpoint === undefined) {
      findings.add({ code: 'checkpoint-invalid', sentence: `Checkpoint ${number}: ${why}`, file });
      continue;
    }
    const fault = contradiction(before, checkpoint);
    if (fault !== undefined) {
      const sentence = `Checkpoint ${number} does not continue the one before it: ${fault}.`;
      findings.add({ code: 'checkpoint-contradicts', sentence, file, after: moment });
    }
    const now = momentOf(checkpoint, number);
    await tree.grow(checkpoint, moment, now);
    for (const kept of expected) {
      if (kept.size === checkpoint.size && !kept.root.equals(checkpoint.root))
        findings.add(forked(kept, now));
    }
    before = checkpoint;
    moment = now;
    onProgress?.({ step: 'checkpoints', done: number, total: undefined });
  }
  for (const kept of expected) {
    if (kept.size > (before?.size ?? 0)) {
      const sentence = `A checkpoint kept elsewhere, of ${kept.time}, signs ${kept.size} rows; this log ends at ${before?.size ?? 0}.`;
      findings.add({ code: 'store-behind', sentence, after: moment });
    }
  }
  return { count: number, last: before, moment };
}

function forked(kept: Checkpoint, now: Moment) {
  return {
    code: 'store-forked',
    sentence: `A checkpoint kept elsewhere, of ${kept.time}, signs another history of the same ${kept.size} rows.`,
    sealedBy: now,
  } as const;
}

/** The tree as the leaves make it. */
class Tree {
  readonly #options: WalkOptions;
  readonly #edge = new RightEdge();
  #size = 0;
  #broken = false;

  constructor(options: WalkOptions) {
    this.#options = options;
  }

  /** Adds the leaves up to a checkpoint and compares what it signs. */
  async grow(checkpoint: Checkpoint, before: Moment | undefined, now: Moment): Promise<void> {
    const { leaves, findings } = this.#options;
    if (leaves === undefined || checkpoint.size < this.#size) return;
    const digest = createHash('sha256');
    try {
      while (this.#size < checkpoint.size) {
        const count = Math.min(LEAVES_AT_ONCE, checkpoint.size - this.#size);
        const bytes = await leaves.read(this.#size, count);
        digest.update(bytes);
        this.#push(bytes, now);
      }
    } catch (error) {
      if (!(error instanceof ChartgateError) || error.code !== 'seal-broken') throw error;
      if (!this.#broken)
        findings.add({ code: 'store-cut', sentence: error.message, after: before, sealedBy: now });
      this.#broken = true;
      return;
    }
    const altered = !digest.digest().equals(checkpoint.batch.digest);
    const otherRoot = !this.#broken && !this.#edge.root().equals(checkpoint.root);
    if (altered || otherRoot) {
      const sentence = altered
        ? "The store's record of rows sealed here is not what the checkpoint signs."
        : "The store's record up to here is not what the checkpoint signs.";
      findings.add({ code: 'store-altered', sentence, after: before, sealedBy: now });
    }
    // Every later root differs too, and says nothing new; batches still do.
    this.#broken ||= otherRoot;
  }

  #push(bytes: Buffer, now: Moment): void {
    const { index, expected, findings } = this.#options;
    for (let offset = 0; offset < bytes.length; offset += LEAF_BYTES) {
      this.#edge.push(leafHash(bytes.subarray(offset, offset + LEAF_BYTES)));
      index.add(bytes, offset, this.#size);
      this.#size += 1;
      for (const kept of expected) {
        if (kept.size !== this.#size || kept.size === now.size || this.#broken) continue;
        if (!kept.root.equals(this.#edge.root())) findings.add(forked(kept, now));
      }
    }
  }
}
