import { describe, expect, it } from 'vitest';
import type { ConsentAnswer, ConsentQuestion, ConsentView } from '../../contracts/consent.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import type { Decision } from '../../contracts/policy.ts';
import type { BearerPrincipal } from '../../contracts/principal.ts';
import type { RouteDocument } from '../../contracts/settings.ts';
import { bearer, facts, faultsOfRoutes, page, policyOf } from './support.ts';

const shared: RouteDocument = {
  id: 'shared',
  methods: ['GET', 'PUT'],
  path: '/patients/{id}',
  smart: { contexts: ['patient', 'user'], resource: 'Patient', permission: 'r' },
  patient: { capture: 'id' },
  sharing: 'consent',
  maxBodyBytes: 0,
};
const { sharing: _, ...rest } = shared;
const unshared: RouteDocument = { ...rest, id: 'unshared', path: '/others/{id}' };
const policy = policyOf(shared, unshared, page('open', '/open'), {
  id: 'anybody',
  methods: ['GET'],
  path: '/public',
  credential: 'anonymous',
});

/** Answers as told, and remembers what it was asked. */
function view(answer: ConsentAnswer): ConsentView & { readonly asked: ConsentQuestion[] } {
  const asked: ConsentQuestion[] = [];
  return {
    asked,
    check(question) {
      asked.push(question);
      return answer;
    },
    possible: () => 'in-force',
  };
}

const partner = (scopes: readonly string[], patient?: string): BearerPrincipal =>
  Object.freeze({ ...bearer(scopes, patient), home: 'south' as TenantId });

function decide(line: string, principal: BearerPrincipal, consents?: ConsentView): Decision {
  const request = facts(line);
  const context = consents === undefined ? undefined : { consents };
  return policy.decide(request, policy.match(request), principal, 1_800_000_000, context);
}
const codes = ({ reasons }: Decision) => reasons.map(({ code, held }) => `${held ? '+' : '-'}${code}`);

describe('people of a partner', () => {
  it('are denied on a route that is not shared, whatever their scopes and consents', () => {
    for (const line of ['GET /others/p1', 'GET /open']) {
      const decision = decide(line, partner(['user/*.cruds', 'system/*.cruds', 'pages']), view('in-force'));
      expect(decision).toMatchObject({ effect: 'deny', denial: 'forbidden' });
      expect(codes(decision)).toContain('-sharing-none');
    }
    expect(decide('GET /public', partner([])).effect).toBe('permit');
  });

  it.each([
    ['without anything to ask', undefined, 'record-hidden', '-consent-unavailable'],
    ['without consent', view('none'), 'record-hidden', '-consent-missing'],
    ['while it is not known', view('unavailable'), 'record-hidden', '-consent-unavailable'],
  ])('are denied on a shared route %s, as if it were not there', (_, consents, denial, code) => {
    const decision = decide('GET /patients/p1', partner(['user/Patient.r']), consents);
    expect(decision).toMatchObject({ effect: 'deny', denial });
    expect(codes(decision)).toContain(code);
  });

  it('need the scope as well as the consent', () => {
    expect(decide('GET /patients/p1', partner([]), view('in-force'))).toMatchObject({
      effect: 'deny',
      denial: 'insufficient-scope',
    });
  });

  it('are permitted with both, asked for strictly, by the method', () => {
    const consents = view('in-force');
    const decision = decide('GET /patients/p1', partner(['user/Patient.r']), consents);
    expect(decision.effect).toBe('permit');
    expect(codes(decision)).toContain('+consent-in-force');
    decide('PUT /patients/p1', partner(['user/Patient.r']), consents);
    expect(
      consents.asked.map(({ patient, resourceType, action, categories }) => [
        patient,
        resourceType,
        action,
        categories,
      ]),
    ).toEqual([
      ['p1', 'Patient', 'read', undefined],
      ['p1', 'Patient', 'write', undefined],
    ]);
  });

  it('are nobody’s patient here, should a context ever come with them', () => {
    const decision = decide('GET /patients/p1', partner(['patient/Patient.r'], 'p1'), view('none'));
    expect(decision).toMatchObject({ effect: 'deny', denial: 'record-hidden' });
  });
});

describe('another patient of the same tenant', () => {
  const app = bearer(['patient/Patient.r'], 'p2');

  it('is denied without consent, and needs none for the own record', () => {
    expect(decide('GET /patients/p1', app, view('none'))).toMatchObject({ denial: 'record-hidden' });
    expect(decide('GET /patients/p1', app)).toMatchObject({ denial: 'record-hidden' });
    expect(decide('GET /patients/p1', app, view('unavailable'))).toMatchObject({ denial: 'record-hidden' });
    const consents = view('none');
    expect(decide('GET /patients/p2', app, consents).effect).toBe('permit');
    expect(consents.asked).toEqual([]);
  });

  it('is permitted with it, and says nothing that failed', () => {
    const decision = decide('GET /patients/p1', app, view('in-force'));
    expect(decision.effect).toBe('permit');
    expect(codes(decision)).toContain('+consent-in-force');
    expect(codes(decision).filter((code) => code.startsWith('-'))).toEqual([]);
    expect(decide('GET /others/p1', app, view('in-force'))).toMatchObject({ denial: 'record-hidden' });
  });

  it('is not helped by consent where a scope or the patient’s context is wanting', () => {
    for (const principal of [bearer(['openid'], 'p2'), bearer(['patient/Patient.r'])])
      expect(decide('GET /patients/p1', principal, view('in-force')).effect).toBe('deny');
  });
});

describe('a policy is refused', () => {
  it('where what is shared is no record of a patient', () => {
    expect(faultsOfRoutes({ ...page('a', '/a'), sharing: 'consent' })).toEqual([
      expect.stringMatching(/^\/routes\/0\/sharing: needs "smart" and "patient"/),
    ]);
    expect(
      faultsOfRoutes({ id: 'a', methods: ['GET'], path: '/a', credential: 'anonymous', sharing: 'consent' }),
    ).toEqual([expect.stringMatching(/^\/routes\/0\/sharing: has no effect/)]);
  });
});
