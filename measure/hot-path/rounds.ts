import { type Cores, coreSeconds, endedChildrenSeconds, processorSeconds } from '../machine.ts';
import { median, rotated, type Spread, spread } from '../statistics.ts';
import type { BackEnd } from './back-end.ts';
import { type LoadResult, type LoadTarget, runH2load, runWrk, type Tools } from './load.ts';
import { DECISIVE, type Plan } from './plan.ts';
import { type Candidate, requestHeaders, UNCHECKED_TOKEN } from './starting.ts';

export type Protocol = 'http1' | 'http2';

/** One run of the load generator, and what it cost. Shares are of one core, 0 to 1. */
interface Round {
  readonly load: LoadResult;
  /** The subject's own processes. */
  readonly proxyShare: number;
  readonly backEndShare: number;
  readonly generatorShare: number;
  /** Whatever ran on the core; undefined when the cores are not kept apart. */
  readonly proxyCoreShare: number | undefined;
  readonly loadCoreShare: number | undefined;
  readonly stolenShare: number | undefined;
}

export interface SubjectFigures {
  readonly requestsPerSecond: Spread;
  /** Milliseconds. */
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  readonly mean: number | undefined;
  readonly proxyShare: number;
  readonly backEndShare: number;
  readonly generatorShare: number;
  readonly proxyCoreShare: number | undefined;
  readonly loadCoreShare: number | undefined;
  readonly stolenShare: number | undefined;
  /** Processor time of the subject's own processes for each request. */
  readonly microsPerRequest: number | undefined;
  readonly requests: number;
  readonly failures: number;
  /** A round without a single answer: the subject or the generator did not get to run. */
  readonly emptyRound: boolean;
  /** Answers that cannot have held the whole record, judged by the bytes received. */
  readonly shortAnswers: boolean;
}

/**
 * Rounds over all the candidates, each round beginning with another, so that whatever the machine does
 * meanwhile falls on all alike. @returns figures by the subject's name; those without a round are absent
 */
export async function measureRounds(
  protocol: Protocol,
  candidates: readonly Candidate[],
  plan: Plan,
  tools: Tools,
  backEnd: BackEnd,
  cores: Cores | undefined,
  progress: (line: string) => void,
): Promise<Map<string, SubjectFigures>> {
  const { seconds, rounds, otherRounds } = protocol === 'http1' ? plan : plan.http2;
  const collected = new Map<string, Round[]>();
  const able = candidates.filter((candidate) => authorityOf(candidate, protocol) !== undefined);
  for (let round = 0; round < Math.max(rounds, otherRounds); round += 1) {
    for (const candidate of rotated(able, round)) {
      const { name } = candidate.subject;
      if (round >= (DECISIVE[protocol].has(name) ? rounds : otherRounds)) continue;
      const result = await oneRound(protocol, candidate, seconds, tools, backEnd, cores);
      collected.set(name, [...(collected.get(name) ?? []), result]);
    }
    progress(`${protocol === 'http1' ? 'HTTP/1.1' : 'HTTP/2'}: round ${round + 1} done`);
  }
  const figures = new Map<string, SubjectFigures>();
  for (const [name, results] of collected) {
    const summary = summarize(results, backEnd.body.length);
    if (summary !== undefined) figures.set(name, summary);
  }
  return figures;
}

/** The same load without looking, so that compilers, pools and caches are warm. */
export async function warmUp(
  candidates: readonly Candidate[],
  plan: Plan,
  tools: Tools,
  backEnd: BackEnd,
  cores: Cores | undefined,
): Promise<void> {
  for (const candidate of candidates) {
    const { name, compiled } = candidate.subject;
    if (!compiled || plan.warmUpSeconds === 0) continue;
    const seconds = DECISIVE.http1.has(name) ? plan.decisiveWarmUpSeconds : plan.warmUpSeconds;
    await runWrk(tools, await target('http1', candidate, seconds, backEnd, cores?.load));
  }
}

function authorityOf(candidate: Candidate, protocol: Protocol): string | undefined {
  return protocol === 'http1' ? candidate.running.http1 : candidate.running.http2;
}

async function target(
  protocol: Protocol,
  candidate: Candidate,
  seconds: number,
  backEnd: BackEnd,
  core: number | undefined,
): Promise<LoadTarget> {
  return {
    scheme: 'https',
    authority: authorityOf(candidate, protocol) ?? '',
    path: backEnd.path,
    headers: requestHeaders((await candidate.running.token()) ?? UNCHECKED_TOKEN),
    core,
    seconds,
  };
}

async function oneRound(
  protocol: Protocol,
  candidate: Candidate,
  seconds: number,
  tools: Tools,
  backEnd: BackEnd,
  cores: Cores | undefined,
): Promise<Round> {
  const aim = await target(protocol, candidate, seconds, backEnd, cores?.load);
  const pids = candidate.running.pids();
  const before = usage(pids, backEnd, cores);
  const load = await (protocol === 'http2' ? runH2load(tools, aim) : runWrk(tools, aim));
  const after = usage(pids, backEnd, cores);
  const wall = after.at - before.at;
  const share = (from: number | undefined, to: number | undefined): number | undefined =>
    from === undefined || to === undefined ? undefined : (to - from) / wall;
  return {
    load,
    proxyShare: share(before.proxy, after.proxy) ?? 0,
    backEndShare: share(before.backEnd, after.backEnd) ?? 0,
    generatorShare: share(before.generator, after.generator) ?? 0,
    proxyCoreShare: share(before.proxyCore?.busy, after.proxyCore?.busy),
    loadCoreShare: share(before.loadCore?.busy, after.loadCore?.busy),
    stolenShare: share(before.proxyCore?.stolen, after.proxyCore?.stolen),
  };
}

function usage(pids: readonly number[], backEnd: BackEnd, cores: Cores | undefined) {
  return {
    at: performance.now() / 1000,
    proxy: processorSeconds(pids),
    backEnd: processorSeconds(backEnd.pids()),
    generator: endedChildrenSeconds(),
    proxyCore: cores === undefined ? undefined : coreSeconds(cores.proxy),
    loadCore: cores === undefined ? undefined : coreSeconds(cores.load),
  };
}

function summarize(rounds: readonly Round[], bodyBytes: number): SubjectFigures | undefined {
  const requestsPerSecond = spread(rounds.map(({ load }) => load.requestsPerSecond));
  if (requestsPerSecond === undefined) return undefined;
  const middle = (of: (round: Round) => number | undefined): number | undefined => {
    const values = rounds.map(of).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : median(values);
  };
  return {
    requestsPerSecond,
    p50: middle(({ load }) => load.p50),
    p99: middle(({ load }) => load.p99),
    mean: middle(({ load }) => load.mean),
    proxyShare: middle((round) => round.proxyShare) ?? 0,
    backEndShare: middle((round) => round.backEndShare) ?? 0,
    generatorShare: middle((round) => round.generatorShare) ?? 0,
    proxyCoreShare: middle((round) => round.proxyCoreShare),
    loadCoreShare: middle((round) => round.loadCoreShare),
    stolenShare: middle((round) => round.stolenShare),
    microsPerRequest: middle(({ proxyShare, load }) =>
      load.requests === 0 ? undefined : (proxyShare / load.requestsPerSecond) * 1e6,
    ),
    requests: rounds.reduce((sum, { load }) => sum + load.requests, 0),
    failures: rounds.reduce((sum, { load }) => sum + load.failures, 0),
    emptyRound: rounds.some(({ load }) => load.requests === 0),
    shortAnswers: rounds.some(({ load }) => load.bytes < load.requests * bodyBytes),
  };
}

/** What the load side can do without any proxy: plain HTTP, the generator beside the back end and apart from it. */
export async function measureCeilings(
  seconds: number,
  tools: Tools,
  backEnd: BackEnd,
  cores: Cores | undefined,
): Promise<{ readonly shared: LoadResult; readonly apart: LoadResult | undefined }> {
  const aim = (core: number | undefined): LoadTarget => ({
    scheme: 'http',
    authority: `localhost:${backEnd.port}`,
    path: backEnd.path,
    headers: requestHeaders(UNCHECKED_TOKEN),
    core,
    seconds,
  });
  return {
    shared: await runWrk(tools, aim(cores?.load)),
    apart: cores === undefined ? undefined : await runWrk(tools, aim(cores.proxy)),
  };
}
