import fc from 'fast-check';
import { expect, test } from 'vitest';
import { median, ratio, rotated, rounded, spread } from '../../measure/statistics.ts';

test.each([
  [[3], 3],
  [[3, 1], 2],
  [[9, 1, 5], 5],
  [[1, 2, 3, 100], 2.5],
])('the median of %j is %d', (values, expected) => {
  expect(median(values)).toBe(expected);
});

test('the median of nothing is not a number, and its spread is not measured', () => {
  expect(median([])).toBeNaN();
  expect(spread([])).toBeUndefined();
});

test('the median lies within the values and does not depend on their order', () => {
  const values = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(values, (list) => {
      const found = spread(list);
      if (found === undefined) return false;
      expect(found.median).toBeGreaterThanOrEqual(found.min);
      expect(found.median).toBeLessThanOrEqual(found.max);
      expect(median(list.toReversed())).toBe(found.median);
      return true;
    }),
  );
});

test('a spread keeps the rounds in the order they ran', () => {
  expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, rounds: [3, 1, 2] });
});

test.each<[number | undefined, number | undefined, number | undefined, string]>([
  [1, 2, 0.5, 'both measured'],
  [undefined, 2, undefined, 'the first was not measured'],
  [1, undefined, undefined, 'the second was not measured'],
  [1, 0, undefined, 'nothing to compare with'],
  [1, Number.NaN, undefined, 'not a number'],
  [1, -2, undefined, 'a rate is never negative'],
])('the ratio of %s to %s is %s: %s', (of, to, expected) => {
  expect(ratio(of, to)).toBe(expected);
});

test('each round begins with another subject and leaves none out', () => {
  expect(rotated(['a', 'b', 'c'], 4)).toEqual(['b', 'c', 'a']);
  expect(rotated([], 3)).toEqual([]);
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer()), fc.integer({ min: -50, max: 50 }), (items, start) => {
      expect(new Set(rotated(items, start))).toEqual(new Set(items));
      expect(rotated(items, start)).toHaveLength(items.length);
    }),
  );
});

test('rounding keeps as many decimals as asked', () => {
  expect(rounded(1.23456, 2)).toBe(1.23);
});
