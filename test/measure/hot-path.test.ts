import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findProgram } from '../../examples/support/private-mariadb.ts';
import { type Findings, limitedBy } from '../../measure/hot-path/findings.ts';
import { hotPath } from '../../measure/hot-path/measure.ts';
import { type Plan, SHORT } from '../../measure/hot-path/plan.ts';
import type { SubjectFigures } from '../../measure/hot-path/rounds.ts';
import { SUBJECTS } from '../../measure/hot-path/subjects/index.ts';
import { present } from '../../measure/hot-path/table.ts';
import { type FloorState, floorState, isOk } from '../../measure/report.ts';

const directory = join(import.meta.dirname, '..', '..', '.work', 'measure-test-hot-path');

const TINY: Plan = {
  warmUpSeconds: 0,
  decisiveWarmUpSeconds: 0,
  seconds: 1,
  rounds: 1,
  otherRounds: 1,
  http2: { seconds: 1, rounds: 1, otherRounds: 0 },
};

test('one tiny round of two subjects gives figures, or names the load generator as missing', async () => {
  const options = { short: true, only: new Set(['answering', 'undici']), progress: () => {} };
  const result = await hotPath(options, { plan: TINY, subjects: SUBJECTS, directory });
  const subjects = result.figures.subjects as Record<string, Record<string, unknown>>;
  expect(Object.keys(subjects)).toEqual(['undici', 'answering']);
  if (findProgram('wrk') === undefined) {
    expect(subjects.undici?.missing).toContain('wrk is not installed');
    expect(result.tables[0]?.rows).toContainEqual(['bare undici pass-through', 'missing']);
    expect(isOk(result)).toBe(false);
    return;
  }
  expect(result.problems).toEqual([]);
  for (const name of ['undici', 'answering']) {
    const figures = subjects[name]?.http1 as { requestsPerSecond: number; failures: number } | null;
    expect(figures?.failures).toBe(0);
    expect(figures?.requestsPerSecond).toBeGreaterThan(0);
  }
  // Chartgate was not asked for: its promise is not kept by not being measured.
  expect(result.floors.map(floorState)).toEqual(['not measured', 'not measured']);
  expect(existsSync(directory)).toBe(true);
});

const measured = (requestsPerSecond: number, change: Partial<SubjectFigures> = {}): SubjectFigures => ({
  requestsPerSecond: {
    median: requestsPerSecond,
    min: requestsPerSecond,
    max: requestsPerSecond,
    rounds: [requestsPerSecond],
  },
  p50: 1,
  p99: 2,
  mean: 1,
  proxyShare: 0.99,
  backEndShare: 0.2,
  generatorShare: 0.3,
  proxyCoreShare: 1,
  loadCoreShare: 0.5,
  stolenShare: 0,
  microsPerRequest: 50,
  requests: 1000,
  failures: 0,
  emptyRound: false,
  shortAnswers: false,
  ...change,
});

const findings = (http1: Record<string, SubjectFigures>, change: Partial<Findings> = {}): Findings => ({
  wanted: SUBJECTS,
  plan: SHORT,
  missing: new Map(),
  problems: [],
  versions: new Map(),
  http1: new Map(Object.entries(http1)),
  http2: new Map(),
  ceilings: undefined,
  backEnd: 'nginx',
  separate: true,
  h2load: true,
  machine: {},
  ...change,
});

const GOOD = { chartgate: measured(9_000), undici: measured(17_000), 'apache-modsecurity': measured(900) };

test('at half the pass-through and five times ModSecurity, the promise is kept', () => {
  const result = present(findings(GOOD));
  expect(result.floors.map(floorState)).toEqual(['met', 'met']);
  expect(isOk(result)).toBe(true);
});

test.each<[Record<string, SubjectFigures>, FloorState[], string]>([
  [{ ...GOOD, chartgate: measured(8_000) }, ['missed', 'met'], 'less than half the pass-through'],
  [{ ...GOOD, 'apache-modsecurity': measured(2_000) }, ['met', 'missed'], 'less than five times ModSecurity'],
  [{ undici: measured(17_000) }, ['not measured', 'not measured'], 'Chartgate itself is not there'],
])('the promise is broken: %#: %s', (http1, states) => {
  const result = present(findings(http1));
  expect(result.floors.map(floorState)).toEqual(states);
  expect(isOk(result)).toBe(false);
});

test('an Apache that is not installed is named and passed over', () => {
  const missing = new Map([['apache-modsecurity', 'Apache is not installed']]);
  const { chartgate, undici } = GOOD;
  const result = present(findings({ chartgate, undici }, { missing }));
  expect(result.floors.map(floorState)).toEqual(['met', 'passed over']);
  expect(result.tables[0]?.footnotes.join()).toContain('Apache is not installed');
  expect(isOk(result)).toBe(true);
});

test('an Apache that is not installed excuses no Chartgate that is not there either', () => {
  const missing = new Map([
    ['apache-modsecurity', 'Apache is not installed'],
    ['chartgate', 'not built yet'],
  ]);
  expect(isOk(present(findings({ undici: GOOD.undici }, { missing })))).toBe(false);
});

test('an Apache whose ModSecurity is off is no excuse', () => {
  const { chartgate, undici } = GOOD;
  const problems = ['Apache + ModSecurity + Core Rule Set: ModSecurity is not on'];
  expect(isOk(present(findings({ chartgate, undici }, { problems })))).toBe(false);
});

test.each([
  [{ failures: 1 }, '1 of 1000 answers were not 2xx'],
  [{ shortAnswers: true }, 'too few bytes'],
  [{ emptyRound: true }, 'a round without a single answer'],
])('a run with %j is invalid', (change, message) => {
  const result = present(findings({ ...GOOD, nginx: measured(40_000, change) }));
  expect(result.problems.join()).toContain(message);
  expect(isOk(result)).toBe(false);
});

test.each<[Partial<SubjectFigures>, string, string]>([
  [{}, 'proxy', 'its own processes filled its core'],
  [{ generatorShare: 0.6, backEndShare: 0.35 }, 'both sides', 'and the load side was full too'],
  [
    { proxyShare: 0.6, proxyCoreShare: 0.6, generatorShare: 0.6, backEndShare: 0.35, loadCoreShare: 1 },
    'load side',
    'it had time left',
  ],
  [{ proxyShare: 0.6 }, 'other work', 'somebody else was on its core'],
  [
    { proxyShare: 0.6, proxyCoreShare: 0.6, loadCoreShare: 1 },
    'other work',
    "somebody else was on the load's core",
  ],
  [{ proxyShare: 0.6, proxyCoreShare: 0.6 }, 'waiting', 'nobody was busy'],
  [{ proxyCoreShare: undefined, loadCoreShare: undefined }, 'unknown', 'the cores were not kept apart'],
])('with %j the limit is %s: %s', (change, expected) => {
  expect(limitedBy(measured(1, change))).toBe(expected);
});
