import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../contracts/content.ts';
import type { BearerPrincipal } from '../../../contracts/principal.ts';
import { bodyOf, jsonContent, obligationsOf, observation, patientA, searchset, staff } from './support.ts';

const ALL = patientA('patient/*.cruds');
const BATCH = 'POST /fhir';
const own = observation('1', 'Patient/a');

type Row = readonly [method: string, url: string, resource?: JsonObject, more?: JsonObject];
const bundle = (type: string, ...rows: readonly Row[]): JsonObject => ({
  resourceType: 'Bundle',
  type,
  entry: rows.map(([method, url, resource, more]) => ({
    request: { method, url, ...more },
    ...(resource === undefined ? {} : { resource }),
  })),
});

function judge(content: Json, token: BearerPrincipal = ALL) {
  const judged = bodyOf(BATCH, token, jsonContent(content));
  if (judged === undefined) throw new Error('nobody looks at the bundle');
  return judged;
}
function effect(content: Json, token: BearerPrincipal = ALL): string {
  const judged = judge(content, token);
  return judged.effect === 'permit' ? 'permit' : judged.denial;
}

describe('a batch with a patient/ scope', () => {
  it.each<[string, Row, string]>([
    ['a read of the own record', ['GET', 'Patient/a'], 'permit'],
    ['a read that is judged afterwards', ['GET', 'Observation/1'], 'permit'],
    ["a read of another's", ['GET', 'Patient/b'], 'record-hidden'],
    ['a search', ['GET', 'Observation?code=1'], 'permit'],
    ["a search of another's", ['GET', 'Observation?patient=b'], 'record-hidden'],
    ['a search that is encoded to look else', ['GET', 'Observation?pat%69ent=b'], 'record-hidden'],
    [
      'a search by what is not understood',
      ['GET', 'Observation?_has:Condition:encounter:code=1'],
      'insufficient-scope',
    ],
    ['a create of the own record', ['POST', 'Observation', own], 'permit'],
    ["a create of another's", ['POST', 'Observation', observation('1', 'Patient/b')], 'record-hidden'],
    [
      'a create of a name inside the bundle',
      ['POST', 'Observation', observation('1', 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0')],
      'record-hidden',
    ],
    ['a create without resource', ['POST', 'Observation'], 'forbidden'],
    ['a change, which would have to be looked at first', ['PUT', 'Observation/1', own], 'forbidden'],
    ['a deletion, which would too', ['DELETE', 'Observation/1'], 'forbidden'],
    ['a conditional deletion', ['DELETE', 'Observation?code=1'], 'insufficient-scope'],
    ['an absolute URL', ['GET', 'https://clinic.example/fhir/Patient/a'], 'forbidden'],
    ['a URL of another server', ['GET', 'https://elsewhere.example/fhir/Patient/a'], 'forbidden'],
    ['a URL that leads out', ['GET', '../admin'], 'forbidden'],
    ['a URL that is encoded', ['GET', 'Patient%2fa'], 'forbidden'],
    ['a URL that begins with a slash', ['GET', '/Patient/a'], 'forbidden'],
    ['a bundle in the bundle', ['POST', '', bundle('batch')], 'forbidden'],
    ['the capability statement', ['GET', 'metadata'], 'permit'],
    ['a method that is none', ['TRACE', 'Patient/a'], 'forbidden'],
    ['a condition, narrowed', ['POST', 'Observation', own, { ifNoneExist: 'code=1' }], 'permit'],
    ["a condition of another's", ['POST', 'Observation', own, { ifNoneExist: 'patient=b' }], 'record-hidden'],
    ['a condition that is no text', ['POST', 'Observation', own, { ifNoneExist: ['code=1'] }], 'forbidden'],
    [
      'a condition of more parameters than a query may have',
      ['POST', 'Observation', own, { ifNoneExist: 'ct&'.repeat(300) }],
      'insufficient-scope',
    ],
    [
      'a condition that is longer than a URL',
      ['POST', 'Observation', own, { ifNoneExist: `code=${'1'.repeat(8192)}` }],
      'forbidden',
    ],
    [
      'a URL of more parameters than a query may have',
      ['GET', `Observation?${'ct&'.repeat(300)}`],
      'forbidden',
    ],
  ])('with %s: %s', (_name, row, expected) => {
    expect(effect(bundle('batch', row))).toBe(expected);
    expect(effect(bundle('transaction', ['GET', 'Patient/a'], row))).toBe(expected);
  });

  it('sends searches and conditions narrowed', () => {
    const judged = judge(
      bundle('batch', ['GET', 'Observation?code=1'], ['POST', 'Observation', own, { ifNoneExist: 'code=1' }]),
    );
    expect(judged).toMatchObject({
      replacement: {
        entry: [
          { request: { method: 'GET', url: 'Observation?patient=a&code=1' } },
          { request: { method: 'POST', url: 'Observation', ifNoneExist: 'patient=a&code=1' }, resource: own },
        ],
      },
    });
  });

  it('is looked through at once, whatever its conditions and URLs repeat', () => {
    const began = performance.now();
    expect(
      effect(bundle('batch', ['POST', 'Observation', own, { ifNoneExist: 'ct&'.repeat(3_000_000) }])),
    ).toBe('forbidden');
    const url = `Observation?${'ct&'.repeat(14)}`;
    expect(effect(bundle('batch', ...Array.from({ length: 1000 }, (): Row => ['GET', url])))).toBe('permit');
    const full = `Observation?${'ct&'.repeat(250)}`;
    expect(effect(bundle('batch', ...Array.from({ length: 1000 }, (): Row => ['GET', full])))).toBe(
      'forbidden',
    );
    const long = `Observation?${'ct&'.repeat(2700)}`;
    expect(effect(bundle('batch', ...Array.from({ length: 1000 }, (): Row => ['GET', long])))).toBe(
      'forbidden',
    );
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it.each([ALL, staff('user/Observation.cruds'), staff('system/*.cruds')])(
    'goes on without what reaches beyond its entries, or answers them elsewhere (%#)',
    (token) => {
      const headers = {
        'x-cascade': 'delete',
        prefer: 'respond-async',
        'if-none-exist': 'patient=b',
        accept: 'application/fhir+xml',
      };
      expect(obligationsOf(BATCH, token, { headers }).headers).toStrictEqual({
        'x-cascade': undefined,
        prefer: undefined,
        'if-none-exist': undefined,
        accept: 'application/fhir+json',
      });
      expect(
        obligationsOf(BATCH, token, { headers: { prefer: 'return=minimal' } }).headers,
      ).not.toHaveProperty('prefer');
    },
  );

  it('says which entry was refused', () => {
    const judged = judge(bundle('batch', ['GET', 'Patient/a'], ['GET', 'Patient/b']));
    expect(judged.reasons[0]).toEqual({ code: 'bundle-entry-refused', held: false, detail: 'entry 1' });
  });

  it.each<[string, Json]>([
    ['another type of bundle', bundle('collection')],
    ['another resource', own],
    ['entries without request', { resourceType: 'Bundle', type: 'batch', entry: [{ resource: own }] }],
    ['10,000 entries', bundle('batch', ...Array.from({ length: 10_000 }, (): Row => ['GET', 'Patient/a']))],
  ])('refuses %s', (_name, content) => {
    expect(effect(content)).toBe('forbidden');
  });
});

describe("a batch's answer", () => {
  const response = (...entry: JsonObject[]): JsonObject => ({
    resourceType: 'Bundle',
    type: 'batch-response',
    entry,
  });
  const answer = (content: Json | undefined, ...rows: Row[]) => {
    const judged = judge(bundle('batch', ...rows));
    if (judged.effect !== 'permit' || judged.answer === undefined) throw new Error('no judge');
    return judged.answer({ status: 200, headers: {}, content });
  };
  const found = (resource: JsonObject, status = '200 OK'): JsonObject => ({ resource, response: { status } });
  const GONE = { response: { status: '404 Not Found' } };

  it('is judged entry by entry', () => {
    const judged = answer(
      response(
        found({ resourceType: 'Patient', id: 'a' }),
        found(observation('2', 'Patient/b')),
        found(searchset(own, observation('3', 'Patient/b'))),
      ),
      ['GET', 'Patient/a'],
      ['GET', 'Observation/2'],
      ['GET', 'Observation'],
    );
    expect(judged).toMatchObject({
      content: {
        entry: [{ resource: { id: 'a' } }, GONE, { resource: { entry: [{ resource: { id: '1' } }] } }],
      },
    });
    expect(JSON.stringify(judged)).not.toContain('Patient/b');
  });

  it('has one answer for what is absent, forbidden and failed', () => {
    const outcome = { resourceType: 'OperationOutcome', issue: [{ diagnostics: 'belongs to Patient/b' }] };
    const judged = answer(
      response(
        { response: { status: '404', outcome } },
        { response: { status: '410 Gone' } },
        found(observation('2', 'Patient/b')),
      ),
      ['GET', 'Observation/0'],
      ['GET', 'Observation/1'],
      ['GET', 'Observation/2'],
    );
    expect(judged).toMatchObject({ content: { entry: [GONE, GONE, GONE] } });
    expect(JSON.stringify(judged)).not.toContain('Patient/b');
  });

  it.each<[string, Json | undefined]>([
    ['fewer entries than were sent', response()],
    [
      'another type',
      { ...response(found({ resourceType: 'Patient', id: 'a' })), type: 'transaction-response' },
    ],
    ['no bundle', own],
    ['nothing', undefined],
  ])('is hidden with %s', (_name, content) => {
    expect(answer(content, ['GET', 'Patient/a']).release).toBe('hidden');
  });

  it('is released as it is where a scope reaches everything', () => {
    const judged = judge(
      bundle('batch', ['GET', 'Observation/2'], ['DELETE', 'Observation/2']),
      staff('system/*.cruds'),
    );
    if (judged.effect !== 'permit') throw new Error('denied');
    const content = response(found(observation('2', 'Patient/b')), { response: { status: '204' } });
    expect(judged.answer?.({ status: 200, headers: {}, content })).toMatchObject({ content });
  });
});
