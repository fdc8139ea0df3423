import { describe, expect, it } from 'vitest';
import { type CostFound, costFloors } from '../../measure/audit/cost/report.ts';
import type { Sample } from '../../measure/audit/cost/rounds.ts';
import { COLUMN_COUNT, insertRows } from '../../measure/audit/cost/table.ts';
import { planFor, STATEMENTS_FLOOR } from '../../measure/audit/plan.ts';
import { type Proven, proofFloors } from '../../measure/audit/proof-report.ts';
import type { Rebuild } from '../../measure/audit/rebuild.ts';
import { Tally } from '../../measure/audit/workload/session.ts';
import { floorState } from '../../measure/report.ts';

const [PROOF] = planFor(false).proofs;

/** A proof that came out so. */
function proven(counts: { equal: number; tables: number; audited: number; unexplained: number }): Proven {
  if (PROOF === undefined) throw new Error('no proof is planned');
  const tally = new Tally();
  tally.statements = STATEMENTS_FLOOR;
  for (let i = 0; i < counts.tables; i += 1) tally.tables.set(`t${i}`, 1);
  const found: Rebuild = {
    workload: { tally, shape: { schema: 'x', tables: [] }, seconds: 1 },
    auditRows: 1,
    void: 0,
    rows: 1,
    tables: counts.tables,
    equal: counts.equal,
    contradictions: 0,
    differences: [],
    seconds: 1,
    log: {
      format: 'chartgate-binlog-coverage/1',
      rowChanges: 1_000_000,
      audited: counts.audited,
      ratio: counts.audited / 1_000_000,
      complete: counts.audited === 1_000_000,
      auditRows: 1,
      tables: [],
      missing: [],
      beyond:
        counts.unexplained === 0
          ? []
          : [{ table: 't', operation: 'update', reason: 'unexplained', rows: counts.unexplained }],
      whileStopped: 0,
      otherObjects: [],
      statements: [],
    },
  };
  return { proof: PROOF, found };
}

const GOOD = { equal: 209, tables: 209, audited: 1_000_000, unexplained: 0 };

describe('what the audit measurement promises', () => {
  it('is 20,000 statements on OpenEMR and on the demo, on both engines', () => {
    const promised = planFor(false).proofs.filter((proof) => proof.promised);
    for (const engine of ['mariadb', 'mysql']) {
      for (const schema of ['openemr', 'demo']) {
        const plans = promised.filter((p) => p.server.engine === engine && p.schema === schema);
        expect(plans.length).toBeGreaterThan(0);
        for (const plan of plans) expect(plan.statements).toBeGreaterThanOrEqual(20_000);
      }
    }
  });

  it.each([
    ['all is well', GOOD, []],
    ['one table of 209 differs', { ...GOOD, equal: 208 }, ['tables rebuilt equal']],
    ['one row change of a million has no audit row', { ...GOOD, audited: 999_999 }, ['binary log']],
    ['one audit row has no reason', { ...GOOD, unexplained: 1 }, ['without a reason']],
  ] as const)('decides rightly when %s', (_, counts, missed) => {
    const found = proofFloors([proven(counts)], STATEMENTS_FLOOR).filter((f) => floorState(f) !== 'met');
    expect(found).toHaveLength(missed.length);
    for (const [index, words] of missed.entries()) expect(found[index]?.name).toContain(words);
  });

  it('passes over what is not on the machine, by name', () => {
    if (PROOF === undefined) throw new Error('no proof is planned');
    const floors = proofFloors([{ proof: PROOF, found: undefined }], STATEMENTS_FLOOR);
    expect(new Set(floors.map(floorState))).toEqual(new Set(['passed over']));
  });

  it('is missed when an insert costs more than 1.3 times one without audit', () => {
    const sample = (variant: Sample['variant'], milliseconds: number): Sample => ({
      round: 1,
      variant,
      task: 'insert',
      milliseconds,
      cpuMilliseconds: 1,
    });
    const found = (audited: number): CostFound => ({
      engine: 'mariadb',
      samples: [sample('plain', 1), sample('audited', audited)],
      setup: undefined,
    });
    const state = (audited: number) =>
      costFloors([found(audited)])
        .filter(({ name }) => name.includes('insert of one row'))
        .map(floorState);
    expect([state(1.29), state(1.31)]).toEqual([['met'], ['missed']]);
  });
});

it('measures with a table of forty columns', () => {
  expect(COLUMN_COUNT).toBe(40);
  expect(insertRows('t', 0, 3)).toBe(insertRows('t', 0, 3));
});
