import type { Json } from '../report.ts';
import { ratio, rounded } from '../statistics.ts';
import { type Findings, limitedBy, ratioByProcessorTime, SHIELD, YARDSTICK } from './findings.ts';
import { CONNECTIONS, HTTP2_CONNECTIONS, HTTP2_STREAMS } from './load.ts';
import type { SubjectFigures } from './rounds.ts';

/** Every figure, for programs: rates per second, shares of one core, the rest as its name says. */
export function figures(findings: Findings): { readonly [name: string]: Json } {
  const subjectFigures = (measured: ReadonlyMap<string, SubjectFigures>, name: string): Json => {
    const found = measured.get(name);
    if (found === undefined) return null;
    const median = found.requestsPerSecond.median;
    return {
      requestsPerSecond: rounded(median, 1),
      min: rounded(found.requestsPerSecond.min, 1),
      max: rounded(found.requestsPerSecond.max, 1),
      rounds: found.requestsPerSecond.rounds.map((value) => rounded(value, 1)),
      toPassThrough: decimal(ratio(median, measured.get(YARDSTICK)?.requestsPerSecond.median)),
      toPassThroughByProcessorTime: decimal(ratioByProcessorTime(found, measured.get(YARDSTICK))),
      toModSecurity: decimal(ratio(median, measured.get(SHIELD)?.requestsPerSecond.median)),
      p50Ms: decimal(found.p50),
      p99Ms: decimal(found.p99),
      meanMs: decimal(found.mean),
      proxyCpuShare: rounded(found.proxyShare, 3),
      backEndCpuShare: rounded(found.backEndShare, 3),
      generatorCpuShare: rounded(found.generatorShare, 3),
      proxyCoreShare: decimal(found.proxyCoreShare),
      loadCoreShare: decimal(found.loadCoreShare),
      stolenShare: decimal(found.stolenShare),
      cpuMicrosPerRequest: decimal(found.microsPerRequest),
      limitedBy: limitedBy(found),
      requests: found.requests,
      failures: found.failures,
    };
  };
  const { ceilings } = findings;
  return {
    machine: findings.machine,
    coresApart: findings.separate,
    backEnd: findings.backEnd ?? null,
    connections: CONNECTIONS,
    http2Streams: { connections: HTTP2_CONNECTIONS, streams: HTTP2_STREAMS },
    ceilings:
      ceilings === undefined
        ? null
        : {
            besideGenerator: rounded(ceilings.shared.requestsPerSecond, 1),
            ownCore: ceilings.apart === undefined ? null : rounded(ceilings.apart.requestsPerSecond, 1),
          },
    subjects: Object.fromEntries(
      findings.wanted.map(({ name, title }) => [
        name,
        {
          title,
          version: findings.versions.get(name) ?? null,
          missing: findings.missing.get(name) ?? null,
          http1: subjectFigures(findings.http1, name),
          http2: subjectFigures(findings.http2, name),
        },
      ]),
    ),
  };
}

function decimal(value: number | undefined): number | null {
  return value === undefined ? null : rounded(value, 3);
}
