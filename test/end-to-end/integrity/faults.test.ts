import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Bench, startBench } from '../../../measure/integrity/bench.ts';
import { manyTenants } from '../../../measure/integrity/cost/tenants.ts';
import { DECEITS } from '../../../measure/integrity/faults/false-checker.ts';
import { FAULTS, type Scene } from '../../../measure/integrity/faults/faults.ts';
import { injectFaults } from '../../../measure/integrity/faults/run.ts';
import { setScene } from '../../../measure/integrity/faults/scene.ts';
import { stopEverything } from '../../../measure/processes.ts';

/** The short form of the faults of `npm run measure -- integrity`: each once. */

const folder = join(import.meta.dirname, '../../../.work', 'integrity-faults');
// Whole stacks, several database servers: a bound on hanging where the machine is busy.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const quietly = (): void => {};
let bench: Bench;
let scene: Scene;

beforeAll(async () => {
  bench = await startBench(join(folder, 'bench'), { openemr: [] });
  scene = await setScene(bench, join(folder, 'servers'), true);
});
afterAll(async () => {
  await bench?.stop();
  await stopEverything();
});

it('the full run injects at least 300 faults', () => {
  expect(FAULTS.reduce((sum, { times }) => sum + times[0], 0)).toBeGreaterThanOrEqual(300);
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
});

describe('while it lasts nothing unverified passes, and afterwards service comes back by itself', () => {
  // Deceits are cheap and alike: one of three here, all of them in the measurement.
  const deceits = new Set(DECEITS.filter((_, index) => index % 3 === 0).map(({ name }) => name));
  const faults = FAULTS.filter(({ group, name }) => group !== 'false checker' || deceits.has(name));

  it.each(faults.map((fault) => [fault.group, fault.name, fault] as const))(
    '%s: %s',
    async (_, __, fault) => {
      const [found] = await injectFaults(scene, [fault], quietly);
      expect(found).toMatchObject({ forwarded: 0, staleForwarded: 0, failure: '' });
      expect(found?.recoveryMs).toBeDefined();
      if (fault.meanwhile === 'refused') expect(found?.asked).toBeGreaterThan(0);
    },
  );
});

it('one checker keeps several databases apart', async () => {
  const found = await manyTenants(bench, 3, 50, 0.5, quietly);
  expect(found).toMatchObject({ tenants: 3, notIntact: 0, missed: 0, blamed: 0 });
});
