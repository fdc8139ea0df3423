import { page } from '../support.ts';
import { asset, bySmart, type FaultRow, post, smart } from './routes.ts';

/** What a route demands: who may, what is hidden, how intact, how much. */
export const DEMAND_FAULTS: readonly FaultRow[] = [
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
