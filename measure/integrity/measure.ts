import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TENANTS } from '../../examples/demo/stack.ts';
import { mysqlIsHere } from '../../examples/support/private-mysql.ts';
import { startBackEnd } from '../hot-path/back-end.ts';
import { describeMachine, workFolder } from '../machine.ts';
import { stopEverything } from '../processes.ts';
import type { MeasureOptions, MeasureResult } from '../report.ts';
import { openemrIsHere, startBench } from './bench.ts';
import { countFalseAlarms } from './catalogue/alarms.ts';
import { runCatalogue } from './catalogue/run.ts';
import { tampersFor } from './catalogue/tampers.ts';
import { ENGINE_TITLES, type Engine, startClinic } from './clinic.ts';
import { naiveChecks } from './cost/naive.ts';
import { costRound, type Round } from './cost/rounds.ts';
import { manyTenants } from './cost/tenants.ts';
import { verdictTimes } from './cost/verdicts.ts';
import { tryOs, trySql } from './credentials/run.ts';
import { FAULTS } from './faults/faults.ts';
import { injectFaults } from './faults/run.ts';
import { setScene } from './faults/scene.ts';
import { merge, type Part } from './parts.ts';
import { PARTS, type PartName, type Plan, planFor } from './plan.ts';
import { alarmsPart, cataloguePart, racePart } from './report/clinic.ts';
import { costPart, tenantsPart } from './report/cost.ts';
import { credentialsPart, faultsPart, sealingPart } from './report/hostile.ts';

type Progress = MeasureOptions['progress'];

/**
 * Proves on real servers, through the real gateway and checker, what integrity promises.
 *
 * @param options.only parts of `PARTS`, `mariadb`, `mysql`
 */
export async function measureIntegrity(options: MeasureOptions): Promise<MeasureResult> {
  const plan = planFor(options.short);
  const folder = workFolder('integrity');
  await rm(folder, { recursive: true, force: true });
  const named = (names: readonly string[]): boolean => names.some((name) => options.only?.has(name) === true);
  const wants = (name: PartName): boolean => !named(PARTS) || options.only?.has(name) === true;
  const engines = plan.engines.filter((engine) => !named(plan.engines) || options.only?.has(engine) === true);
  const parts: Part[] = [];
  try {
    const here = engines.filter((engine) => engine !== 'mysql' || mysqlIsHere());
    if (here.length < engines.length) options.progress('MySQL is not on this machine');
    const clinic = (engine: Engine) => clinicParts(engine, plan, folder, wants, options.progress);
    const hostile = [
      ...here.map((engine) => () => clinic(engine)),
      ...(engines.includes('mariadb') ? [() => faultParts(plan, folder, wants, options.progress)] : []),
    ];
    // Nothing of it is a figure of speed that the other would spoil, but there is no hurry either.
    if (plan.short) parts.push(...(await Promise.all(hostile.map((begin) => begin()))).flat());
    else for (const begin of hostile) parts.push(...(await begin()));
    if (engines.includes('mariadb') && wants('cost'))
      parts.push(await cost(plan, join(folder, 'cost'), options.progress));
    // By itself it takes as long as a short run may.
    if (plan.short ? options.only?.has('sealing') : wants('sealing'))
      parts.push(...(await sealing(plan, folder, options.progress)));
  } finally {
    await stopEverything();
  }
  const merged = merge(parts);
  return { ...merged, figures: { machine: describeMachine(), ...merged.figures } };
}

/** Around the demo's EMR. The catalogue comes last: it does the most to the server. */
async function clinicParts(
  engine: Engine,
  plan: Plan,
  folder: string,
  wants: (name: PartName) => boolean,
  progress: Progress,
): Promise<Part[]> {
  const title = ENGINE_TITLES[engine];
  const says = (what: string) => (line: string) => progress(`${title}, ${what}: ${line}`);
  if (!(['alarms', 'race', 'credentials', 'catalogue'] as const).some(wants)) return [];
  progress(`${title}: gateway, checker, EMR and database`);
  const clinic = await startClinic(join(folder, engine), { engine });
  try {
    const parts: Part[] = [];
    if (wants('credentials')) {
      // The database does not matter to them.
      const osAttempts = !plan.short || engine === 'mariadb';
      progress(`${title}: what can be tried with stolen credentials`);
      parts.push(credentialsPart(engine, [await trySql(clinic), osAttempts ? await tryOs(clinic) : []]));
    }
    if (wants('alarms')) {
      progress(`${title}: ${plan.checks} checks of a busy server`);
      parts.push(alarmsPart(engine, await countFalseAlarms(clinic, plan.checks), plan));
    }
    if (wants('race')) {
      progress(
        `${title}: a trigger dropped ${plan.race.drops} times under ${plan.race.writesPerSecond} writes/s`,
      );
      parts.push(racePart(engine, await runRace(clinic, plan, says('race')), plan));
    }
    if (wants('catalogue')) {
      const tampers = tampersFor(engine, plan.short).filter(
        (_, index) => !plan.short || engine === 'mariadb' || index % 2 === 0,
      );
      progress(`${title}: ${tampers.length} tampers`);
      parts.push(
        cataloguePart(engine, tampers.length, await runCatalogue(clinic, tampers, says('catalogue')), plan),
      );
    }
    return parts;
  } finally {
    await clinic.stop();
  }
}

const runRace = async (clinic: Awaited<ReturnType<typeof startClinic>>, plan: Plan, progress: Progress) =>
  (await import('./race/run.ts')).runRace(clinic, plan.race, progress);

/** Around an EMR that answers at once. */
async function faultParts(
  plan: Plan,
  folder: string,
  wants: (name: PartName) => boolean,
  progress: Progress,
): Promise<Part[]> {
  if (!wants('faults') && !wants('tenants')) return [];
  const bench = await startBench(join(folder, 'bench'), { openemr: plan.short ? [] : TENANTS });
  try {
    const parts: Part[] = [];
    if (wants('faults')) {
      const faults = FAULTS.flatMap((fault) =>
        Array.from({ length: fault.times[plan.short ? 1 : 0] }, () => fault),
      );
      progress(`${faults.length} faults`);
      const scene = await setScene(bench, join(folder, 'servers'), !plan.short);
      parts.push(
        faultsPart(
          faults.length,
          await injectFaults(scene, faults, (line) => progress(`faults: ${line}`)),
          plan,
        ),
      );
    }
    if (wants('tenants')) {
      progress(`${plan.tenants.count} databases on one checker`);
      const { count, perSecond, seconds } = plan.tenants;
      parts.push(
        tenantsPart(
          await manyTenants(bench, count, perSecond, seconds, (line) => progress(`tenants: ${line}`)),
          plan,
        ),
      );
    }
    return parts;
  } finally {
    await bench.stop();
  }
}

/** The EMR is a program of its own that costs next to nothing, and so is what sends the requests. */
async function cost(plan: Plan, folder: string, progress: Progress): Promise<Part> {
  const openemr = !plan.short && openemrIsHere();
  const schema = openemr ? "OpenEMR's schema" : "the demo's schema";
  progress(`cost at ${plan.cost.perSecond} requests/s, ${schema}`);
  mkdirSync(folder, { recursive: true });
  const backEnd = await startBackEnd(folder, undefined);
  try {
    for (const kind of ['off', 'strict'] as const) {
      mkdirSync(join(folder, 'www', kind), { recursive: true });
      copyFileSync(backEnd.bodyFile, join(folder, 'www', kind, '1'));
    }
    const bench = await startBench(join(folder, 'bench'), {
      openemr: openemr ? TENANTS : [],
      emr: backEnd.origin,
    });
    try {
      const rounds: Round[] = [];
      for (let round = 0; round < plan.cost.rounds; round += 1) {
        for (const kind of round % 2 === 0 ? (['off', 'strict'] as const) : (['strict', 'off'] as const)) {
          rounds.push(await costRound(bench, kind, plan.cost.perSecond, plan.cost.seconds));
        }
      }
      const { perSecond, seconds } = plan.cost;
      const verdicts = await verdictTimes(bench, perSecond, seconds);
      return costPart(rounds, await naiveChecks(bench, seconds), verdicts, plan, openemr);
    } finally {
      await bench.stop();
    }
  } finally {
    await backEnd.stop();
  }
}

const SEALING = join(import.meta.dirname, 'sealing.ts');

/** The sealing of audit rows has a measurement of its own. */
async function sealing(plan: Plan, folder: string, progress: Progress): Promise<Part[]> {
  if (!existsSync(SEALING)) return [];
  progress('sealing');
  const { measureSealing } = (await import(pathToFileURL(SEALING).href)) as {
    measureSealing(options: {
      readonly short: boolean;
      readonly directory: string;
      readonly progress: Progress;
    }): Promise<Readonly<Record<string, number>>>;
  };
  return [
    sealingPart(await measureSealing({ short: plan.short, directory: join(folder, 'sealing'), progress })),
  ];
}
