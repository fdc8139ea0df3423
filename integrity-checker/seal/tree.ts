import { createHash } from 'node:crypto';

/** Merkle tree hashing of RFC 6962 §2.1 and RFC 9162 §2.1, with SHA-256. */

const LEAF = Buffer.of(0x00);
const NODE = Buffer.of(0x01);

export function leafHash(data: Uint8Array): Buffer {
  return createHash('sha256').update(LEAF).update(data).digest();
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(NODE).update(left).update(right).digest();
}

export const EMPTY_ROOT: Buffer = createHash('sha256').digest();

/** The least power of 2 below `n`, `n` > 1: where RFC 9162 splits a tree. */
export function splitOf(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/**
 * A tree that grows at its right edge: of everything else only the hashes of complete subtrees are kept, one
 * for each bit of its size. Sizes up to 2^53.
 */
export class RightEdge {
  /** By level; undefined where the size's bit is 0. */
  readonly #edge: (Buffer | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Appends a leaf by its hash. */
  push(hash: Buffer): void {
    this.pushSubtree(hash, 0);
  }

  /**
   * Appends a complete subtree of 2^level leaves.
   * @param completed called with every subtree that is complete now, the given one included
   */
  pushSubtree(hash: Buffer, level: number, completed?: (hash: Buffer, level: number) => void): void {
    if (this.#size % 2 ** level !== 0) throw new RangeError('a subtree must begin at a multiple of its size');
    let node = hash;
    let at = level;
    completed?.(node, at);
    for (let left = this.#edge[at]; left !== undefined; left = this.#edge[at]) {
      this.#edge[at] = undefined;
      node = nodeHash(left, node);
      at += 1;
      completed?.(node, at);
    }
    this.#edge[at] = node;
    this.#size += 2 ** level;
  }

  root(): Buffer {
    let root: Buffer | undefined;
    for (const subtree of this.#edge) {
      if (subtree === undefined) continue;
      root = root === undefined ? subtree : nodeHash(subtree, root);
    }
    return root ?? EMPTY_ROOT;
  }
}
