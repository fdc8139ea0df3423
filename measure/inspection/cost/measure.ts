import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../../examples/support/ports.ts';
import { findProgram } from '../../../examples/support/private-mariadb.ts';
import { type BackEnd, RECORD_PATH } from '../../hot-path/back-end.ts';
import { type LoadResult, runWrk, type Tools, writeWrkScript } from '../../hot-path/load.ts';
import { makeCertificates, requestHeaders, UNCHECKED_TOKEN } from '../../hot-path/starting.ts';
import { apache } from '../../hot-path/subjects/apache.ts';
import { atLeast, atMost, part, table } from '../../integrity/parts.ts';
import { family, separateCores, workFolder } from '../../machine.ts';
import { launch, onStop } from '../../processes.ts';
import type { MeasureOptions, MeasureResult } from '../../report.ts';
import { median } from '../../statistics.ts';
import { startScene } from '../scene.ts';
import { newPatient } from './create.ts';
import { headCost } from './head.ts';

const PATH = '/fhir/Patient';

/** What inspection costs: a read's head by itself, and creating a resource beside what most are given as a shield. */
export async function measureCost(options: MeasureOptions): Promise<MeasureResult> {
  const head = headCost();
  options.progress(`the head of a read: ${head.toFixed(2)} µs`);
  const problems: string[] = [];
  const notes: string[] = [];
  const wrk = findProgram('wrk');
  const body = newPatient();
  let ours: readonly LoadResult[] = [];
  let theirs: readonly LoadResult[] = [];
  if (wrk === undefined)
    problems.push('the load generator wrk is not installed (Debian: apt-get install wrk)');
  else {
    const directory = workFolder('inspection-cost');
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true, mode: 0o755 });
    const cores = separateCores();
    onStop(async () => cores?.restore());
    const backEnd = await startTaker(directory, cores?.load);
    const tools = await toolsWith(wrk, directory, body);
    const scene = await startScene({
      directory: join(directory, 'stack'),
      backEnd: backEnd.origin,
      gatewayCpu: cores?.proxy,
      progress: options.progress,
    });
    const certificates = await makeCertificates(directory);
    const apacheFolder = join(directory, 'apache');
    await mkdir(apacheFolder, { recursive: true });
    const started = await apache.start({
      ...certificates,
      directory: apacheFolder,
      backEnd,
      core: cores?.proxy,
    });
    if ('missing' in started) notes.push(started.missing);
    const seconds = options.short ? 2 : 8;
    const rounds = options.short ? 1 : 3;
    const aim = async (authority: string, token: string) => ({
      scheme: 'https' as const,
      authority,
      path: PATH,
      headers: { ...requestHeaders(token), accept: 'application/json', 'content-type': 'application/json' },
      core: cores?.load,
      seconds,
    });
    await runWrk(tools, await aim(scene.authority, await scene.token()));
    for (let round = 0; round < rounds; round += 1) {
      ours = [...ours, await runWrk(tools, await aim(scene.authority, await scene.token()))];
      if (!('missing' in started))
        theirs = [...theirs, await runWrk(tools, await aim(started.http1, UNCHECKED_TOKEN))];
      options.progress(
        `round ${round + 1}: ${ours.at(-1)?.requestsPerSecond.toFixed(0)}/s, ${theirs.at(-1)?.requestsPerSecond.toFixed(0) ?? '–'}/s`,
      );
    }
    const failures = ours.reduce((sum, each) => sum + each.failures, 0);
    if (failures > 0) problems.push(`${failures} creates failed through the gateway`);
    const refused = theirs.reduce((sum, each) => sum + each.failures, 0);
    if (refused > 0)
      notes.push(
        `Apache refused ${refused} of its ${theirs.reduce((sum, each) => sum + each.requests, 0)} creates (it counts as served)`,
      );
  }
  const rate = (of: readonly LoadResult[]): number | undefined =>
    of.length === 0 ? undefined : median(of.map(({ requestsPerSecond }) => requestsPerSecond));
  const mine = rate(ours);
  const peers = rate(theirs);
  const times = mine === undefined || peers === undefined ? undefined : mine / peers;
  return part({
    tables: [
      table(
        `Creating a FHIR resource of ${body.length} bytes, one core, TLS 1.3, 64 connections`,
        ['', 'requests/s', 'median ms'],
        [
          [
            'Chartgate: validation, injection, strict integrity, activity log',
            mine?.toFixed(0) ?? '–',
            ours[0]?.p50?.toFixed(2) ?? '–',
          ],
          [
            'Apache + ModSecurity + Core Rule Set',
            peers?.toFixed(0) ?? '–',
            theirs[0]?.p50?.toFixed(2) ?? '–',
          ],
        ],
      ),
    ],
    floors: [
      atMost('cost: inspection of the head of a typed FHIR read', head, 5, ' µs'),
      atLeast('cost: creates per second of a FHIR resource of 2 KB', mine, 4000),
      {
        ...atLeast('cost: times the rate of Apache with ModSecurity and the Core Rule Set', times, 4),
        optional: peers === undefined,
      },
    ],
    problems,
    notes,
    figures: {
      cost: {
        headMicros: head,
        createsPerSecond: mine ?? null,
        apachePerSecond: peers ?? null,
        bodyBytes: body.length,
      },
    },
  });
}

/** The usual script of the generator, but sending a body. */
async function toolsWith(wrk: string, directory: string, body: Buffer): Promise<Tools> {
  const wrkScript = await writeWrkScript(directory);
  const usual = await readFile(wrkScript, 'utf8');
  await writeFile(wrkScript, `wrk.method = "POST"\nwrk.body = [==[${body.toString('utf8')}]==]\n${usual}`);
  return { wrk, h2load: undefined, wrkScript };
}

/** A back end that takes every body and answers with a few bytes. */
async function startTaker(directory: string, core: number | undefined): Promise<BackEnd> {
  const port = await freePort();
  const body = Buffer.from('{"resourceType":"Patient","id":"1"}');
  const bodyFile = join(directory, 'created.json');
  await writeFile(bodyFile, body);
  const running = await launch({
    name: 'back end',
    command: process.execPath,
    args: [join(import.meta.dirname, 'taker.ts'), String(port), bodyFile],
    core,
    log: join(directory, 'back-end.log'),
    port,
  });
  return {
    program: 'Node',
    host: '127.0.0.1',
    port,
    origin: `http://127.0.0.1:${port}`,
    path: RECORD_PATH,
    bodyFile,
    body,
    pids: () => family(running.pid),
    stop: running.stop,
  };
}
