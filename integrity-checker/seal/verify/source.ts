import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ChartgateError } from '../../../contracts/errors.ts';
import { type Checkpoint, openCheckpoint, splitNotes } from '../checkpoint.ts';
import type { NoteVerifier } from '../note.ts';
import { checkpointsFile, listStore, unavailable } from '../store-files.ts';

/** Where checkpoints are, and the leaves if they are there too. */
export interface SealSource {
  /** Files of checkpoints, in order. */
  readonly files: readonly string[];
  /** Folder with leaves. */
  readonly leaves: string | undefined;
}

/**
 * A store's folder, or a file of checkpoints alone.
 * @throws ChartgateError `seal-unavailable` when there is nothing of the kind
 */
export async function findSource(path: string): Promise<SealSource> {
  let folder: boolean;
  try {
    folder = (await stat(path)).isDirectory();
  } catch (error) {
    throw unavailable('read', error);
  }
  if (!folder) return { files: [path], leaves: undefined };
  const { leaves, checkpoints } = await listStore(path);
  if (checkpoints.length === 0) {
    throw new ChartgateError('seal-unavailable', `There are no checkpoints in ${path}.`);
  }
  return {
    files: checkpoints.map((segment) => join(path, checkpointsFile(segment))),
    leaves: leaves.length > 0 ? path : undefined,
  };
}

/** One entry of the files: a checkpoint with the right signature, or why it is none. */
export interface Read {
  readonly file: string;
  readonly checkpoint: Checkpoint | undefined;
  readonly why: string;
}

/** Every checkpoint in order. An append that a crash cut off is passed over: it never counted. */
export async function* readCheckpoints(
  files: readonly string[],
  verifier: NoteVerifier,
): AsyncGenerator<Read> {
  for (const path of files) {
    let content: string;
    try {
      content = await readFile(path, 'utf8');
    } catch (error) {
      throw unavailable('read', error);
    }
    const file = basename(path);
    const { notes, rest } = splitNotes(content);
    // A single one, as `chartgate audit checkpoint` prints it, has no empty line after it.
    const all = rest.includes('\n\n— ') && rest.endsWith('\n') ? [...notes, rest] : notes;
    for (const note of all) {
      try {
        yield { file, checkpoint: openCheckpoint(note, verifier), why: '' };
      } catch (error) {
        if (!(error instanceof ChartgateError)) throw error;
        yield { file, checkpoint: undefined, why: error.message };
      }
    }
  }
}

/**
 * The last checkpoint of a store or file, as text.
 * @throws ChartgateError `seal-unavailable`, `seal-broken`
 */
export async function lastCheckpoint(path: string): Promise<string> {
  const { files } = await findSource(path);
  for (const file of files.toReversed()) {
    const content = await readFile(file, 'utf8').catch((error) => {
      throw unavailable('read', error);
    });
    const last = splitNotes(content).notes.at(-1);
    if (last !== undefined) return last;
  }
  throw new ChartgateError('seal-unavailable', `There is no complete checkpoint in ${dirname(path)}.`);
}
