import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../../examples/support/private-mariadb.ts';
import { describeMachine, separateCores, workFolder } from '../machine.ts';
import { onStop, stopEverything } from '../processes.ts';
import type { MeasureOptions, MeasureResult } from '../report.ts';
import { startBackEnd } from './back-end.ts';
import type { Findings } from './findings.ts';
import { type Tools, writeWrkScript } from './load.ts';
import { FULL, type Plan, SHORT } from './plan.ts';
import { measureCeilings, measureRounds, type SubjectFigures, warmUp } from './rounds.ts';
import { examine, startLineup } from './starting.ts';
import type { Subject } from './subject.ts';
import { SUBJECTS } from './subjects/index.ts';
import { present } from './table.ts';

export interface HotPathSettings {
  readonly plan: Plan;
  readonly subjects: readonly Subject[];
  /** Emptied first, and left for whoever wants to read the logs. */
  readonly directory: string;
}

/** The measurement as the command runs it. */
export async function measureHotPath(options: MeasureOptions): Promise<MeasureResult> {
  return hotPath(options, {
    plan: options.short ? SHORT : FULL,
    subjects: SUBJECTS,
    directory: workFolder('hot-path'),
  });
}

/** Requests per second of every subject, in interleaved rounds in one run. Stops everything it started. */
export async function hotPath(options: MeasureOptions, settings: HotPathSettings): Promise<MeasureResult> {
  const { subjects, directory, plan } = settings;
  const wanted = subjects.filter(({ name }) => options.only?.has(name) ?? true);
  const unknown = [...(options.only ?? [])].filter(
    (name) => !subjects.some((subject) => subject.name === name),
  );
  if (unknown.length > 0) {
    const names = subjects.map(({ name }) => name).join(', ');
    throw new Error(`--only: there is no subject ${unknown.join(', ')}; there are ${names}`);
  }
  const wrk = findProgram('wrk');
  const h2load = findProgram('h2load');
  const nothing = new Map<string, SubjectFigures>();
  const empty: Findings = {
    wanted,
    plan,
    missing: new Map(),
    problems: [],
    versions: new Map(),
    http1: nothing,
    http2: nothing,
    ceilings: undefined,
    backEnd: undefined,
    separate: false,
    h2load: h2load !== undefined,
    machine: describeMachine(),
  };
  if (wrk === undefined) {
    const why = 'the load generator wrk is not installed (Debian: apt-get install wrk)';
    return present({
      ...empty,
      missing: new Map(wanted.map(({ name }) => [name, why])),
      problems: [`nothing was measured: ${why}`],
    });
  }
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const cores = separateCores();
  onStop(async () => cores?.restore());
  try {
    const tools: Tools = { wrk, h2load, wrkScript: await writeWrkScript(directory) };
    const backEnd = await startBackEnd(join(directory, 'back-end'), cores?.load);
    const lineup = await startLineup(wanted, directory, backEnd, cores?.proxy, options.progress);
    const ceilings = await measureCeilings(Math.min(plan.seconds, 2), tools, backEnd, cores);
    options.progress('warming up');
    await warmUp(lineup.candidates, plan, tools, backEnd, cores);
    const rounds = (protocol: 'http1' | 'http2') =>
      measureRounds(protocol, lineup.candidates, plan, tools, backEnd, cores, options.progress);
    const http1 = await rounds('http1');
    const http2 = h2load === undefined ? nothing : await rounds('http2');
    const problems = [...lineup.problems];
    for (const { subject, running } of lineup.candidates) {
      for (const fault of await examine(running, backEnd)) {
        problems.push(`${subject.title}: after the measurement: ${fault}`);
      }
    }
    return present({
      ...empty,
      missing: lineup.missing,
      problems,
      versions: new Map(lineup.candidates.map(({ subject, running }) => [subject.name, running.version])),
      http1,
      http2,
      ceilings,
      backEnd: backEnd.program,
      separate: cores !== undefined,
    });
  } finally {
    await stopEverything();
  }
}
