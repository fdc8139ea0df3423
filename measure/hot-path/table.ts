import type { Floor, MeasureResult, Table } from '../report.ts';
import { ratio } from '../statistics.ts';
import { figures } from './figures.ts';
import { type Findings, limitedBy, ratioByProcessorTime, SHIELD, YARDSTICK } from './findings.ts';
import { CONNECTIONS, HTTP2_CONNECTIONS, HTTP2_STREAMS, type LoadResult } from './load.ts';
import type { SubjectFigures } from './rounds.ts';
import type { Subject } from './subject.ts';

/** Half of what a bare pass-through does, with everything on. */
export const PASS_THROUGH_FLOOR = 0.5;
/** Times what Apache with ModSecurity and the Core Rule Set does. */
export const MODSECURITY_FLOOR = 5;

/** Time that the hypervisor kept from the proxy's core, from which on the figures are doubtful. */
const STOLEN = 0.03;

/** Findings → tables, floors and problems. Pure. */
export function present(findings: Findings): MeasureResult {
  const { http1, http2, missing } = findings;
  const rate = (name: string, of = http1): number | undefined => of.get(name)?.requestsPerSecond.median;
  const floors: Floor[] = [
    {
      name: 'Chartgate, everything on, to the bare undici pass-through',
      bound: 'at-least',
      limit: PASS_THROUGH_FLOOR,
      unit: '×',
      measured: ratio(rate('chartgate'), rate(YARDSTICK)),
      optional: false,
    },
    {
      name: 'Chartgate, everything on, to Apache with ModSecurity and the Core Rule Set',
      bound: 'at-least',
      limit: MODSECURITY_FLOOR,
      unit: '×',
      measured: ratio(rate('chartgate'), rate(SHIELD)),
      // Only the peer may be missing; a Chartgate that was not measured has not met anything.
      optional: missing.has(SHIELD) && http1.has('chartgate'),
    },
  ];
  return {
    tables: [http1Table(findings), ...(http2.size > 0 ? [http2Table(findings)] : [])],
    floors,
    problems: [
      ...findings.problems,
      ...faults(findings, http1, 'HTTP/1.1'),
      ...faults(findings, http2, 'HTTP/2'),
    ],
    notes: notes(findings),
    figures: figures(findings),
  };
}

function http1Table(findings: Findings): Table {
  const { http1, plan } = findings;
  const yardstick = http1.get(YARDSTICK)?.requestsPerSecond.median;
  const shield = http1.get(SHIELD)?.requestsPerSecond.median;
  const rows = findings.wanted.map((subject) => {
    const found = http1.get(subject.name);
    if (found === undefined) return [subject.title, absence(findings, subject)];
    const { median, min, max } = found.requestsPerSecond;
    return [
      subject.title,
      count(median),
      `${count(min)}–${count(max)}`,
      times(ratio(median, yardstick)),
      times(ratio(median, shield)),
      milliseconds(found.p50),
      milliseconds(found.p99),
      percent(found.proxyShare),
      percent(found.loadCoreShare),
      found.microsPerRequest?.toFixed(0) ?? '–',
      limitedBy(found),
    ];
  });
  return {
    title: `HTTP/1.1 over TLS 1.3, ${CONNECTIONS} connections, ${plan.rounds} interleaved rounds of ${plan.seconds} s (others ${plan.otherRounds})`,
    columns: [
      { title: 'proxy', align: 'left' },
      { title: 'requests/s', align: 'right' },
      { title: 'min–max', align: 'right' },
      { title: '× undici', align: 'right' },
      { title: '× ModSecurity', align: 'right' },
      { title: 'p50 ms', align: 'right' },
      { title: 'p99 ms', align: 'right' },
      { title: 'proxy CPU', align: 'right' },
      { title: 'load core', align: 'right' },
      { title: 'µs CPU/request', align: 'right' },
      { title: 'limited by', align: 'left' },
    ],
    rows: [...rows, ...ceilingRows(findings)],
    footnotes: findings.wanted.flatMap(({ name, title }) => {
      const why = findings.missing.get(name);
      return why === undefined ? [] : [`${title}: missing: ${why}`];
    }),
  };
}

function http2Table(findings: Findings): Table {
  const { http2, plan } = findings;
  const yardstick = http2.get(YARDSTICK)?.requestsPerSecond.median;
  return {
    title: `HTTP/2 over TLS 1.3, ${HTTP2_CONNECTIONS} connections of ${HTTP2_STREAMS} streams, ${plan.http2.rounds} interleaved rounds of ${plan.http2.seconds} s`,
    columns: [
      { title: 'proxy', align: 'left' },
      { title: 'requests/s', align: 'right' },
      { title: 'min–max', align: 'right' },
      { title: '× undici', align: 'right' },
      { title: 'mean ms', align: 'right' },
      { title: 'proxy CPU', align: 'right' },
      { title: 'load core', align: 'right' },
      { title: 'µs CPU/request', align: 'right' },
      { title: 'limited by', align: 'left' },
    ],
    rows: findings.wanted.flatMap((subject) => {
      const found = http2.get(subject.name);
      if (found === undefined) return [];
      const { median, min, max } = found.requestsPerSecond;
      return [
        [
          subject.title,
          count(median),
          `${count(min)}–${count(max)}`,
          times(ratio(median, yardstick)),
          milliseconds(found.mean),
          percent(found.proxyShare),
          percent(found.loadCoreShare),
          found.microsPerRequest?.toFixed(0) ?? '–',
          limitedBy(found),
        ],
      ];
    }),
    footnotes: [],
  };
}

function ceilingRows({ ceilings, backEnd }: Findings): string[][] {
  if (ceilings === undefined) return [];
  const row = (title: string, load: LoadResult): string[] => [
    title,
    count(load.requestsPerSecond),
    '',
    '',
    '',
    milliseconds(load.p50),
    milliseconds(load.p99),
  ];
  return [
    row(`(${backEnd} back end directly, beside the generator)`, ceilings.shared),
    ...(ceilings.apart === undefined
      ? []
      : [row(`(${backEnd} back end directly, on a core of its own)`, ceilings.apart)]),
  ];
}

function absence({ missing, problems }: Findings, subject: Subject): string {
  if (missing.has(subject.name)) return 'missing';
  return problems.some((problem) => problem.startsWith(subject.title)) ? 'invalid' : '–';
}

/** What makes a run worthless. */
function faults(
  findings: Findings,
  measured: ReadonlyMap<string, SubjectFigures>,
  protocol: string,
): string[] {
  return findings.wanted.flatMap(({ name, title }) => {
    const found = measured.get(name);
    if (found === undefined) return [];
    const problems: string[] = [];
    if (found.failures > 0) {
      problems.push(
        `${title}: ${protocol}: ${found.failures} of ${found.requests} answers were not 2xx, or their connection failed`,
      );
    }
    if (found.emptyRound) problems.push(`${title}: ${protocol}: a round without a single answer`);
    if (found.shortAnswers) problems.push(`${title}: ${protocol}: too few bytes for that many records`);
    return problems;
  });
}

function notes(findings: Findings): string[] {
  const said: string[] = [];
  if (findings.http1.size > 0) {
    said.push(
      findings.separate
        ? 'One core for the proxy under test, the other for load generator and back end (and, for Chartgate, its checker and the database).'
        : 'The cores could not be kept apart (one core only, or no taskset): the figures say little.',
    );
  }
  if (findings.http1.size > 0 && !findings.h2load) {
    said.push('HTTP/2 was not measured: h2load is not installed (Debian: apt-get install nghttp2-client).');
  }
  const byTime = ratioByProcessorTime(findings.http1.get('chartgate'), findings.http1.get(YARDSTICK));
  if (byTime !== undefined) {
    said.push(
      `By processor time for each request, which busy neighbours disturb least, Chartgate does ${byTime.toFixed(2)} × the pass-through.`,
    );
  }
  for (const { name, title } of findings.wanted) {
    const found = findings.http1.get(name);
    if (found === undefined) continue;
    const limit = limitedBy(found);
    if (limit === 'load side')
      said.push(`${title} had time left: its figure is what the load side could do.`);
    if (limit === 'other work')
      said.push(`${title}: work of others took part of a core; its figure is too low.`);
    if (limit === 'waiting') said.push(`${title}: neither core was busy; it was waiting for something.`);
    if ((found.stolenShare ?? 0) > STOLEN) {
      said.push(`${title}: the hypervisor kept ${percent(found.stolenShare)} of the core's time to itself.`);
    }
  }
  return said;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function times(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(2);
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(1);
}

function percent(value: number | undefined): string {
  return value === undefined ? '–' : `${Math.round(value * 100)} %`;
}
