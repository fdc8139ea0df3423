import { describe, expect, test } from 'vitest';
import type { PolicySet } from '../../contracts/policy.ts';
import type { BearerPrincipal, Principal, SenderConstraint } from '../../contracts/principal.ts';
import type { RouteDocument } from '../../contracts/settings.ts';
import { compilePolicy } from '../../policies/index.ts';
import { ANONYMOUS, bearer, facts } from './support.ts';

const NOW = 1_800_000_000;

function policyOf(changes: Partial<RouteDocument>): PolicySet {
  const route: RouteDocument = { id: 'one', methods: ['GET'], path: '/one', scopes: ['s'], ...changes };
  const compiled = compilePolicy('p', { file: 'p.yaml', routes: [route] }, { hideDeadlineMs: 100 });
  if (!compiled.ok) throw new Error(compiled.faults.map(({ message }) => message).join());
  return compiled.policy;
}

const bound = (constraint: SenderConstraint | undefined): BearerPrincipal =>
  Object.freeze({ ...bearer(['s']), constraint }) as BearerPrincipal;

function decided(policy: PolicySet, principal: Principal, notAfter?: number): string {
  const request = facts('GET /one');
  const certificate = { thumbprint: 't', subject: 'CN=lab', names: [], der: '', notAfter: notAfter ?? 0 };
  const shown = notAfter === undefined ? request : { ...request, tls: { ...request.tls, certificate } };
  const decision = policy.decide(shown, policy.match(shown), principal, NOW);
  return decision.effect === 'permit' ? 'permit' : decision.denial;
}

describe('a route that wants tokens bound to their sender', () => {
  test.each([
    ['dpop', 'none', 'sender-unconstrained'],
    ['dpop', undefined, 'sender-unconstrained'],
    ['dpop', 'certificate', 'sender-unconstrained'],
    ['dpop', 'dpop', 'permit'],
    ['certificate', 'none', 'sender-unconstrained'],
    ['certificate', 'dpop', 'sender-unconstrained'],
    ['certificate', 'certificate', 'permit'],
    ['any', 'none', 'sender-unconstrained'],
    ['any', undefined, 'sender-unconstrained'],
    ['any', 'dpop', 'permit'],
    ['any', 'certificate', 'permit'],
    [undefined, 'none', 'permit'],
  ] as const)('%s, and the token is bound by %s: %s', (senderConstrained, constraint, outcome) => {
    const policy = policyOf(senderConstrained === undefined ? {} : { senderConstrained });
    expect(decided(policy, bound(constraint))).toBe(outcome);
  });

  test('still wants a token first, and its scopes', () => {
    const policy = policyOf({ senderConstrained: 'any', scopes: ['other'] });
    expect(decided(policy, ANONYMOUS)).toBe('unauthenticated');
    expect(decided(policy, bound('dpop'))).toBe('insufficient-scope');
  });

  test('must be one that takes tokens', () => {
    expect(() => policyOf({ senderConstrained: 'any', credential: 'session' })).toThrow(/takes no token/);
    expect(() => policyOf({ senderConstrained: 'any', credential: 'anonymous', scopes: [] })).toThrow(
      /takes no token/,
    );
  });
});

describe('a route that wants a client certificate', () => {
  const anonymous = { credential: 'anonymous', scopes: [], clientCertificate: 'required' } as const;

  test('wants it of everybody, before anything else', () => {
    expect(decided(policyOf(anonymous), ANONYMOUS)).toBe('certificate-required');
    expect(decided(policyOf({ clientCertificate: 'required' }), ANONYMOUS)).toBe('certificate-required');
    expect(decided(policyOf({ clientCertificate: 'required' }), bound('dpop'))).toBe('certificate-required');
  });

  test('takes one that has not expired since the handshake', () => {
    expect(decided(policyOf(anonymous), ANONYMOUS, NOW * 1000)).toBe('certificate-required');
    expect(decided(policyOf(anonymous), ANONYMOUS, NOW * 1000 + 1)).toBe('permit');
    expect(decided(policyOf({ clientCertificate: 'required' }), ANONYMOUS, NOW * 1000 + 1)).toBe(
      'unauthenticated',
    );
  });
});

describe('a route for a further audience of the tenant', () => {
  const carrying = (audience: string | undefined): Principal => Object.freeze({ ...bearer(['s']), audience });

  test.each([
    ['research', undefined, 'unauthenticated'],
    ['research', 'partners', 'unauthenticated'],
    ['research', 'research', 'permit'],
    [undefined, 'research', 'unauthenticated'],
    [undefined, undefined, 'permit'],
  ] as const)('%s, and the token carries %s: %s', (audience, carried, outcome) => {
    const policy = policyOf(audience === undefined ? {} : { audience });
    expect(decided(policy, carrying(carried))).toBe(outcome);
  });

  test('says so, and by name', () => {
    const policy = policyOf({ audience: 'research' });
    const request = facts('GET /one');
    const decide = (principal: Principal) => policy.decide(request, policy.match(request), principal, NOW);
    const said = (held: boolean) => ({ code: 'token-audience', held, detail: 'research' });
    expect(decide(carrying(undefined)).reasons).toContainEqual(said(false));
    expect(decide(carrying('research')).reasons).toContainEqual(said(true));
  });

  test('must be one that takes tokens alone', () => {
    for (const credential of ['session', 'bearer-or-session', 'anonymous'] as const)
      expect(() =>
        policyOf({ audience: 'research', credential, scopes: credential === 'anonymous' ? [] : ['s'] }),
      ).toThrow(/nothing but a token carries an audience/);
  });
});
