import { describe, expect, test } from 'vitest';
import type { RouteDocument } from '../../contracts/settings.ts';
import { compilePolicy } from '../../policies/index.ts';
import { DEFAULTS, documentOf, faultsOfRoutes, page } from './support.ts';

const smart = { contexts: ['user'], resource: 'Observation', permission: 'r' } as const;
const bySmart = (more: Partial<RouteDocument>): RouteDocument => ({
  id: 'a',
  methods: ['GET'],
  path: '/fhir/{resourceType}/{id}',
  ...more,
});
const post = (more: Partial<RouteDocument>): RouteDocument =>
  page('a', '/a', { methods: ['POST'], mediaTypes: ['application/json'], ...more });
const asset = (more: Partial<RouteDocument>): RouteDocument => ({
  id: 'a',
  methods: ['GET'],
  path: '/static/{file*}',
  credential: 'anonymous',
  integrity: { mode: 'off' },
  ...more,
});

/** Each row: what is wrong, the routes, and what the one fault must say. */
const FAULTS: readonly (readonly [string, readonly RouteDocument[], string | RegExp])[] = [
  ['an id that is no name', [page('A', '/a')], '/routes/0/id'],
  ['two routes with one id', [page('a', '/a'), page('a', '/b')], '/routes/1/id: is the id of /routes/0'],
  [
    'another method than the one that it has not',
    [page('a', '/a', { methodOverride: ['PUT'] })],
    '/routes/0/methodOverride: has no effect: the route has no POST',
  ],
  [
    'another method that reads',
    [post({ methodOverride: ['GET'] })],
    '/routes/0/methodOverride/0: must be one of PUT, PATCH, DELETE',
  ],
  [
    'another method twice',
    [post({ methodOverride: ['PUT', 'PUT'] })],
    '/routes/0/methodOverride/1: is listed twice',
  ],
  [
    'another method in FHIR',
    [post({ fhir: { version: 'R4', interaction: 'batch' }, methodOverride: ['PUT'] })],
    /methodOverride: is not for FHIR/,
  ],
  ['a prototype name twice', [page('constructor', '/a'), page('constructor', '/b')], '/routes/1/id'],
  ['no method', [page('a', '/a', { methods: [] })], '/routes/0/methods'],
  ['a method in lower case', [page('a', '/a', { methods: ['get'] })], '/routes/0/methods/0'],
  ['TRACE', [page('a', '/a', { methods: ['GET', 'TRACE'] })], '/routes/0/methods/1'],
  ['a method twice', [page('a', '/a', { methods: ['GET', 'GET'] })], '/routes/0/methods/1: is listed twice'],
  ['a path without its slash', [page('a', 'a')], '/routes/0/path: must start'],
  ['an empty path', [page('a', '')], '/routes/0/path: must start'],
  ['an empty segment', [page('a', '/a//b')], '/routes/0/path: must not contain an empty segment'],
  ['a dot segment', [page('a', '/a/../b')], /dot segments/],
  ['a segment that ends with a dot', [page('a', '/a./b')], /ends with a dot/],
  ['an encoded literal', [page('a', '/a%2fb')], /write it decoded/],
  ['a lookalike letter', [page('a', '/\u0440atient')], /write it decoded/],
  ['a wildcard', [page('a', '/static/*')], /no wildcard/],
  ['a path parameter', [page('a', '/a;v=1')], /write it decoded/],
  ['a query in the path', [page('a', '/a?b')], /write it decoded/],
  ['half a segment captured', [page('a', '/a/{id}.json')], /a capture is a whole segment/],
  ['a capture without a name', [page('a', '/a/{}')], /a capture is a whole segment/],
  ['an unclosed capture', [page('a', '/a/{id')], /a capture is a whole segment/],
  ['a capture named like a prototype', [page('a', '/a/{__proto__}')], /a capture is a whole segment/],
  ['a name captured twice', [page('a', '/{id}/{id}')], /captures "id" twice/],
  ['a rest that is not last', [page('a', '/{file*}/b')], /must be the last segment/],
  [
    'a where for nothing captured',
    [page('a', '/a', { where: { id: ['1'] } })],
    /has no capture "id"; it captures nothing/,
  ],
  [
    'a where for constructor',
    [page('a', '/{id}', { where: { constructor: ['1'] } })],
    /no capture "constructor"/,
  ],
  ['a where without values', [page('a', '/{id}', { where: { id: [] } })], /could never match/],
  ['a where with an empty value', [page('a', '/{id}', { where: { id: [''] } })], '/routes/0/where/id/0'],
  ['a where with a slash', [page('a', '/{id}', { where: { id: ['a/b'] } })], '/routes/0/where/id/0'],
  ['a where value twice', [page('a', '/{id}', { where: { id: ['a', 'a'] } })], '/routes/0/where/id/1'],
  ['a where on the rest', [page('a', '/{f*}', { where: { f: ['a'] } })], /cannot be limited/],
  ['the same path again', [page('a', '/x'), page('b', '/x')], /matches exactly what route "a"/],
  ['captures of other names', [page('a', '/{x}'), page('b', '/{y}')], /matches exactly what route "a"/],
  [
    'the same values in another order',
    [page('a', '/{x}', { where: { x: ['a', 'b'] } }), page('b', '/{y}', { where: { y: ['b', 'a'] } })],
    /matches exactly/,
  ],
  [
    'a where that equals a literal',
    [page('a', '/{x}', { where: { x: ['a'] } }), page('b', '/a')],
    /matches exactly/,
  ],
  [
    'HEAD where GET implies it',
    [page('a', '/x'), page('b', '/x', { methods: ['HEAD'] })],
    /HEAD; GET implies HEAD/,
  ],
  [
    'two of which neither is the more specific',
    [page('a', '/a/{x}'), page('b', '/{y}/b')],
    /is ambiguous with route "a"/,
  ],
  [
    'values that overlap in part',
    [page('a', '/{x}', { where: { x: ['a', 'b'] } }), page('b', '/{y}', { where: { y: ['b', 'c'] } })],
    /is ambiguous/,
  ],
  [
    'a route whose every value is taken',
    [page('a', '/{x}/1', { where: { x: ['a', 'b'] } }), page('b', '/a/1'), page('c', '/b/1')],
    /can never match for GET: more specific routes \("b", "c"\)/,
  ],
  ['a bearer route without scopes', [page('a', '/a', { scopes: [] })], /at least one scope/],
  ['a route that says nothing', [{ id: 'a', methods: ['GET'], path: '/a' }], /at least one scope/],
  ['an empty scope', [page('a', '/a', { scopes: [''] })], '/routes/0/scopes/0'],
  ['a scope with a space', [page('a', '/a', { scopes: ['a b'] })], '/routes/0/scopes/0'],
  ['a scope twice', [page('a', '/a', { scopes: ['a', 'a'] })], '/routes/0/scopes/1'],
  [
    'a resource scope as a plain one',
    [page('a', '/a', { scopes: ['patient/*.read'] })],
    /require it under "smart"/,
  ],
  [
    'scopes for nobody',
    [page('a', '/a', { credential: 'anonymous' })],
    '/routes/0/scopes: an anonymous route',
  ],
  ['SMART for nobody', [page('a', '/a', { credential: 'anonymous', scopes: [], smart })], '/routes/0/smart'],
  [
    'introspection of nothing',
    [page('a', '/a', { credential: 'anonymous', scopes: [], introspection: 'always' })],
    '/routes/0/introspection',
  ],
  ['no SMART context', [bySmart({ smart: { ...smart, contexts: [] } })], '/routes/0/smart/contexts'],
  [
    'a SMART context twice',
    [bySmart({ smart: { ...smart, contexts: ['user', 'user'] } })],
    '/routes/0/smart/contexts/1',
  ],
  [
    'SMART letters out of order',
    [bySmart({ smart: { ...smart, permission: 'sr' } })],
    '/routes/0/smart/permission',
  ],
  [
    'SMART letters unknown',
    [bySmart({ smart: { ...smart, permission: 'rx' } })],
    '/routes/0/smart/permission',
  ],
  ['SMART letters twice', [bySmart({ smart: { ...smart, permission: 'rr' } })], '/routes/0/smart/permission'],
  ['no SMART letter', [bySmart({ smart: { ...smart, permission: '' } })], '/routes/0/smart/permission'],
  [
    'a resource in lower case',
    [bySmart({ smart: { ...smart, resource: 'observation' } })],
    '/routes/0/smart/resource',
  ],
  ['every resource', [bySmart({ smart: { ...smart, resource: '*' } })], '/routes/0/smart/resource'],
  [
    'a resource not captured',
    [bySmart({ smart: { ...smart, resource: '{type}' } })],
    /has no capture "type"; it captures resourceType, id/,
  ],
  [
    'a resource from the rest',
    [bySmart({ path: '/{t*}', smart: { ...smart, resource: '{t}' } })],
    /capture of one segment/,
  ],
  [
    'a resource that no type can be',
    [bySmart({ where: { resourceType: ['constructor'] }, smart: { ...smart, resource: '{resourceType}' } })],
    /no FHIR resource type/,
  ],
  [
    'a patient context without a patient',
    [bySmart({ smart: { ...smart, contexts: ['patient'] } })],
    /does not say under "patient"/,
  ],
  [
    'a patient for nobody',
    [bySmart({ smart, patient: { capture: 'id' } })],
    '/routes/0/patient: has no effect',
  ],
  [
    'a patient from nowhere',
    [bySmart({ smart: { ...smart, contexts: ['patient'] }, patient: {} })],
    /either a "capture"/,
  ],
  [
    'a patient from two places',
    [bySmart({ smart: { ...smart, contexts: ['patient'] }, patient: { capture: 'id', parameter: 'p' } })],
    /either a "capture"/,
  ],
  [
    'a patient not captured',
    [bySmart({ smart: { ...smart, contexts: ['patient'] }, patient: { capture: 'pid' } })],
    '/routes/0/patient/capture',
  ],
  [
    'a patient parameter with a modifier',
    [bySmart({ smart: { ...smart, contexts: ['patient'] }, patient: { parameter: 'a:b' } })],
    '/routes/0/patient/parameter',
  ],
  [
    'a patient parameter beside a body',
    [post({ scopes: [], smart: { ...smart, contexts: ['patient'] }, patient: { parameter: 'patient' } })],
    /the body of another method/,
  ],
  [
    'a deadline that is learned for nothing',
    [bySmart({ smart, hideLearned: true, hide: 'none' })],
    '/routes/0/hideLearned: has no effect',
  ],
  [
    'a look at what nobody changes',
    [bySmart({ smart, hide: 'record', lookFirst: true })],
    '/routes/0/lookFirst: is only for routes',
  ],
  [
    'a patient route that hides nothing',
    [bySmart({ smart: { ...smart, contexts: ['patient'] }, patient: { capture: 'id' }, hide: 'none' })],
    '/routes/0/hide',
  ],
  [
    'a deadline for nothing hidden',
    [page('a', '/a', { hideDeadlineMs: 5 })],
    '/routes/0/hideDeadlineMs: has no effect',
  ],
  [
    'a deadline of zero',
    [page('a', '/a', { hide: 'record', hideDeadlineMs: 0 })],
    '/routes/0/hideDeadlineMs: must be a whole',
  ],
  [
    'a bounded write',
    [post({ integrity: { mode: 'bounded' } })],
    '/routes/0/integrity/mode: must be "strict"',
  ],
  [
    'a bounded page that saves by GET',
    [page('a', '/a', { writes: true, integrity: { mode: 'bounded' } })],
    '/routes/0/integrity/mode: must be "strict"',
  ],
  [
    'an age for strict',
    [page('a', '/a', { integrity: { mode: 'strict', maxAgeMs: 5 } })],
    '/routes/0/integrity/maxAgeMs',
  ],
  [
    'an age that is endless',
    [page('a', '/a', { integrity: { mode: 'bounded', maxAgeMs: 1e9 } })],
    '/routes/0/integrity/maxAgeMs',
  ],
  [
    'no integrity behind a token',
    [page('a', '/a', { integrity: { mode: 'off' } })],
    /would need credential: anonymous$/,
  ],
  [
    'no integrity for a write',
    [asset({ methods: ['GET', 'POST'], mediaTypes: ['text/plain'] })],
    /no method but GET and HEAD/,
  ],
  ['no integrity for everything', [asset({ path: '/{file*}' })], /begins with a fixed segment/],
  ['no integrity for the root', [asset({ path: '/' })], /begins with a fixed segment/],
  ['no integrity for a hidden record', [asset({ hide: 'record' })], /would need hide: none/],
  ['no integrity for an upgrade', [asset({ upgrade: 'websocket' })], /no upgrade/],
  ['an upgrade of a POST', [post({ upgrade: 'websocket' })], '/routes/0/methods: an upgrade begins with GET'],
  [
    'a body of a GET',
    [page('a', '/a', { maxBodyBytes: 1, mediaTypes: ['text/plain'] })],
    '/routes/0/maxBodyBytes: must be 0',
  ],
  ['a body of any type', [post({ mediaTypes: [] })], '/routes/0/mediaTypes: must list'],
  ['a wildcard media type', [post({ mediaTypes: ['*/*'] })], '/routes/0/mediaTypes/0'],
  [
    'a media type with a parameter',
    [post({ mediaTypes: ['text/plain; charset=utf-8'] })],
    '/routes/0/mediaTypes/0',
  ],
  [
    'a media type without a body',
    [page('a', '/a', { mediaTypes: ['text/plain'] })],
    '/routes/0/mediaTypes: has no effect',
  ],
  ['a negative body', [post({ maxBodyBytes: -1 })], '/routes/0/maxBodyBytes'],
  [
    'a limit of nothing',
    [page('a', '/a', { limit: { requests: 0, windowSeconds: 1 } })],
    '/routes/0/limit/requests',
  ],
  [
    'a limit that is no number',
    [page('a', '/a', { limit: { requests: 1, windowSeconds: Number.NaN } })],
    '/routes/0/limit/windowSeconds',
  ],
  [
    'a list with a limit of nothing',
    [page('a', '/a', { limit: [{ requests: 0, windowSeconds: 1 }] })],
    '/routes/0/limit/0/requests',
  ],
  [
    'five windows',
    [
      page('a', '/a', {
        limits: { perRoute: [1, 2, 3, 4, 5].map((n) => ({ requests: n, windowSeconds: n })) },
      }),
    ],
    '/routes/0/limits/perRoute/4: is one too many',
  ],
  [
    'two limits in one window',
    [
      page('a', '/a', {
        limits: {
          perRoute: [
            { requests: 1, windowSeconds: 5 },
            { requests: 2, windowSeconds: 5 },
          ],
        },
      }),
    ],
    '/routes/0/limits/perRoute/1: has the same window',
  ],
  [
    'a burst that is larger than what is sustained',
    [
      page('a', '/a', {
        limit: [
          { requests: 5, windowSeconds: 1 },
          { requests: 5, windowSeconds: 60 },
        ],
      }),
    ],
    '/routes/0/limit/1: means nothing',
  ],
  [
    'a limit per principal twice',
    [
      page('a', '/a', {
        limit: { requests: 5, windowSeconds: 1 },
        limits: { perPrincipal: [{ requests: 5, windowSeconds: 1 }] },
      }),
    ],
    '/routes/0/limits/perPrincipal: says the same',
  ],
  [
    'a limit per client where nobody has one',
    [
      page('a', '/a', {
        credential: 'anonymous',
        scopes: [],
        limits: { perClient: [{ requests: 5, windowSeconds: 1 }] },
      }),
    ],
    '/routes/0/limits/perClient: has no effect',
  ],
  [
    'no request at once',
    [page('a', '/a', { concurrency: { perRoute: 0 } })],
    '/routes/0/concurrency/perRoute',
  ],
  ['a back end without patience', [page('a', '/a', { backendTimeoutMs: 0 })], '/routes/0/backendTimeoutMs'],
  [
    'a security policy of two lines',
    [page('a', '/a', { contentSecurityPolicy: { value: "default-src 'self'\r\nX: 1" } })],
    '/routes/0/contentSecurityPolicy/value',
  ],
  [
    'an empty security policy',
    [page('a', '/a', { contentSecurityPolicy: { value: '' } })],
    '/routes/0/contentSecurityPolicy/value',
  ],
];

describe('a policy with a fault does not compile and says where', () => {
  test.each(FAULTS)('%s', (_what, routes, expected) => {
    const faults = faultsOfRoutes(...routes);
    const says = (fault: string) =>
      typeof expected === 'string' ? fault.startsWith(expected) : expected.test(fault);
    expect(faults.filter(says), JSON.stringify(faults)).toHaveLength(1);
    expect(faults.filter((fault) => !says(fault))).toEqual([]);
  });

  test('no route at all', () => {
    expect(faultsOfRoutes()).toHaveLength(1);
  });

  test('every fault of every route is reported in one run', () => {
    const faults = faultsOfRoutes(
      page('A', '/a//b', { methods: ['get'], scopes: [''] }),
      page('b', '/{x*}/y', { where: { z: [] } }),
      page('b', '/b', { maxBodyBytes: 5, mediaTypes: ['x'] }),
    );
    expect(faults.map((fault) => fault.split(':')[0])).toEqual([
      '/routes/0/id',
      '/routes/0/methods/0',
      '/routes/0/path',
      '/routes/0/scopes/0',
      '/routes/1/path',
      '/routes/1/where/z',
      '/routes/1/where/z',
      '/routes/2/id',
      '/routes/2/maxBodyBytes',
      '/routes/2/mediaTypes/0',
    ]);
  });
});

describe('routes that only seem to compete', () => {
  const accepted: readonly (readonly [string, readonly RouteDocument[]])[] = [
    ['a literal inside a capture', [page('a', '/fhir/{t}/{id}'), page('b', '/fhir/Patient/{id}')]],
    ['a capture inside the rest', [page('a', '/{f*}'), page('b', '/{x}'), page('c', '/')]],
    ['other methods', [page('a', '/x'), page('b', '/x', { methods: ['DELETE'] })]],
    ['an upgrade beside a page', [page('a', '/x'), page('b', '/x', { upgrade: 'websocket' })]],
    ['a trailing slash', [page('a', '/x'), page('b', '/x/')]],
    ['an overlap that a third route decides', [page('a', '/a/{x}'), page('b', '/{y}/b'), page('c', '/a/b')]],
  ];
  test.each(accepted)('%s', (_what, routes) => {
    expect(faultsOfRoutes(...routes)).toEqual([]);
  });
});

describe('what a route demands when it does not say', () => {
  const first = (route: RouteDocument) => {
    const compiled = compilePolicy('p', documentOf(route), DEFAULTS);
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
    return compiled.policy.routes[0];
  };

  test('a safe route: a bearer token verified locally, a verdict no older than 1 s, no body', () => {
    expect(first(page('a', '/a'))).toMatchObject({
      credential: 'bearer',
      introspection: 'never',
      integrity: { mode: 'bounded', maxAgeMs: 1000 },
      hide: 'none',
      maxBodyBytes: 0,
      upgrade: undefined,
    });
  });

  test('a write: introspection and a strict verdict', () => {
    expect(first(post({}))).toMatchObject({
      introspection: 'always',
      integrity: { mode: 'strict' },
      maxBodyBytes: 1_048_576,
    });
  });

  test('one unsafe method makes the route a write', () => {
    expect(first(page('a', '/a', { methods: ['GET', 'DELETE'] }))).toMatchObject({
      introspection: 'always',
      integrity: { mode: 'strict' },
    });
  });

  test('a page that saves by GET: a strict verdict, and another afterwards', () => {
    expect(first(page('a', '/a', { writes: true }))).toMatchObject({
      integrity: { mode: 'strict' },
      writes: true,
    });
    expect(first(page('a', '/a', { integrity: { mode: 'strict' } }))).toMatchObject({ writes: false });
  });

  test('an upgrade: a strict verdict', () => {
    expect(first(page('a', '/a', { upgrade: 'websocket' }))?.integrity).toEqual({ mode: 'strict' });
  });

  test('a route that names the patient hides', () => {
    const named = { scopes: [], smart: { ...smart, contexts: ['patient'] } as const };
    expect(first(page('a', '/{id}', { ...named, patient: { capture: 'id' } }))).toMatchObject({
      hide: 'record',
      hideDeadlineMs: 400,
    });
    expect(first(page('a', '/a', { ...named, patient: { parameter: 'patient' } }))?.hide).toBe('collection');
  });

  test('routes are frozen and the digest names the rules, not how they were written', () => {
    const one = compilePolicy(
      'p',
      documentOf({ id: 'a', methods: ['GET'], path: '/a', scopes: ['s'] }),
      DEFAULTS,
    );
    const two = compilePolicy(
      'q',
      { file: 'other', routes: [{ scopes: ['s'], path: '/a', methods: ['GET'], id: 'a' }] },
      DEFAULTS,
    );
    const three = compilePolicy(
      'p',
      documentOf({ id: 'a', methods: ['GET'], path: '/a', scopes: ['t'] }),
      DEFAULTS,
    );
    if (!one.ok || !two.ok || !three.ok) throw new Error('did not compile');
    expect(Object.isFrozen(one.policy) && one.policy.routes.every(Object.isFrozen)).toBe(true);
    expect(one.policy.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(two.policy.digest).toBe(one.policy.digest);
    expect(three.policy.digest).not.toBe(one.policy.digest);
  });
});
