import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ChartgateError } from '../../contracts/errors.ts';
import { type Checkpoint, openCheckpoint, signCheckpoint, splitNotes } from './checkpoint.ts';
import { encodeLeaves, LEAF_BYTES, type Leaf } from './leaf.ts';
import type { NoteSigner } from './note.ts';
import {
  broken,
  checkpointsFile,
  HASH_BYTES,
  LeafFiles,
  leavesFile,
  listStore,
  SEGMENT_LEAVES,
  TILE_LEAVES,
  TILE_LEVEL,
  TILES_FILE,
  unavailable,
} from './store-files.ts';
import { leafHash, RightEdge } from './tree.ts';

/** Node's permission model leaves no fdatasync; with O_DSYNC a write returns when it is on the disk (open(2)). */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
const DURABLE = FLAGS | constants.O_DSYNC;
/** A file of checkpoints that is longer gets a successor. */
const CHECKPOINTS_BYTES = 16 * 1024 * 1024;
const LEAVES_AT_ONCE = 8_192;

/** A file that only grows, and that nobody else writes. */
class AppendFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  #length: number;

  private constructor(path: string, handle: FileHandle, length: number) {
    this.#path = path;
    this.#handle = handle;
    this.#length = length;
  }

  static async open(path: string, flags = DURABLE): Promise<AppendFile> {
    const handle = await open(path, flags, 0o600);
    try {
      return new AppendFile(path, handle, (await handle.stat()).size);
    } catch (error) {
      await handle.close().catch(() => {});
      throw error;
    }
  }

  get length(): number {
    return this.#length;
  }

  async append(bytes: Uint8Array): Promise<void> {
    const [mine, there] = await Promise.all([this.#handle.stat(), stat(this.#path)]);
    if (there.ino !== mine.ino || there.dev !== mine.dev || mine.size !== this.#length) {
      throw broken(`${this.#path} was changed by somebody else; is a second checker using it?`);
    }
    await this.#handle.appendFile(bytes);
    this.#length += bytes.length;
  }

  async cut(length: number): Promise<void> {
    await this.#handle.truncate(length);
    this.#length = length;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/**
 * The checker's own record of the rows it has sealed, of one database. Files in a folder of its own, mode 0600,
 * appended and never rewritten:
 *
 * - `leaves-00000000.bin`, 2^20 leaves each: what was sealed, in the order it was seen;
 * - `checkpoints-00000001.txt`: signed checkpoints. A leaf counts once one covers it;
 * - `tiles-8.bin`: the hash of every complete 256 leaves, so that a start need not hash everything.
 *
 * A crash can leave leaves that no checkpoint covers; they are cut off at the next start and their rows are
 * read again. A checkpoint that a crash cut off stays where it is, and the next one begins a new file.
 */
export class SealStore {
  readonly directory: string;
  readonly leaves: LeafFiles;
  readonly #signer: NoteSigner;
  #edge = new RightEdge();
  #last: Checkpoint | undefined;
  #leafFile: AppendFile | undefined;
  #tiles: AppendFile | undefined;
  #checkpoints: { file: AppendFile; segment: number } | undefined;
  /** After a failed write nothing that is held here is sure any more. */
  #failed = false;

  private constructor(directory: string, signer: NoteSigner) {
    this.directory = directory;
    this.leaves = new LeafFiles(directory);
    this.#signer = signer;
  }

  /**
   * @throws ChartgateError `seal-broken` when the store's content is not what its last checkpoint signs,
   *   `seal-unavailable` when files cannot be read or written
   */
  static async open(directory: string, signer: NoteSigner): Promise<SealStore> {
    const store = new SealStore(directory, signer);
    try {
      await store.#open();
      return store;
    } catch (error) {
      await store.close();
      if (error instanceof ChartgateError) throw error;
      throw unavailable('opened', error);
    }
  }

  get origin(): string {
    return this.#signer.name;
  }

  get size(): number {
    return this.#edge.size;
  }

  get last(): Checkpoint | undefined {
    return this.#last;
  }

  async #open(): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const listing = await listStore(this.directory);
    await this.#openCheckpoints(listing.checkpoints);
    const size = this.#last?.size ?? 0;
    const segment = Math.floor(size / SEGMENT_LEAVES);
    for (const later of listing.leaves.filter((each) => each > segment)) {
      await unlink(join(this.directory, leavesFile(later)));
    }
    this.#leafFile = await this.#openCut(leavesFile(segment), (size % SEGMENT_LEAVES) * LEAF_BYTES);
    this.#tiles = await AppendFile.open(join(this.directory, TILES_FILE), FLAGS);
    await this.#growTo(size);
    if (this.#last === undefined || this.#edge.root().equals(this.#last.root)) return;
    // Tiles are not waited for when they are written: after a power failure they may be rubbish.
    this.#edge = new RightEdge();
    await this.#tiles.cut(0);
    await this.#growTo(size);
    if (!this.#edge.root().equals(this.#last.root)) {
      throw broken('The leaves in the store are not those that the last checkpoint signs.');
    }
  }

  /** Opens the last file of checkpoints, or a new one where the last ends in an append that was cut off. */
  async #openCheckpoints(segments: readonly number[]): Promise<void> {
    let next = 1;
    for (const segment of segments.toReversed()) {
      const content = await readFile(join(this.directory, checkpointsFile(segment)), 'utf8');
      const { notes, rest } = splitNotes(content);
      const whole = rest === '' && Buffer.byteLength(content) < CHECKPOINTS_BYTES;
      next = Math.max(next, whole ? segment : segment + 1);
      const last = notes.at(-1);
      if (last === undefined) continue;
      this.#last = openCheckpoint(last, this.#signer);
      break;
    }
    this.#checkpoints = await this.#checkpointFile(next);
  }

  async #checkpointFile(segment: number): Promise<{ file: AppendFile; segment: number }> {
    return { file: await AppendFile.open(join(this.directory, checkpointsFile(segment))), segment };
  }

  async #openCut(name: string, length: number): Promise<AppendFile> {
    const file = await AppendFile.open(join(this.directory, name));
    if (file.length < length) {
      await file.close();
      throw broken(`${name} is shorter than the last checkpoint says.`);
    }
    if (file.length > length) await file.cut(length);
    return file;
  }

  /** Takes the tree up again: from the tiles, and from the leaves after the last one. */
  async #growTo(size: number): Promise<void> {
    const wanted = Math.floor(size / TILE_LEAVES);
    const bytes = await readFile(join(this.directory, TILES_FILE));
    const usable = Math.min(wanted, Math.floor(bytes.length / HASH_BYTES));
    if (bytes.length > usable * HASH_BYTES) await this.#tiles?.cut(usable * HASH_BYTES);
    for (let tile = 0; tile < usable; tile++) {
      this.#edge.pushSubtree(bytes.subarray(tile * HASH_BYTES, (tile + 1) * HASH_BYTES), TILE_LEVEL);
    }
    while (this.#edge.size < size) {
      const count = Math.min(LEAVES_AT_ONCE, size - this.#edge.size);
      const tiles = this.#push(await this.leaves.read(this.#edge.size, count));
      if (tiles.length > 0) await this.#tiles?.append(tiles);
    }
  }

  /** @returns the hashes of the tiles that are complete now */
  #push(leaves: Buffer): Buffer {
    const tiles: Buffer[] = [];
    for (let offset = 0; offset < leaves.length; offset += LEAF_BYTES) {
      this.#edge.pushSubtree(leafHash(leaves.subarray(offset, offset + LEAF_BYTES)), 0, (hash, level) => {
        if (level === TILE_LEVEL) tiles.push(hash);
      });
    }
    return Buffer.concat(tiles);
  }

  /**
   * Adds leaves and the checkpoint that covers them; both are on the disk when this resolves. After an error
   * the store must be opened anew.
   * @param make the checkpoint for the size and root that the tree then has
   * @throws ChartgateError `seal-broken`, `seal-unavailable`
   */
  async append(
    leaves: readonly Leaf[],
    make: (size: number, root: Buffer) => Checkpoint,
  ): Promise<Checkpoint> {
    if (this.#failed) throw unavailable('written', undefined);
    this.#failed = true;
    try {
      await this.#write(encodeLeaves(leaves));
      const checkpoint = make(this.#edge.size, this.#edge.root());
      const note = Buffer.from(`${signCheckpoint(checkpoint, this.#signer)}\n`);
      if ((this.#checkpoints?.file.length ?? 0) >= CHECKPOINTS_BYTES) {
        const { file, segment } = this.#checkpoints as { file: AppendFile; segment: number };
        this.#checkpoints = await this.#checkpointFile(segment + 1);
        await file.close();
      }
      await this.#checkpoints?.file.append(note);
      this.#last = checkpoint;
      this.#failed = false;
      return checkpoint;
    } catch (error) {
      if (error instanceof ChartgateError) throw error;
      throw unavailable('written', error);
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const within = this.#edge.size % SEGMENT_LEAVES;
      const part = rest.subarray(0, (SEGMENT_LEAVES - within) * LEAF_BYTES);
      rest = rest.subarray(part.length);
      await this.#leafFile?.append(part);
      const tiles = this.#push(part);
      if (tiles.length > 0) await this.#tiles?.append(tiles);
      if (this.#edge.size % SEGMENT_LEAVES === 0) {
        await this.#leafFile?.close();
        const name = leavesFile(this.#edge.size / SEGMENT_LEAVES);
        this.#leafFile = await AppendFile.open(join(this.directory, name));
      }
    }
  }

  async close(): Promise<void> {
    this.#failed = true;
    const files = [this.#leafFile, this.#tiles, this.#checkpoints?.file];
    await Promise.allSettled([this.leaves.close(), ...files.map((file) => file?.close())]);
  }
}
