import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PEOPLE_TOUR } from '../../examples/demo/people/tour.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { TOUR } from '../../examples/demo/tour.ts';
import { stackFor } from '../support/stack.ts';

describe('the tour of the demo', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await stackFor('tour', { people: true });
  });
  afterAll(() => stack?.stop());

  it.each([...TOUR, ...PEOPLE_TOUR].map((step) => [step.title, step] as const))(
    '%s',
    async (_title, step) => {
      const report = await step.run(stack);
      expect(report.ok, `sent ${report.sent}\ncame ${report.came}\nwhy ${report.why}`).toBe(true);
    },
  );
});
