import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attemptOf } from '../../measure/inspection/framing/generator.ts';
import { type Intent, unauthorised } from '../../measure/inspection/framing/judge.ts';
import { framing } from '../../measure/inspection/framing.ts';
import { generously, paths } from '../../measure/inspection/paths.ts';
import { floorState } from '../../measure/report.ts';

const work = (name: string) => join(import.meta.dirname, '..', '..', '.work', name);
const options = { short: true, only: undefined, progress: () => {} };

describe('the judge of what reached a back end', () => {
  const intents = new Map<string, Intent>([['ID', { method: 'GET', route: 'fhir-patient-read' }]]);
  const fields = (more: Record<string, string> = {}) =>
    Object.entries({
      host: 'h',
      'x-request-id': 'ID',
      'x-forwarded-user': 'pharmacy',
      'x-forwarded-host': 'h',
      ...more,
    }).flat();
  const seen = (rawHeaders: string[], target = '/fhir/Patient/1', method = 'GET') => ({
    method,
    target,
    rawHeaders,
    body: '',
  });
  const why = (request: Parameters<typeof unauthorised>[0]) => unauthorised(request, intents, new Map(), 'h');

  it('lets pass what was recorded, once', () => {
    expect(why(seen(fields({ accept: '*/*' })))).toBeUndefined();
    const times = new Map([['ID', 1]]);
    expect(unauthorised(seen(fields()), intents, times, 'h')).toMatch(/twice/);
  });

  it.each([
    ['no request id', seen(['host', 'h'])],
    ['an id that was never recorded', seen(fields({ 'x-request-id': 'smuggled' }))],
    ['another method', seen(fields(), '/fhir/Patient/1', 'DELETE')],
    ['another path', seen(fields(), '/smuggled')],
    ['somebody else', seen(fields({ 'x-forwarded-user': 'admin' }))],
    ['two names', seen([...fields(), 'x-forwarded-user', 'admin'])],
    ['another host', seen(fields({ host: 'other' }))],
    ['an underscore alias', seen(fields({ x_forwarded_user: 'admin' }))],
    ['a method override', seen(fields({ 'x-http-method-override': 'DELETE' }))],
    ['what could not be read', seen([], '', 'MALFORMED')],
  ])('finds %s', (_what, request) => {
    expect(why(request)).toBeDefined();
  });
});

describe('what is generated', () => {
  it('is the same for the same seed, and not for another', () => {
    const material = { host: 'h', token: 't' };
    const bytes = (seed: number) => Buffer.concat([...attemptOf(seed, material).pieces]).toString('latin1');
    expect(bytes(7)).toBe(bytes(7));
    expect(new Set(Array.from({ length: 200 }, (_, seed) => bytes(seed))).size).toBeGreaterThan(180);
  });

  it.each([
    ['/static/../fhir/Patient/1', '/fhir/patient/1'],
    ['/static/..%2ffhir/Patient/1', '/fhir/patient/1'],
    ['/static/%252e%252e/fhir/Patient/1', '/fhir/patient/1'],
    ['/static/..;x/fhir\\Patient/1.', '/fhir/patient/1'],
    ['//fhir//Patient/./1?x', '/fhir/patient/1'],
  ])('%j is read as %j by the most generous server', (target, place) => {
    expect(generously(target)).toBe(place);
  });
});

describe('one meaning, in short', () => {
  it('nothing reaches a back end that was not authorised and recorded', async () => {
    const result = await framing(options, ['node'], work('test-framing'));
    expect(result.problems).toEqual([]);
    expect(result.floors.map(floorState)).toEqual(['met', 'met']);
  }, 120_000);

  it('no spelling of a protected path reaches it without its scope', async () => {
    const result = await paths(options, work('test-paths'));
    expect(result.problems).toEqual([]);
    expect(result.floors.map(floorState)).toEqual(['met', 'met']);
  }, 120_000);
});
