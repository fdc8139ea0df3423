import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeMachine, workFolder } from '../machine.ts';
import { stopEverything } from '../processes.ts';
import type { MeasureOptions, MeasureResult } from '../report.ts';
import { type CostFound, costFigures, costFloors, costTable, setupTable } from './cost/report.ts';
import { costRounds } from './cost/rounds.ts';
import { measureSetup } from './cost/setup-time.ts';
import { type Plan, type Proof, planFor } from './plan.ts';
import {
  coverageTable,
  kindsTable,
  type Proven,
  proofFigures,
  proofFloors,
  proofNotes,
  reconstructionTable,
} from './proof-report.ts';
import { writeAndRebuild } from './rebuild.ts';
import { schemaIsHere } from './schemas/load.ts';
import { ENGINES, type Engine, engineIsHere, startMeasured } from './servers.ts';

/** What `--only` can name. */
const PARTS = ['reconstruction', 'cost'] as const;

/**
 * Proves on real servers that the audit trail tells everything, and measures what it costs.
 *
 * @param options.only `reconstruction` (with the binary log's coverage), `cost`, `mariadb`, `mysql`
 */
export async function measureAudit(options: MeasureOptions): Promise<MeasureResult> {
  const plan = planFor(options.short);
  const folder = workFolder('audit');
  await rm(folder, { recursive: true, force: true });
  const wanted = (names: readonly string[], name: string): boolean =>
    options.only === undefined || !names.some((n) => options.only?.has(n)) || options.only.has(name);
  const engines = ENGINES.filter((engine) => wanted(ENGINES, engine));
  const proofs = wanted(PARTS, 'reconstruction')
    ? plan.proofs.filter((p) => engines.includes(p.server.engine))
    : [];
  const proven: Proven[] = [];
  const costs: CostFound[] = [];
  try {
    // The short form tells no times, so one engine need not wait for the other.
    const lanes = options.short
      ? ENGINES.map((engine) => proofs.filter((proof) => proof.server.engine === engine))
      : [proofs];
    const found = new Map<Proof, Proven['found']>();
    await Promise.all(
      lanes.map(async (lane) => {
        for (const proof of lane) found.set(proof, await prove(proof, folder, options.progress));
      }),
    );
    proven.push(...proofs.map((proof) => ({ proof, found: found.get(proof) })));
    if (wanted(PARTS, 'cost')) {
      for (const engine of engines) {
        if (engineIsHere(engine)) costs.push(await cost(engine, plan, folder, options.progress));
      }
    }
  } finally {
    await stopEverything();
  }
  return {
    tables: [
      ...(proven.length > 0
        ? [reconstructionTable(proven), coverageTable(proven), ...(options.short ? [] : [kindsTable(proven)])]
        : []),
      ...(costs.length > 0 ? [costTable(costs, plan.cost.rounds), setupTable(costs)] : []),
    ],
    floors: [...proofFloors(proven, plan.proofs[0]?.statements ?? 0), ...costFloors(costs)],
    problems: [],
    notes: proofNotes(proven),
    figures: { machine: describeMachine(), proofs: proofFigures(proven), cost: costFigures(costs) },
  };
}

async function prove(
  proof: Proof,
  folder: string,
  progress: (line: string) => void,
): Promise<Proven['found']> {
  const { server: kind, schema } = proof;
  const name = `${kind.title}, ${schema}`;
  if (!engineIsHere(kind.engine) || !schemaIsHere(schema)) {
    progress(`${name}: not on this machine`);
    return undefined;
  }
  progress(`${name}: ${proof.statements.toLocaleString('en')} statements`);
  const server = await startMeasured(kind.engine, join(folder, schema), {
    durable: false,
    binaryLog: true,
    extra: kind.extra,
  });
  try {
    const found = await writeAndRebuild(server, {
      ...proof,
      seed: `measure ${schema}`,
      cascadesAbove: kind.cascadesAbove === true,
    });
    progress(`${name}: ${found.equal} of ${found.tables} tables equal`);
    return found;
  } finally {
    await server.stop();
  }
}

/** As large as the servers make it unless told otherwise: the small one of tests is full within one bulk insert. */
const USUAL_LOG: Readonly<Record<Engine, readonly string[]>> = {
  mariadb: ['--innodb-log-file-size=96M'],
  mysql: ['--innodb-redo-log-capacity=100M'],
};

async function cost(
  engine: Engine,
  plan: Plan,
  folder: string,
  progress: (line: string) => void,
): Promise<CostFound> {
  progress(`${engine}: cost, ${plan.cost.rounds} rounds`);
  const server = await startMeasured(engine, join(folder, 'cost'), {
    durable: true,
    binaryLog: false,
    extra: USUAL_LOG[engine],
  });
  try {
    const samples = await costRounds(
      server,
      engine === 'mariadb' && plan.cost.versioned ? ['plain', 'audited', 'versioned'] : ['plain', 'audited'],
      plan.cost,
    );
    const setup = schemaIsHere('openemr') ? await measureSetup(server, 'openemr') : undefined;
    return { engine, samples, setup };
  } finally {
    await server.stop();
  }
}
