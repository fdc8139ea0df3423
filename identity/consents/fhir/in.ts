import type { Json, JsonObject } from '../../../contracts/content.ts';
import type { ConsentFault, WantedConsent } from '../inputs.ts';
import { ACTION_CODES, CATEGORY_SYSTEMS, CONSENT_CATEGORIES, SYSTEMS } from './codes.ts';

export type ReadFhirConsent =
  | { readonly ok: true; readonly wanted: WantedConsent }
  | { readonly ok: false; readonly faults: readonly ConsentFault[] };

/** Elements that say nothing of what is permitted. */
const IGNORED = ['resourceType', 'id', 'meta', 'language', 'text', 'dateTime'];
const PERSONS: ReadonlySet<Json | undefined> = new Set([
  undefined,
  'Person',
  'Patient',
  'Practitioner',
  'RelatedPerson',
]);
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
const UNMAPPED = 'has no meaning here that could be enforced, so the whole is refused; leave it out';

/**
 * A FHIR R4 Consent as what it asks to be granted. Whatever it says that cannot be enforced is refused, by its place: to
 * leave out a restriction that somebody wrote would be to permit what they did not.
 */
export function consentFromFhir(value: Json): ReadFhirConsent {
  const reader = new Reader();
  const wanted = reader.read(value);
  return reader.faults.length > 0 || wanted === undefined
    ? { ok: false, faults: reader.faults }
    : { ok: true, wanted };
}

class Reader {
  readonly faults: ConsentFault[] = [];

  read(value: Json): WantedConsent | undefined {
    if (!isObject(value) || value.resourceType !== 'Consent')
      return this.#fault('resourceType', 'must be Consent');
    this.#only(value, 'Consent', [
      ...IGNORED,
      'status',
      'scope',
      'category',
      'patient',
      'performer',
      'policyRule',
      'provision',
    ]);
    if (isObject(value.meta ?? null))
      this.#only(value.meta as JsonObject, 'Consent.meta', ['versionId', 'lastUpdated', 'source', 'profile']);
    if (value.status !== 'active') this.#fault('Consent.status', 'must be active');
    if (this.#code(value.scope, 'Consent.scope', [SYSTEMS.scope]) !== 'patient-privacy')
      this.#fault('Consent.scope', `must be patient-privacy of ${SYSTEMS.scope}`);
    this.#category(value.category);
    const patient = this.#patient(value.patient, 'Consent.patient');
    for (const [index, performer] of this.#list(value.performer, 'Consent.performer').entries())
      if (this.#patient(performer, `Consent.performer[${index}]`) !== patient)
        this.#fault(
          `Consent.performer[${index}]`,
          'must be the patient; who records a consent is known here',
        );
    if (value.policyRule !== undefined) {
      if (this.#code(value.policyRule, 'Consent.policyRule', [SYSTEMS.actCode]) !== 'OPTIN')
        this.#fault(
          'Consent.policyRule',
          `must be OPTIN of ${SYSTEMS.actCode}: nothing but what is permitted here`,
        );
    }
    return this.#provision(value.provision, patient);
  }

  #provision(value: Json | undefined, patient: string | undefined): WantedConsent | undefined {
    const at = 'Consent.provision';
    if (!isObject(value ?? null))
      return this.#fault(at, 'must say what is permitted, to whom and until when');
    const provision = value as JsonObject;
    this.#only(provision, at, ['type', 'period', 'actor', 'action', 'class', 'code']);
    if (provision.type !== 'permit') this.#fault(`${at}.type`, 'must be permit');
    const actors = this.#list(provision.actor, `${at}.actor`);
    if (actors.length !== 1) this.#fault(`${at}.actor`, 'must be exactly one; write a consent for each');
    const [actor] = actors;
    const period = this.#period(provision.period, `${at}.period`);
    const types = this.#list(provision.class, `${at}.class`).map((coding, index) =>
      this.#coding(coding, `${at}.class[${index}]`, [SYSTEMS.resourceType]),
    );
    const categories = this.#list(provision.code, `${at}.code`).map((code, index) =>
      this.#code(code, `${at}.code[${index}]`, [...CATEGORY_SYSTEMS]),
    );
    return {
      patient,
      grantee: actor === undefined ? undefined : this.#actor(actor, `${at}.actor[0]`),
      resourceTypes: provision.class === undefined ? ['*'] : types,
      categories,
      actions: this.#actions(provision.action, `${at}.action`),
      ...(period?.start === undefined ? {} : { from: period.start }),
      until: period?.end,
    };
  }

  #category(value: Json | undefined): void {
    const list = this.#list(value, 'Consent.category');
    if (list.length === 0) this.#fault('Consent.category', 'is missing');
    for (const [index, concept] of list.entries()) {
      const at = `Consent.category[${index}]`;
      const systems = CONSENT_CATEGORIES.map(([system]) => system);
      const code = this.#code(concept, at, systems);
      if (code !== undefined && !CONSENT_CATEGORIES.some(([, known]) => known === code))
        this.#fault(at, `must be one of ${CONSENT_CATEGORIES.map(([, known]) => known).join(', ')}`);
    }
  }

  #actor(value: Json, at: string): unknown {
    if (!isObject(value)) return this.#fault(at, 'must be an object');
    this.#only(value, at, ['role', 'reference']);
    if (this.#code(value.role, `${at}.role`, [SYSTEMS.participation]) !== 'IRCP')
      this.#fault(`${at}.role`, `must be IRCP (information recipient) of ${SYSTEMS.participation}`);
    const { reference } = value;
    if (!isObject(reference ?? null)) return this.#fault(`${at}.reference`, 'is missing');
    const given = reference as JsonObject;
    this.#only(given, `${at}.reference`, ['type', 'identifier', 'display']);
    if (!isObject(given.identifier ?? null))
      return this.#fault(
        `${at}.reference.identifier`,
        'is missing: a recipient is known by system and value of its identifier',
      );
    const identifier = given.identifier as JsonObject;
    this.#only(identifier, `${at}.reference.identifier`, ['system', 'value']);
    const { system, value: name } = identifier;
    if (typeof system !== 'string' || typeof name !== 'string')
      return this.#fault(`${at}.reference.identifier`, 'must have system and value');
    const typeIs = (...types: readonly string[]): boolean =>
      given.type === undefined || types.includes(String(given.type));
    if (system === SYSTEMS.tenant) {
      if (!typeIs('Organization')) this.#fault(`${at}.reference.type`, 'must be Organization');
      return { kind: 'organisation', tenant: name };
    }
    if (system.startsWith(SYSTEMS.role)) {
      if (!typeIs('PractitionerRole')) this.#fault(`${at}.reference.type`, 'must be PractitionerRole');
      return { kind: 'role', tenant: system.slice(SYSTEMS.role.length), role: name };
    }
    if (!PERSONS.has(given.type)) this.#fault(`${at}.reference.type`, 'must be a person of some kind');
    return { kind: 'person', issuer: system, subject: name };
  }

  #actions(value: Json | undefined, at: string): readonly string[] {
    return this.#list(value, at).map((concept, index) => {
      const code = this.#code(concept, `${at}[${index}]`, [SYSTEMS.action]);
      if (code === ACTION_CODES.read) return 'read';
      if (code === ACTION_CODES.write) return 'write';
      if (code !== undefined)
        this.#fault(
          `${at}[${index}]`,
          `must be ${ACTION_CODES.read} (to read) or ${ACTION_CODES.write} (to write)`,
        );
      return '';
    });
  }

  #period(
    value: Json | undefined,
    at: string,
  ): { readonly start: number | undefined; readonly end: number | undefined } | undefined {
    if (!isObject(value ?? null)) return this.#fault(at, 'is missing: a consent has an end');
    const period = value as JsonObject;
    this.#only(period, at, ['start', 'end']);
    const moment = (name: 'start' | 'end'): number | undefined => {
      const text = period[name];
      if (text === undefined && name === 'start') return undefined;
      const parsed = typeof text === 'string' && DATE_TIME.test(text) ? Date.parse(text) : Number.NaN;
      if (Number.isNaN(parsed)) return this.#fault(`${at}.${name}`, 'must be a moment with its time zone');
      return Math.floor(parsed / 1000);
    };
    return { start: moment('start'), end: moment('end') };
  }

  #patient(value: Json | undefined, at: string): string | undefined {
    if (!isObject(value ?? null)) return this.#fault(at, 'is missing');
    const reference = value as JsonObject;
    this.#only(reference, at, ['reference', 'type', 'display']);
    const text = typeof reference.reference === 'string' ? reference.reference : '';
    const id = /^Patient\/([A-Za-z0-9.-]{1,64})$/.exec(text)?.[1];
    return id ?? this.#fault(`${at}.reference`, 'must be a relative reference such as Patient/123');
  }

  /** The code of a concept that has exactly one coding, of one of these systems. */
  #code(value: Json | undefined, at: string, systems: readonly string[]): string | undefined {
    if (!isObject(value ?? null)) return this.#fault(at, 'is missing');
    const concept = value as JsonObject;
    this.#only(concept, at, ['coding', 'text']);
    const codings = this.#list(concept.coding, `${at}.coding`);
    if (codings.length !== 1) return this.#fault(`${at}.coding`, 'must be exactly one');
    return this.#coding(codings[0] ?? null, `${at}.coding[0]`, systems);
  }

  #coding(value: Json, at: string, systems: readonly string[]): string | undefined {
    if (!isObject(value)) return this.#fault(at, 'must be an object');
    this.#only(value, at, ['system', 'code', 'display', 'version', 'userSelected']);
    const { system, code } = value;
    if (typeof system !== 'string' || !systems.includes(system))
      return this.#fault(`${at}.system`, `must be ${[...new Set(systems)].join(' or ')}`);
    return typeof code === 'string' && code !== '' ? code : this.#fault(`${at}.code`, 'is missing');
  }

  #list(value: Json | undefined, at: string): readonly Json[] {
    if (value === undefined) return [];
    if (Array.isArray(value) && value.length <= 200) return value;
    this.#fault(at, 'must be a list of at most 200');
    return [];
  }

  /** Elements that are not known may restrict what is permitted. */
  #only(value: JsonObject, at: string, known: readonly string[]): void {
    for (const name of Object.keys(value)) {
      if (known.includes(name)) continue;
      const shown = /^[A-Za-z_]{1,64}$/.test(name) ? `${at}.${name}` : at;
      this.#fault(shown, shown === at ? 'has an element that R4 does not know' : UNMAPPED);
    }
  }

  #fault(at: string, message: string): undefined {
    if (this.faults.length < 100) this.faults.push({ at, message });
    return undefined;
  }
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
