import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AttemptLimits } from '../../../identity/attempts.ts';
import { DEFAULT_FACTOR_LIMITS, guessBudget } from '../../../identity/factors/index.ts';
import { enrol, openRig, type Rig, wrongCode } from './support.ts';

const DAY = 86_400_000;

describe.each([
  ['the default limits', DEFAULT_FACTOR_LIMITS, 100, 'closed'],
  ['no limit in a row', { ...DEFAULT_FACTOR_LIMITS, consecutive: undefined }, 480, 'lock'],
] as const)(
  'guessing one account’s code for 24 hours from any number of addresses, %s',
  (_name, limits, most, by) => {
    let rig: Rig;
    beforeAll(async () => {
      rig = await openRig(limits as AttemptLimits);
    });
    afterAll(() => rig.close());

    it(`gets ${most} guesses checked, as computed`, async () => {
      const budget = guessBudget(limits as AttemptLimits);
      expect(budget).toMatchObject({ tries: most, by });
      expect(budget.probability).toBeCloseTo((most * 3) / 1_000_000, 5);

      const { principal, key } = await enrol(rig);
      const begin = rig.clock.wall();
      let checked = 0;
      let source = 0;
      while (rig.clock.wall() < begin + DAY) {
        // As many as are let through, each from an address of its own, then on to the end of the lock.
        source += 1;
        const code = wrongCode(key, rig.clock.wall());
        const answer = await rig.factors.verify({
          principal,
          method: 'totp',
          code,
          source: `2001:db8:${source.toString(16)}::1`,
        });
        if (answer.ok) throw new Error('accepted');
        if (answer.why === 'code-wrong') checked += 1;
        else if (answer.why === 'locked-account') rig.clock.move((answer.retryAfter ?? 0) * 1000);
        else if (answer.why === 'closed') rig.clock.move(3_600_000);
        else throw new Error(answer.why);
      }
      expect(checked).toBe(most);
      expect(await rig.factors.state(principal)).toMatchObject({ closed: by === 'closed' });
    });
  },
);
