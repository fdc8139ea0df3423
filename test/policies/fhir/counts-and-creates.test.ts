import { describe, expect, it } from 'vitest';
import type { Json } from '../../../contracts/content.ts';
import { answerTo, observation, patientA, releaseOf, searchset } from './support.ts';

/** Numbers, and what is said of a record that was there already, speak only of what the caller may see. */

const ALL = patientA('patient/*.cruds');
const COUNT = 'GET /fhir/Observation?_summary=count';
const mine = observation('1', 'Patient/a');
const others = observation('2', 'Patient/b');

describe('_summary=count', () => {
  it.each<[string, Json, number]>([
    ['counts what may be seen', searchset(mine, others, observation('3', 'Patient/a')), 2],
    ['whatever the EMR says it is', { ...searchset(mine, others), total: 9000 }, 1],
    ['and is none where nothing may be seen', searchset(others), 0],
    ['as where nothing was found', { resourceType: 'Bundle', type: 'searchset', total: 0 }, 0],
    [
      'where the EMR counted and gave no resources, it is none',
      { resourceType: 'Bundle', type: 'searchset', total: 7 },
      0,
    ],
  ])('%s', (_what, bundle, total) => {
    expect(answerTo(COUNT, ALL, bundle)).toMatchObject({
      release: 'replaced',
      content: { resourceType: 'Bundle', type: 'searchset', total },
    });
    expect(Object.keys((answerTo(COUNT, ALL, bundle) as { content: object }).content)).toEqual([
      'resourceType',
      'type',
      'total',
    ]);
  });

  it('is not told where more pages would have to be counted', () => {
    const bundle = {
      ...searchset(mine),
      link: [{ relation: 'next', url: 'https://clinic.example/fhir?_getpages=1' }],
    };
    expect(releaseOf(COUNT, ALL, bundle)).toBe('hidden');
  });
});

describe('a create', () => {
  const CREATE = 'POST /fhir/Observation';
  const warning = {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'warning', code: 'duplicate', diagnostics: 'Looks like Jane Doe, Patient/b' }],
  };
  it.each<[string, number, Json | undefined, string]>([
    ['that made something', 201, undefined, 'unchanged'],
    ['that made something, which is shown', 201, mine, 'unchanged'],
    ['that found something, which may be seen', 200, mine, 'unchanged'],
    ["that found somebody else's", 200, others, 'hidden'],
    ['that found something, which is not shown', 200, undefined, 'hidden'],
    ['that found something, with remarks', 200, warning, 'hidden'],
    ['that found something, without content', 204, undefined, 'hidden'],
    ['that met something', 409, warning, 'hidden'],
    ['that met several', 412, undefined, 'hidden'],
  ])('%s: %i', (_what, status, content, release) => {
    expect(releaseOf(CREATE, ALL, content, { status })).toBe(release);
  });

  it('with remarks of the EMR loses them: they may name whom it looks like', () => {
    const judged = answerTo(CREATE, ALL, warning, { status: 201 });
    expect(judged).toMatchObject({ release: 'replaced', content: { resourceType: 'OperationOutcome' } });
    expect(JSON.stringify(judged)).not.toMatch(/Jane|Patient/);
  });
});
