import { describe, expect, test } from 'vitest';
import type { Principal } from '../../contracts/principal.ts';
import type { PolicyDocument, RouteDocument } from '../../contracts/settings.ts';
import { compilePolicy } from '../../policies/index.ts';
import { ANONYMOUS, bearer, DEFAULTS, documentOf, facts, outcome, page, policyOf } from './support.ts';

const deny = (id: string, path: string, more: Partial<RouteDocument> = {}): RouteDocument => ({
  id,
  effect: 'deny',
  methods: ['GET'],
  path,
  ...more,
});

function faults(document: Partial<PolicyDocument>): readonly string[] {
  const compiled = compilePolicy('test', { ...documentOf(), ...document }, DEFAULTS);
  return compiled.ok ? [] : compiled.faults.map(({ pointer, message }) => `${pointer}: ${message}`);
}

const READER = bearer(['pages']);

describe('a deny rule', () => {
  test('beats a permit, however specific the permit is', () => {
    const policy = policyOf(
      page('one', '/a/b'),
      page('all', '/{rest*}'),
      deny('no', '/a/{x}', { methods: ['GET'], when: { addresses: ['192.0.2.1'] } }),
    );
    expect(outcome(policy, 'GET /a/b', READER)).toBe('forbidden');
    expect(outcome(policy, 'GET /a/c', READER)).toBe('forbidden');
    expect(outcome(policy, 'GET /b', READER)).toBe('permit');
  });

  test('permits nothing where nothing else does', () => {
    const policy = policyOf(page('one', '/a'), deny('no', '/b', { when: { addresses: ['203.0.113.0/24'] } }));
    expect(outcome(policy, 'GET /b', READER)).toBe('route-unknown');
  });

  test('of all that match every one counts', () => {
    const policy = policyOf(
      page('all', '/{rest*}'),
      deny('narrow', '/a/b', { when: { clients: ['nobody'] } }),
      deny('wide', '/{x}/b', { when: { addresses: ['192.0.2.1'] } }),
    );
    const request = facts('GET /a/b');
    const decision = policy.decide(request, policy.match(request), READER, 0);
    expect(decision.reasons.slice(-3)).toEqual([
      { code: 'deny-rule-passed', held: true, detail: 'narrow' },
      { code: 'condition-held', held: true, detail: 'address 192.0.2.1' },
      { code: 'denied-by-rule', held: false, detail: 'wide' },
    ]);
  });

  test('denies HEAD with GET, and upgrades too', () => {
    const policy = policyOf(
      page('all', '/{rest*}'),
      { id: 'feed', methods: ['GET'], path: '/feed', upgrade: 'websocket', scopes: ['pages'] },
      deny('no', '/feed', { when: { addresses: ['192.0.2.1'] } }),
    );
    expect(outcome(policy, 'HEAD /feed', READER)).toBe('forbidden');
    const request = facts('GET /feed', { upgrade: 'websocket' });
    expect(policy.decide(request, policy.match(request), READER, 0)).toMatchObject({ denial: 'forbidden' });
  });

  test('for some of the records of a route does not tell which', () => {
    const read = page('read', '/p/{id}', { hide: 'record' });
    const some = policyOf(read, deny('vip', '/p/7', { when: { addresses: ['192.0.2.1'] } }));
    expect(outcome(some, 'GET /p/7', READER)).toBe('record-hidden');
    const all = policyOf(read, deny('closed', '/p/{x}', { when: { addresses: ['192.0.2.1'] } }));
    expect(outcome(all, 'GET /p/7', READER)).toBe('forbidden');
  });

  test('and a condition answer the same whosever the record is', () => {
    const read: RouteDocument = {
      id: 'read',
      methods: ['GET'],
      path: '/p/{id}',
      smart: { contexts: ['patient'], resource: 'Patient', permission: 'r' },
      patient: { capture: 'id' },
    };
    const mine = bearer(['patient/Patient.r'], '7');
    const closed = policyOf(read, deny('no', '/p/{id}', { when: { addresses: ['192.0.2.1'] } }));
    const away = policyOf({ ...read, when: { addresses: ['198.51.100.1'] } });
    for (const policy of [closed, away]) {
      expect(outcome(policy, 'GET /p/7', mine)).toBe('forbidden');
      expect(outcome(policy, 'GET /p/8', mine)).toBe('forbidden');
    }
    const here = policyOf({ ...read, when: { addresses: ['192.0.2.1'] } });
    expect(outcome(here, 'GET /p/7', mine)).toBe('permit');
    expect(outcome(here, 'GET /p/8', mine)).toBe('record-hidden');
  });

  test('leaves people who have to sign in first their 401', () => {
    const policy = policyOf(page('one', '/a'), deny('no', '/a', { when: { addresses: ['192.0.2.1'] } }));
    expect(outcome(policy, 'GET /a', ANONYMOUS)).toBe('unauthenticated');
  });

  test.each<[string, readonly RouteDocument[], string]>([
    [
      'that denies all of a route',
      [page('one', '/a'), deny('no', '/a')],
      '/routes/0/path: can never permit GET: "no" denies all of it',
    ],
    [
      'that denies all of a narrower route',
      [page('one', '/a/b'), deny('no', '/{rest*}')],
      '/routes/0/path: can never permit GET',
    ],
    [
      'that together with another denies every value',
      [page('one', '/{k}', { where: { k: ['a', 'b'] } }), deny('a', '/a'), deny('b', '/b')],
      '/routes/0/path: can never permit GET',
    ],
    [
      'whose condition is that of the route',
      [page('one', '/a', { when: { clients: ['x'] } }), deny('no', '/a', { when: { clients: ['x', 'y'] } })],
      '/routes/0/path: can never permit GET',
    ],
    [
      'that another makes useless',
      [
        page('one', '/{x}/{y}', {}),
        deny('wide', '/a/{x}', { when: { clients: ['p', 'q'] } }),
        deny('narrow', '/a/b', { when: { clients: ['p'] } }),
      ],
      '/routes/2/path: denies nothing that "wide" (/a/{x}) does not deny already',
    ],
    [
      'with scopes',
      [page('one', '/a'), deny('no', '/a', { scopes: ['x'], when: { clients: ['x'] } })],
      '/routes/1/scopes: has no effect on a deny rule',
    ],
  ])('is refused %s', (_, routes, message) => {
    expect(faults({ routes }).join('\n')).toContain(message);
  });
});

describe('roles', () => {
  const document = (routes: readonly RouteDocument[]): PolicyDocument => ({
    ...documentOf(...routes),
    roles: { nurse: ['pages', 'user/Observation.rs'], pharmacist: ['pages'], clerk: [] },
    separate: [['nurse', 'pharmacist']],
  });
  const routes = [
    page('page', '/page'),
    page('ward', '/ward', { scopes: ['pages'], roles: ['nurse'] }),
    { id: 'open', methods: ['GET'], path: '/open', credential: 'anonymous' as const },
  ];
  const compiled = compilePolicy('test', document(routes), DEFAULTS);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  const { policy } = compiled;
  const somebody = (roles: readonly string[], scopes: readonly string[] = []) =>
    ({ ...bearer(scopes), roles: new Set(roles) }) as unknown as Principal;

  test.each<[string, string, Principal, string]>([
    ['no role', 'GET /page', somebody([]), 'insufficient-scope'],
    ['a role without the scope', 'GET /page', somebody(['clerk']), 'insufficient-scope'],
    ['a role that the policy does not know', 'GET /page', somebody(['admin']), 'insufficient-scope'],
    ['a role gives its scopes', 'GET /page', somebody(['nurse']), 'permit'],
    ['the scope, and not the role', 'GET /ward', somebody(['clerk'], ['pages']), 'forbidden'],
    ['the role', 'GET /ward', somebody(['nurse']), 'permit'],
    ['two that exclude each other', 'GET /page', somebody(['nurse', 'pharmacist']), 'forbidden'],
    [
      'two that exclude each other, where nobody is asked',
      'GET /open',
      somebody(['nurse', 'pharmacist']),
      'permit',
    ],
    [
      'a foreign nurse',
      'GET /page',
      { ...somebody(['nurse']), home: 'north' } as unknown as Principal,
      'forbidden',
    ],
  ])('%s', (_, line, who, expected) => {
    expect(outcome(policy, line, who)).toBe(expected);
  });

  test('never change the principal that was verified', () => {
    const nurse = somebody(['nurse']);
    expect(outcome(policy, 'GET /page', nurse)).toBe('permit');
    expect([...nurse.scopes]).toEqual([]);
  });

  test.each<[string, Partial<PolicyDocument>, string]>([
    [
      'an unknown role on a route',
      { routes: [page('p', '/p', { roles: ['nurs'] })], roles: { nurse: [] } },
      '/routes/0/roles/0: is not a role of this policy; it has nurse',
    ],
    [
      'an unknown role kept apart',
      { routes: [page('p', '/p')], roles: { nurse: [] }, separate: [['nurse', 'x']] },
      '/separate/0/1: is not a role',
    ],
    [
      'one role kept apart from nobody',
      { routes: [page('p', '/p')], roles: { nurse: [] }, separate: [['nurse']] },
      '/separate/0: must list at least two',
    ],
    [
      'a malformed scope',
      { routes: [page('p', '/p')], roles: { nurse: ['a b'] } },
      '/roles/nurse/0: is not a scope',
    ],
    [
      'a resource scope that gives nothing',
      { routes: [page('p', '/p')], roles: { nurse: ['user/observation.read'] } },
      '/roles/nurse/0: is not a SMART resource scope',
    ],
    [
      'a rule for two that exclude each other',
      {
        routes: [page('p', '/p', { when: { all: [{ roles: ['a'] }, { roles: ['b'] }] } })],
        roles: { a: [], b: [] },
        separate: [['a', 'b']],
      },
      '/routes/0/when: asks for two roles together that "separate" keeps apart',
    ],
  ])('are refused with %s', (_, document, message) => {
    expect(faults(document).join('\n')).toContain(message);
  });
});
