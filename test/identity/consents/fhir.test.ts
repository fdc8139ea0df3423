import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Consent } from '../../../contracts/consent-record.ts';
import type { JsonObject } from '../../../contracts/content.ts';
import { consentFromFhir, consentToFhir } from '../../../identity/consents/index.ts';
import { HOME_ISSUER, north, south } from './support.ts';

const consent: Consent = {
  id: '7f3c1a7e-0d0e-4a52-9a36-0c4f6d1d2a11',
  tenant: north,
  patient: 'p1',
  grantee: { kind: 'organisation', tenant: south },
  parts: { resourceTypes: ['Condition', 'Observation'], categories: ['laboratory'] },
  actions: ['read'],
  from: 1_800_000_000,
  until: 1_810_000_000,
  granted: { basis: 'patient', issuer: HOME_ISSUER, subject: 'pat', at: 1_800_000_000 },
  withdrawn: undefined,
};
const at = 1_800_000_100;
const sound = consentToFhir(consent, at);

describe('FHIR Consent', () => {
  it('says what is granted, and is read back as the same', () => {
    expect(sound).toMatchObject({
      resourceType: 'Consent',
      status: 'active',
      patient: { reference: 'Patient/p1' },
      provision: {
        type: 'permit',
        period: { start: '2027-01-15T08:00:00Z', end: '2027-05-11T01:46:40Z' },
        class: [{ code: 'Condition' }, { code: 'Observation' }],
      },
    });
    const code = fc.stringMatching(/^[A-Za-z0-9-]{1,20}$/);
    const grantee = fc.oneof(
      fc.record({ kind: fc.constant('organisation' as const), tenant: fc.constant(south) }),
      fc.record({ kind: fc.constant('role' as const), tenant: fc.constant(south), role: code }),
      fc.record({
        kind: fc.constant('person' as const),
        issuer: fc.webUrl(),
        subject: fc.string({ minLength: 1 }),
      }),
    );
    fc.assert(
      fc.property(
        grantee,
        fc.uniqueArray(fc.constantFrom('Patient', 'Observation', 'Condition'), { minLength: 1 }),
        fc.uniqueArray(code),
        fc.subarray(['read', 'write'] as const, { minLength: 1 }),
        fc.boolean(),
        (who, types, categories, actions, whole) => {
          const resourceTypes = whole ? ['*'] : types;
          const one: Consent = { ...consent, grantee: who, parts: { resourceTypes, categories }, actions };
          const { patient, from, until } = one;
          expect(consentFromFhir(consentToFhir(one, at))).toEqual({
            ok: true,
            wanted: { patient, grantee: who, resourceTypes, categories, actions, from, until },
          });
        },
      ),
    );
  });

  it.each([
    ['ended', { until: at }],
    ['withdrawn', { withdrawn: consent.granted }],
  ])('is inactive when it is %s', (_, change) => {
    expect(consentToFhir({ ...consent, ...change }, at).status).toBe('inactive');
  });

  const provision = sound.provision as JsonObject;
  const actor = (provision.actor as readonly JsonObject[])[0] as JsonObject;
  const within = (change: JsonObject): JsonObject => ({ ...sound, provision: { ...provision, ...change } });
  const rows: readonly (readonly [why: string, value: unknown, at: string])[] = [
    ['another resource', { ...sound, resourceType: 'Patient' }, 'resourceType'],
    ['no resource', [], 'resourceType'],
    ['one that is proposed', { ...sound, status: 'proposed' }, 'Consent.status'],
    [
      'consent to treatment',
      {
        ...sound,
        scope: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'treatment' }],
        },
      },
      'Consent.scope',
    ],
    ['no category', { ...sound, category: [] }, 'Consent.category'],
    [
      'a patient elsewhere',
      { ...sound, patient: { reference: 'https://other.example/Patient/1' } },
      'Consent.patient.reference',
    ],
    [
      'a patient by identifier',
      { ...sound, patient: { identifier: { value: '1' } } },
      'Consent.patient.identifier',
    ],
    ['a modifier that nobody knows', { ...sound, modifierExtension: [] }, 'Consent.modifierExtension'],
    ['implicit rules', { ...sound, implicitRules: 'urn:x' }, 'Consent.implicitRules'],
    ['a security label', { ...sound, meta: { security: [] } }, 'Consent.meta.security'],
    [
      'an opt-out',
      {
        ...sound,
        policyRule: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }],
        },
      },
      'Consent.policyRule',
    ],
    ['a policy of somebody', { ...sound, policy: [{ uri: 'urn:x' }] }, 'Consent.policy'],
    ['a denial', within({ type: 'deny' }), 'Consent.provision.type'],
    ['a provision within', within({ provision: [{ type: 'deny' }] }), 'Consent.provision.provision'],
    ['a purpose', within({ purpose: [{ code: 'TREAT' }] }), 'Consent.provision.purpose'],
    ['a period of the data', within({ dataPeriod: {} }), 'Consent.provision.dataPeriod'],
    ['single resources', within({ data: [] }), 'Consent.provision.data'],
    ['a security label of data', within({ securityLabel: [] }), 'Consent.provision.securityLabel'],
    ['no end', within({ period: { start: '2027-01-15T08:00:00Z' } }), 'Consent.provision.period.end'],
    ['an end without a time zone', within({ period: { end: '2027-01-15' } }), 'Consent.provision.period.end'],
    ['two recipients', within({ actor: [actor, actor] }), 'Consent.provision.actor'],
    ['nobody', within({ actor: [] }), 'Consent.provision.actor'],
    [
      'a recipient in another role',
      within({
        actor: [
          {
            ...actor,
            role: {
              coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'AUT' }],
            },
          },
        ],
      }),
      'Consent.provision.actor[0].role',
    ],
    [
      'a recipient by reference',
      within({ actor: [{ ...actor, reference: { reference: 'Organization/south' } }] }),
      'Consent.provision.actor[0].reference.reference',
    ],
    [
      'an organisation that is a person',
      within({
        actor: [
          {
            ...actor,
            reference: { type: 'Person', identifier: { system: 'urn:chartgate:tenant', value: 'south' } },
          },
        ],
      }),
      'Consent.provision.actor[0].reference.type',
    ],
    [
      'passing it on',
      within({
        action: [
          { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentaction', code: 'disclose' }] },
        ],
      }),
      'Consent.provision.action[0]',
    ],
    [
      'a class that is no resource',
      within({ class: [{ system: 'urn:ietf:bcp:13', code: 'application/hl7-cda+xml' }] }),
      'Consent.provision.class[0].system',
    ],
    [
      'codes of the content',
      within({ code: [{ coding: [{ system: 'http://loinc.org', code: '4548-4' }] }] }),
      'Consent.provision.code[0].coding[0].system',
    ],
    [
      'two codings',
      within({
        code: [
          {
            coding: [
              { system: 'urn:chartgate:category', code: 'a' },
              { system: 'urn:chartgate:category', code: 'b' },
            ],
          },
        ],
      }),
      'Consent.provision.code[0].coding',
    ],
    ['no provision', { ...sound, provision: null }, 'Consent.provision'],
    ['a name that is hostile', { ...sound, '<script>': 1 }, 'Consent'],
  ];
  it.each(rows)('is refused, by its place, with %s', (_, value, place) => {
    const read = consentFromFhir(value as JsonObject);
    expect(read.ok).toBe(false);
    expect(read.ok ? [] : read.faults.map((fault) => fault.at)).toContain(place);
    expect(JSON.stringify(read)).not.toMatch(/script|other\.example/);
  });

  it('never throws, whatever comes', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void consentFromFhir(value as JsonObject)));
    const keys = Object.keys(sound);
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
        void consentFromFhir({ ...sound, [key]: value } as JsonObject);
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(provision)), fc.jsonValue(), (key, value) => {
        void consentFromFhir(within({ [key]: value } as JsonObject));
      }),
    );
  });
});
