import { describe, expect, it } from 'vitest';
import { canonicalPath } from '../../gateway/canonical/path.ts';
import { canonicalQuery } from '../../gateway/canonical/query.ts';
import { fuzz } from '../../measure/inspection/fuzz/measure.ts';
import { TARGETS } from '../../measure/inspection/fuzz/targets.ts';

/** A moment of `npm run measure -- inspection --only fuzz`, which takes ten minutes for each. */
describe('whatever bytes a parser of strangers’ input gets, it keeps its promises', () => {
  it.each(TARGETS.map((target) => [target.name, target] as const))('%s', async (_name, target) => {
    const { inputs, faults } = await fuzz(target, 300);
    expect(faults).toEqual([]);
    expect(inputs).toBeGreaterThan(0);
  });

  it('found by it: what is written anew may not be longer than what is taken', () => {
    expect(canonicalPath(`/${"'".repeat(2000)}`)?.text.length).toBe(2001);
    expect(canonicalPath(`/a&${'&'.repeat(1000)}`)).toBeUndefined();
    expect(canonicalQuery(`a=${';'.repeat(4000)}`)).toBeUndefined();
  });
});
