import { describe, expect, test } from 'vitest';
import type { ConditionDocument } from '../../contracts/conditions.ts';
import type { RequestFacts } from '../../contracts/facts.ts';
import type { Principal } from '../../contracts/principal.ts';
import { ANONYMOUS, bearer, facts, faultsOfRoutes, page, policyOf, policyWithRoles } from './support.ts';

interface Situation {
  readonly who?: Partial<Record<string, unknown>>;
  readonly request?: Partial<RequestFacts>;
  /** ISO 8601. */
  readonly at?: string;
}

/** `permit`, or the denial, of a page with this condition. */
function decided(
  when: ConditionDocument,
  { who = {}, request = {}, at = '2027-02-03T10:00:00Z' }: Situation,
) {
  const policy = policyOf(page('p', '/p', { when }));
  const asked = facts('GET /p', request);
  const principal = {
    ...bearer(['pages']),
    credential: 'token',
    constraint: 'none',
    ...who,
  } as unknown as Principal;
  const decision = policy.decide(asked, policy.match(asked), principal, Date.parse(at) / 1000);
  return decision.effect === 'permit' ? 'permit' : decision.denial;
}

const certificate = { thumbprint: '', subject: '', names: [], notAfter: 4e15, der: '' };
const withCertificate = {
  tls: { version: 'TLSv1.3', cipher: '', serverName: 'clinic.example', certificate },
} as const;

describe('a condition', () => {
  const OFFICE = {
    hours: { zone: 'Europe/Berlin', days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00' },
  } as const;
  const NIGHT = {
    hours: { zone: 'Europe/Berlin', days: ['fri'], from: '22:00', to: '06:00', except: ['2027-03-26'] },
  } as const;
  test.each<[string, ConditionDocument, Situation, string]>([
    ['the client', { clients: ['portal'] }, { who: { clientId: 'portal' } }, 'permit'],
    ['another client', { clients: ['portal'] }, { who: { clientId: 'Portal' } }, 'forbidden'],
    ['no client', { clients: ['portal'] }, { who: { clientId: undefined } }, 'forbidden'],
    ['the scopes', { scopes: ['pages', 'b'] }, { who: { scopes: new Set(['pages', 'b']) } }, 'permit'],
    ['one scope of two', { scopes: ['pages', 'b'] }, {}, 'forbidden'],
    ['own people', { home: ['own'] }, {}, 'permit'],
    ['a credential', { credentials: ['client-secret'] }, { who: { credential: 'client-secret' } }, 'permit'],
    ['another credential', { credentials: ['client-secret'] }, {}, 'forbidden'],
    [
      'a header',
      { headers: { 'x-app': ['kiosk'] } },
      { request: { headers: new Map([['x-app', 'kiosk']]) } },
      'permit',
    ],
    [
      'another value of a header',
      { headers: { 'x-app': ['kiosk'] } },
      { request: { headers: new Map([['x-app', 'kiosk ']]) } },
      'forbidden',
    ],
    ['no header', { headers: { 'x-app': ['kiosk'] } }, {}, 'forbidden'],
    ['no fresh factor: asked for', { factorMaxAgeSeconds: 60 }, {}, 'factor-stale'],
    [
      'a fresh factor',
      { factorMaxAgeSeconds: 60 },
      { who: { authentication: { factorAt: Date.parse('2027-02-03T09:59:01Z') / 1000 } } },
      'permit',
    ],
    [
      'a factor of a second too long ago',
      { factorMaxAgeSeconds: 60 },
      { who: { authentication: { factorAt: Date.parse('2027-02-03T09:58:59Z') / 1000 } } },
      'factor-stale',
    ],
    ['an unbound token: told so', { senderConstrained: 'any' }, {}, 'sender-unconstrained'],
    ['a bound token', { senderConstrained: 'dpop' }, { who: { constraint: 'dpop' } }, 'permit'],
    ['no certificate: told so', { clientCertificate: 'required' }, {}, 'certificate-required'],
    ['a certificate', { clientCertificate: 'required' }, { request: withCertificate }, 'permit'],
    ['an address in a network', { addresses: ['192.0.2.0/24'] }, {}, 'permit'],
    [
      'an address beside a network',
      { addresses: ['192.0.2.0/28'] },
      { request: { peer: '192.0.2.16' } },
      'forbidden',
    ],
    ['an IPv6 address', { addresses: ['2001:db8::/32'] }, { request: { peer: '2001:db8::ffff' } }, 'permit'],
    [
      'an IPv6 address outside',
      { addresses: ['2001:db8::/32'] },
      { request: { peer: '2001:db9::' } },
      'forbidden',
    ],
    ['an IPv4 address is not in an IPv6 network', { addresses: ['::/0'] }, {}, 'forbidden'],
    ['not an address', { not: { addresses: ['192.0.2.0/24'] } }, {}, 'forbidden'],
    ['opening, in winter', OFFICE, { at: '2027-02-03T07:00:00Z' }, 'permit'],
    ['a minute before opening, in winter', OFFICE, { at: '2027-02-03T06:59:59Z' }, 'forbidden'],
    ['opening, in summer', OFFICE, { at: '2027-07-07T06:00:00Z' }, 'permit'],
    ['the closing minute', OFFICE, { at: '2027-02-03T17:00:00Z' }, 'forbidden'],
    ['Saturday', OFFICE, { at: '2027-02-06T10:00:00Z' }, 'forbidden'],
    ['the morning after a night from Friday', NIGHT, { at: '2027-02-06T04:59:00Z' }, 'permit'],
    ['its end', NIGHT, { at: '2027-02-06T05:00:00Z' }, 'forbidden'],
    ['a night from Thursday', NIGHT, { at: '2027-02-05T03:00:00Z' }, 'forbidden'],
    ['the morning after a Friday that is excepted', NIGHT, { at: '2027-03-27T02:00:00Z' }, 'forbidden'],
    [
      'the night in which clocks go forward',
      { hours: { zone: 'Europe/Berlin', from: '02:30', to: '03:30' } },
      { at: '2027-03-28T01:10:00Z' },
      'permit',
    ],
    [
      'an hour later',
      { hours: { zone: 'Europe/Berlin', from: '02:30', to: '03:30' } },
      { at: '2027-03-28T01:30:00Z' },
      'forbidden',
    ],
    [
      'all of two',
      { all: [{ clients: ['a'] }, { addresses: ['192.0.2.1'] }] },
      { who: { clientId: 'a' } },
      'permit',
    ],
    [
      'one of all',
      { all: [{ clients: ['a'] }, { addresses: ['192.0.2.9'] }] },
      { who: { clientId: 'a' } },
      'forbidden',
    ],
    ['any of two', { any: [{ clients: ['a'] }, { addresses: ['192.0.2.1'] }] }, {}, 'permit'],
    ['none of any', { any: [{ clients: ['a'] }, { addresses: ['192.0.2.9'] }] }, {}, 'forbidden'],
    [
      'where a factor would not be enough, none is asked for',
      { all: [{ factorMaxAgeSeconds: 60 }, { clients: ['a'] }] },
      {},
      'forbidden',
    ],
  ])('%s', (_, when, situation, expected) => {
    expect(decided(when, situation)).toBe(expected);
  });

  test('nobody is asked to sign in first, whatever else does not hold', () => {
    const policy = policyOf(page('p', '/p', { when: OFFICE }));
    const asked = facts('GET /p');
    expect(policy.decide(asked, policy.match(asked), ANONYMOUS, 0)).toMatchObject({
      denial: 'unauthenticated',
    });
  });

  test('a foreign nurse is no nurse here', () => {
    const when: ConditionDocument = { any: [{ roles: ['nurse'] }, { clients: ['x'] }] };
    const route = page('p', '/p', { when });
    const compiled = policyWithRoles({ nurse: [] }, route);
    const asked = facts('GET /p');
    const nurse = { ...bearer(['pages']), roles: new Set(['nurse']) } as unknown as Principal;
    const foreign = { ...nurse, home: 'elsewhere' } as unknown as Principal;
    expect(compiled.decide(asked, compiled.match(asked), nurse, 0).effect).toBe('permit');
    expect(compiled.decide(asked, compiled.match(asked), foreign, 0).effect).toBe('deny');
  });

  test('a permit names what held, a denial what did not, in words of the policy', () => {
    const policy = policyOf(page('p', '/p', { when: { not: { addresses: ['192.0.2.0/24'] } } }));
    const asked = facts('GET /p');
    const decision = policy.decide(asked, policy.match(asked), bearer(['pages']), 0);
    expect(decision.reasons.at(-1)).toEqual({
      code: 'condition-failed',
      held: false,
      detail: 'not address 192.0.2.0/24',
    });
    expect(JSON.stringify(decision)).not.toContain('192.0.2.1"');
  });
});

describe('a condition is refused that', () => {
  test.each<[string, ConditionDocument, string]>([
    [
      'asks for two clients at once',
      { all: [{ clients: ['a'] }, { clients: ['b'] }] },
      '/routes/0/when: contradicts itself and can never hold',
    ],
    [
      'asks for two networks that do not meet',
      { all: [{ addresses: ['192.0.2.0/24'] }, { addresses: ['198.51.100.0/24'] }] },
      '/routes/0/when: contradicts itself',
    ],
    [
      'asks for hours that do not meet',
      { all: [{ hours: { zone: 'UTC', to: '12:00' } }, { hours: { zone: 'UTC', from: '12:00' } }] },
      '/routes/0/when: contradicts itself',
    ],
    [
      'has a part that never holds',
      { any: [{ clients: ['a'] }, { all: [{ clients: ['a'] }, { not: { clients: ['a'] } }] }] },
      '/routes/0/when/any/1: contradicts itself',
    ],
    [
      'always holds',
      { any: [{ clients: ['a'] }, { not: { clients: ['a'] } }] },
      '/routes/0/when: always holds',
    ],
    ['is open all the time', { hours: { zone: 'UTC' } }, '/routes/0/when: always holds'],
    [
      'asks a session to be bound',
      { all: [{ credentials: ['session'] }, { senderConstrained: 'any' }] },
      '/routes/0/when: contradicts itself',
    ],
    [
      'asks a token route for a session',
      { credentials: ['session'] },
      '/routes/0/when: contradicts what the other keys',
    ],
    ['lists nothing', { any: [] }, '/routes/0/when/any: must list at least one'],
    [
      'has an unknown zone',
      { hours: { zone: 'Europe/Atlantis', to: '12:00' } },
      '/routes/0/when/hours/zone: is not an IANA time zone',
    ],
    [
      'has an offset for a zone',
      { hours: { zone: '+01:00', to: '12:00' } },
      '/routes/0/when/hours/zone: is not an IANA',
    ],
    [
      'has a time that is none',
      { hours: { zone: 'UTC', from: '8:00' } },
      '/routes/0/when/hours/from: must be a time',
    ],
    [
      'opens when it closes',
      { hours: { zone: 'UTC', from: '08:00', to: '08:00' } },
      '/routes/0/when/hours/to: is the same time',
    ],
    [
      'has a date that is none',
      { hours: { zone: 'UTC', to: '08:00', except: ['2027-02-29'] } },
      '/routes/0/when/hours/except/0: must be a date',
    ],
    [
      'has a network with bits beyond its prefix',
      { addresses: ['192.0.2.1/24'] },
      '/routes/0/when/addresses/0: has bits set beyond',
    ],
    [
      'has an address that is none',
      { addresses: ['192.0.2.256'] },
      '/routes/0/when/addresses/0: must be a network',
    ],
    [
      'has an address with leading zeros',
      { addresses: ['010.0.0.1'] },
      '/routes/0/when/addresses/0: must be a network',
    ],
    [
      'has a network within another',
      { addresses: ['10.0.0.0/8', '10.1.0.0/16'] },
      '/routes/0/when/addresses/1: is part of 10.0.0.0/8',
    ],
    [
      'names a header with a credential',
      { headers: { cookie: ['a'] } },
      '/routes/0/when/headers/cookie: holds a credential',
    ],
    [
      'names a role that is not declared',
      { roles: ['nurse'] },
      '/routes/0/when/roles/0: is not a role of this policy',
    ],
    [
      'names twelve roles in as many ways',
      { any: Array.from({ length: 12 }, (_, i) => ({ roles: [`r${i}`] })) },
      '/routes/0/when: asks for too many things at once',
    ],
  ])('%s', (_, when, message) => {
    expect(faultsOfRoutes(page('p', '/p', { when })).join('\n')).toContain(message);
  });

  test('asks who somebody is on an anonymous route', () => {
    const route = { id: 'p', methods: ['GET'], path: '/p', credential: 'anonymous' as const };
    expect(faultsOfRoutes({ ...route, when: { clients: ['a'] } })).toEqual([
      '/routes/0/when: asks who somebody is (client a), and an anonymous route knows nobody',
    ]);
    expect(faultsOfRoutes({ ...route, when: { addresses: ['192.0.2.1'] } })).toEqual([]);
  });
});
