import { describe, expect, test } from 'vitest';
import type { Principal } from '../../contracts/principal.ts';
import { ANONYMOUS, bearer, decideLine, facts, outcome, page, policyOf } from './support.ts';

const TYPES = ['Patient', 'Observation', 'Encounter'];
const policy = policyOf(
  { id: 'sign-in', methods: ['GET'], path: '/login', credential: 'anonymous' },
  page('portal', '/portal/{page*}', { scopes: ['portal', 'pages'] }),
  {
    id: 'patient-read',
    methods: ['GET'],
    path: '/fhir/Patient/{id}',
    smart: { contexts: ['patient', 'user'], resource: 'Patient', permission: 'r' },
    patient: { capture: 'id' },
  },
  {
    id: 'read',
    methods: ['GET'],
    path: '/fhir/{resourceType}/{id}',
    where: { resourceType: TYPES },
    smart: { contexts: ['user', 'system'], resource: '{resourceType}', permission: 'r' },
  },
  {
    id: 'search',
    methods: ['GET'],
    path: '/fhir/Observation',
    smart: { contexts: ['patient', 'user'], resource: 'Observation', permission: 's' },
    patient: { parameter: 'patient' },
  },
  {
    id: 'own-search',
    methods: ['GET'],
    path: '/fhir/Encounter',
    scopes: ['visits'],
    smart: { contexts: ['patient'], resource: 'Encounter', permission: 'rs' },
    patient: { parameter: 'patient' },
  },
  {
    id: 'write',
    methods: ['PUT', 'DELETE'],
    path: '/fhir/{resourceType}/{id}',
    where: { resourceType: TYPES },
    smart: { contexts: ['user'], resource: '{resourceType}', permission: 'ud' },
    mediaTypes: ['application/fhir+json'],
  },
  // A free capture as the resource type: whatever is asked for needs the scope of that name.
  {
    id: 'free',
    methods: ['GET'],
    path: '/other/{type}',
    smart: { contexts: ['user'], resource: '{type}', permission: 'r' },
  },
  page('feed', '/feed', { upgrade: 'websocket', scopes: ['feed'] }),
);

type Row = readonly [why: string, line: string, who: Principal, expected: string];

const HOSTILE: readonly Row[] = [
  ['nobody on a bearer route', 'GET /fhir/Patient/1', ANONYMOUS, 'unauthenticated'],
  ['nobody on an unknown route is told nothing', 'GET /nothing', ANONYMOUS, 'route-unknown'],
  ['no scope at all', 'GET /fhir/Observation/1', bearer([]), 'insufficient-scope'],
  ['an empty scope', 'GET /fhir/Observation/1', bearer(['']), 'insufficient-scope'],
  ['a star', 'GET /fhir/Observation/1', bearer(['*']), 'insufficient-scope'],
  ['a star for everything', 'GET /fhir/Observation/1', bearer(['*/*.*', '*/*', '*.*']), 'insufficient-scope'],
  ['a star for the context', 'GET /fhir/Observation/1', bearer(['*/Observation.r']), 'insufficient-scope'],
  ['a star on a plain route', 'GET /portal/a', bearer(['*', 'portal *']), 'insufficient-scope'],
  ['one scope that lists two', 'GET /portal/a', bearer(['portal pages']), 'insufficient-scope'],
  ['one of two plain scopes', 'GET /portal/a', bearer(['portal']), 'insufficient-scope'],
  ['a plain scope in capitals', 'GET /portal/a', bearer(['PORTAL', 'pages']), 'insufficient-scope'],
  ['a plain scope with a space', 'GET /portal/a', bearer(['portal ', 'pages']), 'insufficient-scope'],
  ['a context in capitals', 'GET /fhir/Observation/1', bearer(['User/Observation.r']), 'insufficient-scope'],
  [
    'a type in small letters',
    'GET /fhir/Observation/1',
    bearer(['user/observation.r']),
    'insufficient-scope',
  ],
  ['letters in capitals', 'GET /fhir/Observation/1', bearer(['user/Observation.R']), 'insufficient-scope'],
  [
    'a Cyrillic lookalike',
    'GET /fhir/Observation/1',
    bearer(['user/\u041ebservation.r']),
    'insufficient-scope',
  ],
  [
    'a full-width slash',
    'GET /fhir/Observation/1',
    bearer(['user\uff0fObservation.r']),
    'insufficient-scope',
  ],
  [
    'a scope for a longer name',
    'GET /fhir/Observation/1',
    bearer(['user/ObservationDefinition.r']),
    'insufficient-scope',
  ],
  [
    'a scope for a shorter name',
    'GET /fhir/Observation/1',
    bearer(['user/Obs.r', 'user/.r']),
    'insufficient-scope',
  ],
  ['the other v2 letter', 'GET /fhir/Observation/1', bearer(['user/Observation.s']), 'insufficient-scope'],
  [
    'v1 write does not read',
    'GET /fhir/Observation/1',
    bearer(['user/Observation.write']),
    'insufficient-scope',
  ],
  [
    'v1 read does not write',
    'DELETE /fhir/Observation/1',
    bearer(['user/Observation.read']),
    'insufficient-scope',
  ],
  ['half of the letters', 'DELETE /fhir/Observation/1', bearer(['user/Observation.u']), 'insufficient-scope'],
  ['letters out of order', 'GET /fhir/Observation/1', bearer(['user/Observation.sr']), 'insufficient-scope'],
  [
    'no letters',
    'GET /fhir/Observation/1',
    bearer(['user/Observation.', 'user/Observation']),
    'insufficient-scope',
  ],
  [
    'letters and a word',
    'GET /fhir/Observation/1',
    bearer(['user/Observation.r.read', 'user/Observation.readr']),
    'insufficient-scope',
  ],
  [
    'a search restriction is not honoured',
    'GET /fhir/Observation/1',
    bearer(['user/Observation.rs?category=x']),
    'insufficient-scope',
  ],
  [
    'an empty search restriction',
    'GET /fhir/Observation/1',
    bearer(['user/Observation.rs?']),
    'insufficient-scope',
  ],
  [
    'a line break after the scope',
    'GET /fhir/Observation/1',
    bearer(['user/Observation.r\n']),
    'insufficient-scope',
  ],
  [
    'a context that the route does not list',
    'GET /fhir/Observation/1',
    bearer(['patient/Observation.r'], '1'),
    'insufficient-scope',
  ],
  [
    'system where only user is listed',
    'DELETE /fhir/Observation/1',
    bearer(['system/*.cruds']),
    'insufficient-scope',
  ],
  ['another patient', 'GET /fhir/Patient/2', bearer(['patient/Patient.r'], '1'), 'record-hidden'],
  [
    'a patient scope without a patient',
    'GET /fhir/Patient/1',
    bearer(['patient/Patient.r']),
    'insufficient-scope',
  ],
  ['a patient that is empty', 'GET /fhir/Patient/1', bearer(['patient/Patient.r'], ''), 'insufficient-scope'],
  ['a patient in other letters', 'GET /fhir/Patient/A', bearer(['patient/Patient.r'], 'a'), 'record-hidden'],
  ['a patient with a prefix', 'GET /fhir/Patient/12', bearer(['patient/Patient.r'], '1'), 'record-hidden'],
  ['a patient claim but no scope', 'GET /fhir/Patient/1', bearer([], '1'), 'insufficient-scope'],
  [
    'a search of everybody',
    'GET /fhir/Observation',
    bearer(['patient/Observation.rs'], '1'),
    'insufficient-scope',
  ],
  [
    'a search of another',
    'GET /fhir/Observation?patient=2',
    bearer(['patient/Observation.rs'], '1'),
    'record-hidden',
  ],
  [
    'a search of two in one value',
    'GET /fhir/Observation?patient=1,2',
    bearer(['patient/Observation.rs'], '1'),
    'record-hidden',
  ],
  [
    'a search that names the patient twice',
    'GET /fhir/Observation?patient=1&patient=1',
    bearer(['patient/Observation.rs'], '1'),
    'insufficient-scope',
  ],
  [
    'a search that names nobody',
    'GET /fhir/Observation?patient=',
    bearer(['patient/Observation.rs'], ''),
    'insufficient-scope',
  ],
  [
    'a PHP array beside the patient',
    'GET /fhir/Observation?patient=1&patient[]=2',
    bearer(['patient/Observation.rs'], '1'),
    'insufficient-scope',
  ],
  [
    'a PHP key beside the patient',
    'GET /fhir/Observation?patient=1&patient[0]=2',
    bearer(['patient/Observation.rs'], '1'),
    'insufficient-scope',
  ],
  [
    'a leading space that PHP drops',
    'GET /fhir/Observation?patient=1&%20patient=2',
    bearer(['patient/Observation.rs'], '1'),
    'insufficient-scope',
  ],
  [
    'a bracket that nothing closes, which Rack cuts at',
    'GET /fhir/Observation?patient=1&patient[x=2',
    bearer(['patient/Observation.rs'], '1'),
    'insufficient-scope',
  ],
  [
    'a NUL that PHP cuts at',
    'GET /fhir/Observation?patient=1&patient%00x=2',
    bearer(['patient/Observation.rs'], '1'),
    'insufficient-scope',
  ],
  [
    'another case of the parameter',
    'GET /fhir/Observation?patient=1&Patient=2',
    bearer(['patient/Observation.rs'], '1'),
    'insufficient-scope',
  ],
  [
    'a FHIR modifier of the parameter',
    'GET /fhir/Observation?patient=1&patient:Patient=2',
    bearer(['patient/Observation.rs'], '1'),
    'insufficient-scope',
  ],
  [
    'a patient in a form that is not the route’s',
    'GET /fhir/Observation?patient=Patient/1',
    bearer(['patient/Observation.rs'], '1'),
    'record-hidden',
  ],
  [
    'the own patient without the plain scope',
    'GET /fhir/Encounter?patient=1',
    bearer(['patient/Encounter.rs'], '1'),
    'insufficient-scope',
  ],
  [
    'another patient without the plain scope',
    'GET /fhir/Encounter?patient=2',
    bearer(['patient/Encounter.rs'], '1'),
    'insufficient-scope',
  ],
  ['a type that is not listed', 'GET /fhir/Medication/1', bearer(['user/*.cruds']), 'route-unknown'],
  ['a type in other case', 'GET /fhir/observation/1', bearer(['user/*.cruds']), 'route-unknown'],
  ['constructor as a type', 'GET /fhir/constructor/1', bearer(['user/*.cruds']), 'route-unknown'],
  ['__proto__ as a type', 'GET /fhir/__proto__/1', bearer(['user/*.cruds']), 'route-unknown'],
  [
    'constructor as a free type',
    'GET /other/constructor',
    bearer(['user/*.cruds', 'user/constructor.r']),
    'insufficient-scope',
  ],
  [
    '__proto__ as a free type',
    'GET /other/__proto__',
    bearer(['user/*.cruds', 'user/__proto__.r']),
    'insufficient-scope',
  ],
  ['a star as a free type', 'GET /other/*', bearer(['user/*.cruds']), 'insufficient-scope'],
  [
    'a lookalike as a free type',
    'GET /other/%D0%9Ebservation',
    bearer(['user/*.cruds']),
    'insufficient-scope',
  ],
  ['constructor as a literal', 'GET /constructor', bearer(['user/*.cruds']), 'route-unknown'],
  ['a trailing slash', 'GET /fhir/Observation/1/', bearer(['user/*.cruds']), 'route-unknown'],
  ['an empty capture', 'GET /fhir/Observation/', bearer(['user/*.cruds']), 'route-unknown'],
  ['the rest of nothing', 'GET /portal', bearer(['portal', 'pages']), 'route-unknown'],
  [
    'a method that the route does not list',
    'POST /fhir/Observation/1',
    bearer(['user/*.cruds']),
    'route-unknown',
  ],
  ['OPTIONS', 'OPTIONS /fhir/Observation/1', bearer(['user/*.cruds']), 'route-unknown'],
  ['an upgrade route without an upgrade', 'GET /feed', bearer(['feed']), 'route-unknown'],
];

const PERMITTED: readonly Row[] = [
  ['nobody where nobody is enough', 'GET /login', ANONYMOUS, 'permit'],
  ['somebody where nobody is enough', 'GET /login', bearer([]), 'permit'],
  ['HEAD, which GET implies', 'HEAD /login', ANONYMOUS, 'permit'],
  ['every plain scope', 'GET /portal/a/b/', bearer(['pages', 'portal', 'other']), 'permit'],
  ['v2 on the type', 'GET /fhir/Observation/1', bearer(['user/Observation.r']), 'permit'],
  ['v2 on every type', 'GET /fhir/Observation/1', bearer(['user/*.cruds']), 'permit'],
  ['v1 read', 'GET /fhir/Observation/1', bearer(['user/Observation.read']), 'permit'],
  ['v1 everything', 'DELETE /fhir/Observation/1', bearer(['user/Observation.*']), 'permit'],
  [
    'two scopes that add up',
    'DELETE /fhir/Observation/1',
    bearer(['user/Observation.u', 'user/*.d']),
    'permit',
  ],
  ['the second context', 'GET /fhir/Observation/1', bearer(['system/Observation.rs']), 'permit'],
  ['the own record', 'GET /fhir/Patient/1', bearer(['patient/Patient.rs'], '1'), 'permit'],
  [
    'a clinician with another patient in context',
    'GET /fhir/Patient/2',
    bearer(['user/Patient.rs', 'patient/Patient.rs'], '1'),
    'permit',
  ],
  [
    'the own search',
    'GET /fhir/Observation?patient=1&code=a',
    bearer(['patient/Observation.rs'], '1'),
    'permit',
  ],
  [
    'the own search with a plain scope',
    'GET /fhir/Encounter?patient=1',
    bearer(['visits', 'patient/*.read'], '1'),
    'permit',
  ],
  ['a free type', 'GET /other/Media', bearer(['user/Media.r']), 'permit'],
];

describe('denied', () => {
  test.each(HOSTILE)('%s', (_why, line, who, expected) => {
    expect(outcome(policy, line, who)).toBe(expected);
  });
});

describe('permitted', () => {
  test.each(PERMITTED)('%s', (_why, line, who, expected) => {
    expect(outcome(policy, line, who)).toBe(expected);
  });
});

describe('reasons', () => {
  test('a permit names what held', () => {
    expect(decideLine(policy, 'GET /fhir/Patient/1', bearer(['patient/Patient.rs'], '1')).reasons).toEqual([
      { code: 'route-matched', held: true, detail: 'patient-read' },
      { code: 'authenticated', held: true },
      { code: 'scope-present', held: true, detail: 'patient/Patient.r' },
      { code: 'patient-matches', held: true },
    ]);
  });

  test('a denial names what held, what did not, and a scope that would do', () => {
    expect(decideLine(policy, 'GET /fhir/Encounter?patient=1', bearer(['visits'], '1'))).toEqual({
      effect: 'deny',
      denial: 'insufficient-scope',
      reasons: [
        { code: 'route-matched', held: true, detail: 'own-search' },
        { code: 'authenticated', held: true },
        { code: 'scope-present', held: true, detail: 'visits' },
        { code: 'scope-missing', held: false, detail: 'patient/Encounter.rs' },
      ],
      scopeNeeded: 'patient/Encounter.rs',
    });
    expect(decideLine(policy, 'GET /portal/a', bearer(['pages']))).toMatchObject({ scopeNeeded: 'portal' });
    expect(decideLine(policy, 'GET /fhir/Patient/1', bearer(['patient/Patient.r']))).toMatchObject({
      scopeNeeded: 'launch/patient',
    });
  });

  test('a search that names no patient asks for the wider scope', () => {
    const decision = decideLine(policy, 'GET /fhir/Observation', bearer(['patient/Observation.s'], '1'));
    expect(decision).toMatchObject({ scopeNeeded: 'user/Observation.s' });
    expect(decision.reasons).toContainEqual({
      code: 'patient-context-missing',
      held: false,
      detail: 'parameter patient',
    });
  });

  test('never repeat a value of the request', () => {
    for (const [, line, who] of [...HOSTILE, ...PERMITTED]) {
      const text = JSON.stringify(decideLine(policy, line, who).reasons);
      expect(text).not.toMatch(/Media|constructor|__proto__|patient\[/);
    }
    const text = JSON.stringify(decideLine(policy, 'GET /other/JaneDoe', bearer([])).reasons);
    expect(text).not.toContain('JaneDoe');
    expect(text).toContain('user/{type}.r');
  });

  test('a hidden denial offers no scope', () => {
    const decision = decideLine(policy, 'GET /fhir/Patient/2', bearer(['patient/Patient.r'], '1'));
    expect(decision).not.toHaveProperty('scopeNeeded');
    expect(decision.reasons).toContainEqual({ code: 'patient-mismatch', held: false });
  });
});

describe('matching', () => {
  const specific = policyOf(
    page('rest', '/{r*}'),
    page('any', '/{x}'),
    page('any-c', '/{x}/c'),
    page('three', '/{x}', { where: { x: ['a', 'b', 'd'] } }),
    page('two', '/{x}', { where: { x: ['b', 'a'] } }),
    page('one', '/{x}', { where: { x: ['a'] } }),
    page('deep', '/a/b/{r*}'),
    page('slash', '/z/'),
  );
  test.each([
    ['/a', 'one', ['a']],
    ['/b', 'two', ['b']],
    ['/d', 'three', ['d']],
    ['/e', 'any', ['e']],
    ['/e/', 'rest', ['e/']],
    ['/z', 'any', ['z']],
    ['/z/', 'slash', []],
    ['/a/c', 'any-c', ['a']],
    ['/a/b', 'rest', ['a/b']],
    ['/a/b/c/d', 'deep', ['c/d']],
    ['/a/b/', 'deep', ['']],
    ['/', undefined, undefined],
  ])('the most specific route takes %s', (path, id, captures) => {
    const match = specific.match(facts(`GET ${path}`));
    expect(match?.route.id).toBe(id);
    expect(match?.captures).toEqual(captures);
  });

  test('a method without a body sees the route without one', () => {
    const both = policyOf(
      page('form', '/form', { methods: ['GET', 'POST'], mediaTypes: ['application/x-www-form-urlencoded'] }),
    );
    expect(both.match(facts('POST /form'))?.route.maxBodyBytes).toBe(1_048_576);
    expect(both.match(facts('GET /form'))?.route).toMatchObject({ id: 'form', maxBodyBytes: 0 });
    expect(outcome(both, 'GET /form', bearer(['pages']))).toBe('permit');
  });

  test('an upgrade matches only where the route is one', () => {
    const upgrade = { upgrade: 'websocket' as const };
    expect(policy.match(facts('GET /feed', upgrade))?.route.id).toBe('feed');
    expect(policy.match(facts('GET /login', upgrade))).toBeUndefined();
  });

  test('a match of another policy set is worth nothing', () => {
    const other = policyOf(page('a', '/fhir/Patient/{id}', { scopes: ['x'] }));
    const request = facts('GET /fhir/Patient/1');
    const match = other.match(request);
    const decision = policy.decide(request, match, bearer(['user/*.cruds', 'x']), 0);
    expect(decision).toMatchObject({ effect: 'deny', denial: 'route-unknown' });
    const forged = { ...policy.match(request), index: 0 } as NonNullable<typeof match>;
    expect(policy.decide(request, forged, ANONYMOUS, 0)).toMatchObject({ denial: 'route-unknown' });
  });

  test('a principal of an unknown kind is nobody', () => {
    const odd = { ...bearer(['user/*.cruds']), kind: 'Bearer' } as unknown as Principal;
    expect(outcome(policy, 'GET /fhir/Patient/1', odd)).toBe('unauthenticated');
  });
});
