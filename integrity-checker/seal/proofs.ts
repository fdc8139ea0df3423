import { nodeHash, splitOf } from './tree.ts';

/** Hash of the complete subtree of 2^level leaves that begins at leaf `index · 2^level`. */
export type SubtreeHash = (level: number, index: number) => Buffer | Promise<Buffer>;

/** Hash of the leaves from `start` to `end`, `end` not included; `start` is a multiple of a power of 2 ≥ the width. */
async function rangeHash(start: number, end: number, subtree: SubtreeHash): Promise<Buffer> {
  const width = end - start;
  const level = Math.log2(width);
  if (Number.isInteger(level)) return subtree(level, start / width);
  const k = splitOf(width);
  return nodeHash(await rangeHash(start, start + k, subtree), await rangeHash(start + k, end, subtree));
}

/** RFC 9162 §2.1.3.1: that leaf `index` is in the tree of `size` leaves. */
export async function inclusionProof(
  index: number,
  size: number,
  subtree: SubtreeHash,
): Promise<readonly Buffer[]> {
  if (!(index >= 0 && index < size)) throw new RangeError('the leaf is not in the tree');
  const path: Buffer[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      path.push(await rangeHash(middle, end, subtree));
      end = middle;
    } else {
      path.push(await rangeHash(start, middle, subtree));
      start = middle;
    }
  }
  return path.reverse();
}

/** RFC 9162 §2.1.3.2. */
export function verifyInclusion(
  leaf: Buffer,
  index: number,
  size: number,
  proof: readonly Buffer[],
  root: Buffer,
): boolean {
  if (!(index >= 0 && index < size)) return false;
  let first = index;
  let second = size - 1;
  let hash = leaf;
  for (const node of proof) {
    if (second === 0) return false;
    if (first % 2 === 1 || first === second) {
      hash = nodeHash(node, hash);
      while (first % 2 === 0 && first !== 0) {
        first /= 2;
        second = Math.floor(second / 2);
      }
    } else {
      hash = nodeHash(hash, node);
    }
    first = Math.floor(first / 2);
    second = Math.floor(second / 2);
  }
  return second === 0 && hash.equals(root);
}

/** RFC 9162 §2.1.4.1: that the tree of `size` leaves continues the one of `first` leaves. */
export async function consistencyProof(
  first: number,
  size: number,
  subtree: SubtreeHash,
): Promise<readonly Buffer[]> {
  if (!(first > 0 && first <= size)) throw new RangeError('there is no such proof');
  const path: Buffer[] = [];
  let start = 0;
  let end = size;
  // Whether the older tree's part is one whose root the verifier has already.
  let known = true;
  while (first !== end) {
    const middle = start + splitOf(end - start);
    if (first <= middle) {
      path.push(await rangeHash(middle, end, subtree));
      end = middle;
    } else {
      path.push(await rangeHash(start, middle, subtree));
      start = middle;
      known = false;
    }
  }
  if (!known) path.push(await rangeHash(start, end, subtree));
  return path.reverse();
}

/** RFC 9162 §2.1.4.2. */
export function verifyConsistency(
  first: number,
  firstRoot: Buffer,
  size: number,
  root: Buffer,
  proof: readonly Buffer[],
): boolean {
  if (!(first > 0 && first <= size)) return false;
  if (first === size) return proof.length === 0 && firstRoot.equals(root);
  const path = Number.isInteger(Math.log2(first)) ? [firstRoot, ...proof] : [...proof];
  const begin = path.shift();
  if (begin === undefined) return false;
  let older = first - 1;
  let newer = size - 1;
  while (older % 2 === 1) {
    older = Math.floor(older / 2);
    newer = Math.floor(newer / 2);
  }
  let olderHash = begin;
  let newerHash = begin;
  for (const node of path) {
    if (newer === 0) return false;
    if (older % 2 === 1 || older === newer) {
      olderHash = nodeHash(node, olderHash);
      newerHash = nodeHash(node, newerHash);
      while (older % 2 === 0 && older !== 0) {
        older /= 2;
        newer = Math.floor(newer / 2);
      }
    } else {
      newerHash = nodeHash(newerHash, node);
    }
    older = Math.floor(older / 2);
    newer = Math.floor(newer / 2);
  }
  return newer === 0 && olderHash.equals(firstRoot) && newerHash.equals(root);
}
