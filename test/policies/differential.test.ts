import { expect, test } from 'vitest';
import { runDifferential } from '../../measure/policies/differential/run.ts';

test('the compiled engine and a literal reading of conditions, roles, denials and packs agree', async () => {
  const found = await runDifferential({ short: true, only: undefined, progress: () => {} });
  expect(found.problems).toEqual([]);
  expect(found.figures.differential).toMatchObject({ generated: 20_000, differences: 0, implicit: 0 });
}, 120_000);
