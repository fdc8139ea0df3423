import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  consistencyProof,
  inclusionProof,
  verifyConsistency,
  verifyInclusion,
} from '../../../integrity-checker/seal/proofs.ts';
import { EMPTY_ROOT, leafHash, RightEdge } from '../../../integrity-checker/seal/tree.ts';

/** RFC 6962 §2.1 as it is written: recursive, with nothing kept. */
function naiveRoot(leaves: readonly Buffer[]): Buffer {
  const sha = (...parts: Uint8Array[]): Buffer => {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  if (leaves.length === 0) return sha();
  if (leaves.length === 1) return sha(Buffer.of(0), leaves[0] ?? Buffer.alloc(0));
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha(Buffer.of(1), naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}

const leavesOf = (count: number, seed = 0): Buffer[] =>
  Array.from({ length: count }, (_, index) => Buffer.from(`leaf ${seed} ${index}`));

const subtreesOf =
  (leaves: readonly Buffer[]) =>
  (level: number, index: number): Buffer =>
    naiveRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));

const size = fc.integer({ min: 1, max: 70 });
const flipped = (hash: Buffer): Buffer => Buffer.from(hash.map((byte, at) => (at === 5 ? byte ^ 1 : byte)));

describe('the tree', () => {
  // The reference tree of the Certificate Transparency projects (RFC 6962 §2.1.3 has its shape).
  test('has the roots that other implementations have', () => {
    const inputs = [
      '',
      '00',
      '10',
      '2021',
      '3031',
      '40414243',
      '5051525354555657',
      '606162636465666768696a6b6c6d6e6f',
    ];
    const roots = [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ];
    const edge = new RightEdge();
    expect(edge.root().toString('hex')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    inputs.forEach((input, index) => {
      edge.push(leafHash(Buffer.from(input, 'hex')));
      expect(edge.root().toString('hex')).toBe(roots[index]);
    });
  });

  it('grows as if it were made anew from all its leaves', () => {
    const edge = new RightEdge();
    const leaves = leavesOf(130);
    expect(edge.root()).toEqual(EMPTY_ROOT);
    leaves.forEach((leaf, index) => {
      edge.push(leafHash(leaf));
      expect(edge.size).toBe(index + 1);
      expect(edge.root()).toEqual(naiveRoot(leaves.slice(0, index + 1)));
    });
  });

  it('can be taken up from complete subtrees, and says which are complete', () => {
    const leaves = leavesOf(45);
    const edge = new RightEdge();
    for (let tile = 0; tile < 5; tile++) edge.pushSubtree(subtreesOf(leaves)(3, tile), 3);
    expect(() => edge.pushSubtree(EMPTY_ROOT, 4)).toThrow(RangeError);
    const complete: number[] = [];
    for (const leaf of leaves.slice(40)) {
      edge.pushSubtree(leafHash(leaf), 0, (_, level) => complete.push(level));
    }
    expect(edge.root()).toEqual(naiveRoot(leaves));
    expect(complete).toEqual([0, 0, 1, 0, 0, 1, 2, 0]);
  });
});

describe('proofs', () => {
  it('of inclusion hold for every leaf, and for nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(size, fc.nat(), fc.nat(), async (count, choice, other) => {
        const leaves = leavesOf(count);
        const index = choice % count;
        const root = naiveRoot(leaves);
        const leaf = leafHash(leaves[index] ?? Buffer.alloc(0));
        const proof = await inclusionProof(index, count, subtreesOf(leaves));
        expect(verifyInclusion(leaf, index, count, proof, root)).toBe(true);
        expect(verifyInclusion(flipped(leaf), index, count, proof, root)).toBe(false);
        expect(verifyInclusion(leaf, index, count, proof, flipped(root))).toBe(false);
        expect(verifyInclusion(leaf, index, count, [...proof, root], root)).toBe(false);
        if (proof.length > 0) expect(verifyInclusion(leaf, index, count, proof.slice(1), root)).toBe(false);
        const elsewhere = other % count;
        if (elsewhere !== index) expect(verifyInclusion(leaf, elsewhere, count, proof, root)).toBe(false);
        expect(verifyInclusion(leaf, count, count, proof, root)).toBe(false);
      }),
    );
  });

  it('of consistency hold between a tree and what it grew from, and for nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(size, fc.nat(), async (count, choice) => {
        const leaves = leavesOf(count);
        const first = 1 + (choice % count);
        const older = naiveRoot(leaves.slice(0, first));
        const newer = naiveRoot(leaves);
        const proof = await consistencyProof(first, count, subtreesOf(leaves));
        expect(verifyConsistency(first, older, count, newer, proof)).toBe(true);
        expect(verifyConsistency(first, flipped(older), count, newer, proof)).toBe(false);
        expect(verifyConsistency(first, older, count, flipped(newer), proof)).toBe(false);
        expect(verifyConsistency(first, older, count, newer, [...proof, newer])).toBe(false);
        const rewritten = naiveRoot(leavesOf(count, 1));
        expect(verifyConsistency(first, older, count, rewritten, proof)).toBe(false);
      }),
    );
  });

  it('of what is not there are refused', async () => {
    const leaves = leavesOf(4);
    await expect(inclusionProof(4, 4, subtreesOf(leaves))).rejects.toThrow(RangeError);
    await expect(consistencyProof(0, 4, subtreesOf(leaves))).rejects.toThrow(RangeError);
    await expect(consistencyProof(5, 4, subtreesOf(leaves))).rejects.toThrow(RangeError);
  });
});
