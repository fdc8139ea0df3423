import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PendingIds } from '../../../integrity-checker/seal/pending.ts';

const NOBODY: ReadonlySet<string> = new Set();
const writing = (...ids: string[]): ReadonlySet<string> => new Set(ids);

describe('ids that were passed over', () => {
  it('stay open while a transaction that may have them is under way', () => {
    const pending = new PendingIds(0);
    pending.advance([1, 2, 5], 0, 0);
    expect(pending.settled).toBe(2);
    pending.settle(writing('a', 'b'), 2_000);
    pending.settle(writing('b', 'c'), 3_000);
    expect(pending.isOpen(3)).toBe(true);
    // c began later and cannot have been given an id before.
    pending.settle(writing('c'), 4_000);
    expect(pending.isOpen(3)).toBe(false);
    expect(pending.settled).toBe(5);
  });

  it('stay open for two seconds whatever is listed: a transaction is listed only after it was given its id', () => {
    const pending = new PendingIds(0);
    pending.advance([2], 0, 0);
    pending.settle(NOBODY, 1_999);
    pending.settle(NOBODY, 1_999);
    expect(pending.isOpen(1)).toBe(true);
    pending.settle(NOBODY, 2_000);
    expect(pending.isOpen(1)).toBe(true);
    pending.settle(NOBODY, 2_001);
    expect(pending.settled).toBe(2);
  });

  it('are filled one by one, in any order', () => {
    const pending = new PendingIds(10);
    pending.advance([15], 0, 7);
    expect(pending.open).toBe(7);
    for (const id of [13, 11, 14, 12]) {
      expect(pending.isOpen(id)).toBe(true);
      pending.fill(id);
      expect(pending.isOpen(id)).toBe(false);
    }
    expect(pending.settled).toBe(15);
    expect(pending.open).toBeUndefined();
    expect(pending.empty).toBe(true);
  });

  it('keep the oldest place at which something was passed over', () => {
    const pending = new PendingIds(0);
    pending.advance([2], 0, 100);
    pending.advance([4], 10, 200);
    pending.fill(3);
    expect(pending.open).toBe(100);
  });

  it('near each other are read in one go', () => {
    const pending = new PendingIds(0);
    pending.advance([2, 4, 100], 0, 0);
    expect(pending.ranges()).toEqual([[1, 99]]);
    pending.advance([200, 202], 0, 0);
    expect(pending.ranges()).toEqual([[1, 201]]);
    const far = new PendingIds(0);
    far.advance([2, ...Array.from({ length: 60 }, (_, index) => index + 3), 64], 0, 0);
    expect(far.ranges()).toEqual([
      [1, 1],
      [63, 63],
    ]);
  });

  it('are exactly those up to the head that were not seen, however the rows come', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (order) => {
        const pending = new PendingIds(0);
        const seen = new Set<number>();
        for (const id of order) {
          if (id > pending.head) pending.advance([id], 0, seen.size);
          else pending.fill(id);
          seen.add(id);
          for (let each = 1; each <= pending.head; each++) expect(pending.isOpen(each)).toBe(!seen.has(each));
        }
        let settled = 0;
        while (seen.has(settled + 1)) settled += 1;
        expect(pending.settled).toBe(settled);
      }),
    );
  });
});
