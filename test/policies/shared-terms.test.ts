import { describe, expect, test } from 'vitest';
import type { RequestFacts } from '../../contracts/facts.ts';
import type { PolicySet } from '../../contracts/policy.ts';
import type { Principal } from '../../contracts/principal.ts';
import type { RouteDocument } from '../../contracts/settings.ts';
import { FaultList } from '../../policies/faults.ts';
import { PACKS } from '../../policies/packs/index.ts';
import { compileRule } from '../../policies/rule.ts';
import { bearer, decideLine, facts, page, policyOf } from './support.ts';

const NOW = 1_800_000_000;
const LINE = 'GET /chart/7?patient=8';

const reader = bearer(['pages', 'patient/Observation.rs'], '7');
const rule = (more: Partial<RouteDocument>): RouteDocument => page('chart', '/chart/{id}', more);
const smart = (more: Partial<NonNullable<RouteDocument['smart']>>) => ({
  scopes: [],
  smart: { contexts: ['user'] as const, resource: 'Observation', permission: 'r', ...more },
});
const ofPatient = smart({ contexts: ['patient'] });

function said(policy: PolicySet, who: Principal, more: Partial<RequestFacts> = {}): string {
  const request = facts(LINE, more);
  const decision = policy.decide(request, policy.match(request), who, NOW);
  return decision.effect === 'permit' ? 'permit' : decision.denial;
}

/** Somebody, and the two rules of which the first permits it to them. */
const DIFFERENCES: readonly (readonly [string, Principal, RouteDocument, RouteDocument, string])[] = [
  ['scopes', reader, rule({}), rule({ scopes: ['pages', 'more'] }), 'insufficient-scope'],
  ['credential', reader, rule({}), rule({ credential: 'session' }), 'unauthenticated'],
  [
    'context',
    bearer(['user/Observation.r']),
    rule(smart({})),
    rule(smart({ contexts: ['system'] })),
    'insufficient-scope',
  ],
  [
    'resource type',
    bearer(['user/Observation.r']),
    rule(smart({})),
    rule(smart({ resource: 'Condition' })),
    'insufficient-scope',
  ],
  [
    'permission',
    bearer(['user/Observation.r']),
    rule(smart({})),
    rule(smart({ permission: 'rs' })),
    'insufficient-scope',
  ],
  [
    'place of the patient',
    reader,
    rule({ ...ofPatient, patient: { capture: 'id' } }),
    rule({ ...ofPatient, patient: { parameter: 'patient' } }),
    'record-hidden',
  ],
  ['audience', reader, rule({}), rule({ audience: 'research' }), 'unauthenticated'],
  ['age of the factor', reader, rule({}), rule({ factorMaxAgeSeconds: 60 }), 'factor-stale'],
  ['certificate', reader, rule({}), rule({ clientCertificate: 'required' }), 'certificate-required'],
  ['binding', reader, rule({}), rule({ senderConstrained: 'dpop' }), 'sender-unconstrained'],
  [
    'condition',
    reader,
    rule({ when: { addresses: ['192.0.2.0/24'] } }),
    rule({ when: { addresses: ['198.51.100.0/24'] } }),
    'forbidden',
  ],
];

describe('rules that decide alike share what decides', () => {
  test.each(DIFFERENCES)(
    'those with another %s do not, whichever decides first',
    (_what, who, open, closed, denial) => {
      for (const order of [
        [open, closed],
        [closed, open],
      ]) {
        const policies = new Map(order.map((each) => [each, policyOf(each)] as const));
        for (let round = 0; round < 2; round += 1) {
          for (const each of order) {
            const policy = policies.get(each);
            expect(policy && said(policy, who)).toBe(each === open ? 'permit' : denial);
          }
        }
      }
    },
  );

  test('with consent or without: people of a partner get nothing of the one, and an answer of the other', () => {
    const partner = { ...reader, home: 'elsewhere' } as unknown as Principal;
    const route = { ...ofPatient, patient: { capture: 'id' } };
    const [alone, shared] = [policyOf(rule(route)), policyOf(rule({ ...route, sharing: 'consent' }))];
    const request = facts(LINE);
    const context = {
      consents: { check: () => 'in-force' },
    } as unknown as NonNullable<Parameters<PolicySet['decide']>[4]>;
    for (let round = 0; round < 2; round += 1) {
      expect(alone.decide(request, alone.match(request), partner, NOW, context)).toMatchObject({
        denial: 'forbidden',
      });
      expect(shared.decide(request, shared.match(request), partner, NOW, context)).toMatchObject({
        effect: 'permit',
      });
    }
  });

  test.each(PACKS.map((pack) => [pack.name, pack] as const))(
    'nothing that they are told apart by is lost in the text that stands for it: %s',
    (_name, pack) => {
      const faults = new FaultList();
      let smart = 0;
      for (const [index, document] of pack.routes.entries()) {
        if (document.effect === 'deny') continue;
        const compiled = compileRule(
          document,
          { index, at: `/routes/${index}`, pack: pack.name },
          250,
          faults,
        );
        if (compiled === undefined) throw new Error(document.id);
        const { access, fhir, demands } = compiled.deciding.terms;
        for (const each of [access, fhir, demands]) {
          if (each !== undefined) expect(JSON.parse(JSON.stringify(each))).toEqual(each);
        }
        if (access.credential !== 'anonymous' && access.smart !== undefined) smart += 1;
      }
      expect(faults.list()).toEqual([]);
      if (pack.name.startsWith('fhir')) expect(smart).toBeGreaterThan(10);
    },
  );

  test('each says its own name', () => {
    const policies = ['one', 'two', 'three'].map((id) => policyOf(page(id, `/${id}`)));
    for (const who of [reader, bearer([])]) {
      const names = ['one', 'two', 'three'].map(
        (id, i) => decideLine(policies[i] as PolicySet, `GET /${id}`, who).reasons[0],
      );
      expect(names.map((reason) => reason?.detail)).toEqual(['one', 'two', 'three']);
      expect(names.every((reason) => reason?.code === 'route-matched')).toBe(true);
    }
  });
});

describe('a match', () => {
  const policy = policyOf(rule({}), page('other', '/other', { scopes: ['more'] }));
  const request = facts(LINE);

  test("decides the same when it was copied, and is nobody else's", () => {
    const match = policy.match(request);
    if (match === undefined) throw new Error('no match');
    const decision = policy.decide(request, match, reader, NOW);
    expect(decision.effect).toBe('permit');
    expect(policy.decide(request, { ...match }, reader, NOW)).toEqual(decision);
    const stricter = policyOf(rule({ scopes: ['more'] }), page('other', '/other', { scopes: ['pages'] }));
    for (const foreign of [match, { ...match }])
      expect(stricter.decide(request, foreign, reader, NOW)).toMatchObject({ denial: 'route-unknown' });
  });

  test('cannot be turned into that of another route', () => {
    const match = policy.match(facts('GET /other'));
    const others = policy.match(request);
    if (match === undefined || others === undefined) throw new Error('no match');
    Object.assign(match, { route: others.route });
    expect(policy.decide(request, match, reader, NOW)).toMatchObject({ denial: 'route-unknown' });
  });
});
