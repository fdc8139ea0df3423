import { ChartgateError } from '../../../contracts/errors.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type { NoteVerifier } from '../note.ts';
import type { RowReader } from '../rows.ts';
import { LeafFiles } from '../store-files.ts';
import { compareBatches } from './batches.ts';
import { Findings } from './findings.ts';
import { LeafIndex } from './leaf-index.ts';
import { walkLog } from './log.ts';
import { type Moment, momentOf, type OnProgress, type SealReport } from './report.ts';
import { compareRows } from './rows.ts';
import { findSource, readCheckpoints } from './source.ts';

export { type OnProgress, type SealReport, sealReportText, VERIFY_CODES } from './report.ts';
export { lastCheckpoint } from './source.ts';

export interface VerifySealOptions {
  /** A store's folder; or a file of checkpoints alone, with which differences are found to within one checkpoint. */
  readonly path: string;
  readonly verifier: NoteVerifier;
  /** Reads the database; undefined to look at the log alone. */
  readonly reader: Pick<RowReader, 'hashes'> | undefined;
  /** Files with checkpoints that were kept elsewhere: the log must contain them. */
  readonly expected?: readonly string[];
  readonly onProgress?: OnProgress | undefined;
}

/**
 * Compares audit rows with what was sealed. Rows that are written meanwhile do not disturb it.
 * @throws ChartgateError `seal-unavailable` when files cannot be read; the driver's error when the database fails
 */
export async function verifySeal(options: VerifySealOptions): Promise<SealReport> {
  const { verifier, reader, onProgress } = options;
  const { files, leaves: folder } = await findSource(options.path);
  const leaves = folder === undefined ? undefined : new LeafFiles(folder);
  const findings = new Findings();
  const notes: string[] = [];
  try {
    const expected = await keptElsewhere(options.expected ?? [], verifier);
    const index = new LeafIndex(leaves);
    const walked = await walkLog({ files, verifier, leaves, index, expected, findings, onProgress });
    const { last } = walked;
    if (last === undefined) {
      const sentence = 'There is no checkpoint that the given key signed.';
      findings.add({ code: 'checkpoint-invalid', sentence });
    }
    let counts = { rows: 0, unsealed: 0 };
    if (reader !== undefined && last !== undefined) {
      counts =
        leaves === undefined
          ? await compareBatches({ files, verifier, reader, last, findings, notes, onProgress })
          : await compareRows(reader, index, last, findings, onProgress);
    }
    if (findings.toLocate) await locate(files, verifier, findings);
    return {
      ok: findings.none,
      origin: verifier.name,
      precision: reader === undefined ? 'none' : leaves === undefined ? 'checkpoints' : 'leaves',
      findings: findings.list,
      further: findings.further,
      notes,
      last: walked.moment,
      figures: { checkpoints: walked.count, leaves: last?.size ?? 0, ...counts },
    };
  } finally {
    await leaves?.close();
  }
}

/** One more pass, which says between which checkpoints each finding lies. */
async function locate(files: readonly string[], verifier: NoteVerifier, findings: Findings): Promise<void> {
  let before: Moment | undefined;
  let number = 0;
  for await (const { checkpoint } of readCheckpoints(files, verifier)) {
    number += 1;
    if (checkpoint === undefined) continue;
    findings.locate(checkpoint, number, before);
    before = momentOf(checkpoint, number);
  }
}

/** @throws ChartgateError `usage` for a file that holds none with the right signature */
async function keptElsewhere(
  files: readonly string[],
  verifier: NoteVerifier,
): Promise<readonly Checkpoint[]> {
  const kept: Checkpoint[] = [];
  for await (const { checkpoint, file, why } of readCheckpoints(files, verifier)) {
    if (checkpoint === undefined) throw new ChartgateError('usage', `A checkpoint in ${file}: ${why}`);
    kept.push(checkpoint);
  }
  if (files.length > 0 && kept.length === 0) {
    throw new ChartgateError('usage', 'The files of checkpoints kept elsewhere hold none.');
  }
  return kept;
}
