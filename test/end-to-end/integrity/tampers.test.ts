import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { countFalseAlarms } from '../../../measure/integrity/catalogue/alarms.ts';
import { runCatalogue } from '../../../measure/integrity/catalogue/run.ts';
import { tampersFor } from '../../../measure/integrity/catalogue/tampers.ts';
import { type Clinic, ENGINES, startClinic } from '../../../measure/integrity/clinic.ts';
import { tryOs, trySql } from '../../../measure/integrity/credentials/run.ts';
import { runRace } from '../../../measure/integrity/race/run.ts';

/** The short form of `npm run measure -- integrity`, around the demo's EMR, on both engines. */

// Whole stacks, several database servers: a bound on hanging where the machine is busy.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const quietly = (): void => {};

it.each(ENGINES)('the full catalogue has at least 45 tampers, each once, for %s', (engine) => {
  const names = tampersFor(engine, false).map(({ name }) => name);
  expect(names.length).toBeGreaterThanOrEqual(45);
  expect(new Set(names).size).toBe(names.length);
});

describe.each(ENGINES)('a clinic on %s', (engine) => {
  let clinic: Clinic;

  beforeAll(async () => {
    clinic = await startClinic(join(import.meta.dirname, '../../../.work', `integrity-${engine}`), {
      engine,
      connections: 16,
    });
  });
  afterAll(() => clinic?.stop());

  it("refuses everything that the checker's SQL user tries", async () => {
    const found = await trySql(clinic);
    expect(found.length).toBeGreaterThanOrEqual(40);
    expect(found.filter(({ refused }) => !refused)).toEqual([]);
  });

  it("refuses everything that the gateway's OS user tries, and the checker lives on", async () => {
    const found = await tryOs(clinic);
    // Started by another user than root, gateway and checker share one account: nothing to try.
    if (clinic.stack.isolation.separate) expect(found?.length).toBeGreaterThanOrEqual(40);
    expect((found ?? []).filter(({ refused }) => !refused)).toEqual([]);
    expect((await clinic.strict()).state).toBe('intact');
  });

  it('raises no alarm on a busy server with temporary tables', async () => {
    const found = await countFalseAlarms(clinic, 200);
    expect(found).toMatchObject({ falseAlarms: 0, codes: [], newEpochs: 0 });
    expect(found.temporaryTables).toBeGreaterThan(0);
  });

  it('answers no write as successful whose row has no audit row, while triggers are dropped', async () => {
    const found = await runRace(clinic, { writesPerSecond: 60, drops: 6 }, quietly);
    expect(found.drops).toEqual({ 'for a moment': 2, 'put back at once': 2, 'behind a lock': 2 });
    expect(found).toMatchObject({
      successWithoutAudit: 0,
      successWithoutRow: 0,
      unannounced: 0,
      logFaults: 0,
    });
    expect(found.answered.success).toBeGreaterThan(0);
    // Whatever has no audit row is in the activity log as such.
    expect(
      Object.keys(found.unauditedRecordedAs).filter((how) => !how.startsWith('unverified-write')),
    ).toEqual([]);
    expect(found.recoveries).toHaveLength(6);
  });

  it.each(tampersFor(engine, true).map((tamper) => [tamper.name, tamper] as const))(
    'forwards nothing after "%s"',
    async (_, tamper) => {
      const [found] = await runCatalogue(clinic, [tamper], quietly);
      expect(found).toMatchObject({ refused: true, forwarded: 0, failure: '' });
      expect(found?.findings).not.toEqual([]);
      expect(found?.recoveryMs).toBeDefined();
    },
  );
});
