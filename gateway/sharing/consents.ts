import {
  CONSENT_STATES,
  type Consent,
  type ConsentAct,
  consentStateAt,
} from '../../contracts/consent-record.ts';
import type { JsonObject } from '../../contracts/content.ts';
import { isForeign } from '../../contracts/principal.ts';
import {
  type ConsentRules,
  consentBundle,
  consentFromFhir,
  consentToFhir,
  dateTime,
  type WantedConsent,
} from '../../identity/consents/index.ts';
import { jsonAnswer, type OwnAnswer } from '../own-pages/answer.ts';
import type { Step } from '../pipeline/exchange.ts';
import { fhirAnswer, operationOutcome, problem, readJsonBody, record, type SharingCall } from './call.ts';

/** What a patient's own app needs, besides the patient's context; more than any SMART scope, which apps get for other things. */
export const OWN_SCOPE = 'chartgate/consent.own';
/** For staff who record what patients signed on paper, and withdraw on their word. */
export const MANAGE_SCOPE = 'chartgate/consent.manage';

type Answered = Promise<OwnAnswer | Exclude<Step, undefined>>;

/** What somebody may do with consents of this tenant. */
export interface Standing {
  readonly basis: 'patient' | 'staff';
  /** Undefined: any patient of the tenant. */
  readonly patient: string | undefined;
}

/** Undefined: nothing. */
export function standingOf({ principal }: Pick<SharingCall, 'principal'>): Standing | undefined {
  if (isForeign(principal)) return undefined;
  if (principal.scopes.has(MANAGE_SCOPE) && principal.patient === undefined)
    return { basis: 'staff', patient: undefined };
  if (principal.scopes.has(OWN_SCOPE) && principal.patient !== undefined)
    return { basis: 'patient', patient: principal.patient };
  return undefined;
}

interface Asked {
  readonly call: SharingCall;
  readonly rules: ConsentRules;
  readonly standing: Standing;
}

/** As JSON, times as RFC 3339. */
export function consentJson(consent: Consent, at: number): JsonObject {
  const { id, patient, grantee, parts, actions, from, until, granted, withdrawn } = consent;
  const act = ({ basis, issuer, subject, at: when }: ConsentAct): JsonObject => ({
    basis,
    at: dateTime(when),
    ...(basis === 'host' ? {} : { issuer, subject }),
  });
  return {
    id,
    state: consentStateAt(consent, at),
    patient,
    grantee: { ...grantee },
    resourceTypes: parts.resourceTypes,
    categories: parts.categories,
    actions,
    from: dateTime(from),
    until: dateTime(until),
    granted: act(granted),
    withdrawn: withdrawn === undefined ? null : act(withdrawn),
  };
}

export async function listConsents({ call, rules, standing }: Asked, fhir: boolean): Answered {
  const { x, sharing } = call;
  const wanted = x.facts.parameters.get('patient');
  const [given] = wanted ?? [];
  const named = given?.replace(/^Patient\//, '');
  const known = new Set(fhir ? ['patient', 'status', '_format'] : ['patient', 'state']);
  const odd = [...x.facts.parameters].some(([name, values]) => !known.has(name) || values.length !== 1);
  if (odd) return refused(call, fhir, 400, 'The query has a parameter that is not known, or one twice.');
  const patient = standing.patient ?? named;
  if (patient === undefined) return refused(call, fhir, 400, 'The query must name the patient: ?patient=ID.');
  if (named !== undefined && named !== patient) return absent(call, fhir);
  const at = x.facts.receivedAt / 1000;
  const states = statesAsked(x.facts.parameters.get(fhir ? 'status' : 'state')?.[0], fhir);
  if (states === undefined) return refused(call, fhir, 400, 'The query asks for a state that there is not.');
  const consents = (await sharing.consents.ofPatient(rules.tenant, patient)).filter((consent) =>
    states.includes(consentStateAt(consent, at)),
  );
  if (!fhir) return jsonAnswer(200, { consents: consents.map((consent) => consentJson(consent, at)) });
  return fhirAnswer(200, consentBundle(consents, at, baseOf(call)));
}

function statesAsked(text: string | undefined, fhir: boolean): readonly string[] | undefined {
  if (text === undefined) return CONSENT_STATES;
  if (!fhir) return CONSENT_STATES.some((state) => state === text) ? [text] : undefined;
  if (text === 'active') return ['in-force', 'not-yet'];
  return text === 'inactive' ? ['ended', 'withdrawn'] : undefined;
}

export async function showConsent({ call, rules, standing }: Asked, fhir: boolean): Answered {
  const consent = await call.sharing.consents.show(call.id, rules.tenant);
  if (consent === undefined || (standing.patient !== undefined && standing.patient !== consent.patient))
    return absent(call, fhir);
  return shown(call, consent, 200, fhir);
}

export async function grantConsent(asked: Asked, fhir: boolean): Answered {
  const { call, rules, standing } = asked;
  const { x, sharing, principal } = call;
  const types = fhir ? ['application/fhir+json', 'application/json'] : ['application/json'];
  const read = await readJsonBody(call, types);
  if (!read.ok) return read.answer;
  const wanted = fhir ? consentFromFhir(read.body) : wantedOf(read.body);
  if (!wanted.ok) return invalid(call, fhir, wanted.faults);
  if (standing.patient !== undefined && wanted.wanted.patient !== standing.patient)
    return invalid(call, fhir, [{ at: 'patient', message: 'must be the patient of the token' }]);
  const { issuer, subject } = principal;
  const granted = await sharing.consents.grant(wanted.wanted, rules, {
    basis: standing.basis,
    issuer,
    subject,
  });
  if (!granted.ok) return invalid(call, fhir, granted.faults);
  await record(x, 'consent-granted', principal, granted.consent.id);
  await sharing.settle();
  return shown(call, granted.consent, 201, fhir);
}

export async function withdrawConsent({ call, rules, standing }: Asked): Answered {
  const { x, sharing, principal, id } = call;
  const { issuer, subject } = principal;
  const by = { basis: standing.basis, issuer, subject };
  const withdrawn = await sharing.consents.withdraw(
    id,
    rules.tenant,
    by,
    ({ patient }) => standing.patient === undefined || standing.patient === patient,
  );
  if (!withdrawn.ok) return absent(call, false);
  if (!withdrawn.already) {
    await record(x, 'consent-withdrawn', principal, id);
    await sharing.settle();
  }
  return shown(call, withdrawn.consent, 200, false);
}

function shown(call: SharingCall, consent: Consent, status: number, fhir: boolean): OwnAnswer {
  const at = call.x.services.clock.wall() / 1000;
  const place = fhir ? `${baseOf(call)}/Consent/${consent.id}` : `/.chartgate/consents/${consent.id}`;
  const options = status === 201 ? { headers: ['location', place] } : {};
  return fhir
    ? fhirAnswer(status, consentToFhir(consent, at), options)
    : jsonAnswer(status, consentJson(consent, at), options);
}

const baseOf = ({ x }: SharingCall): string => `https://${x.facts.authority}/.chartgate/fhir`;

function refused(call: SharingCall, fhir: boolean, status: number, message: string): OwnAnswer {
  return fhir
    ? operationOutcome(call.x, status, 'request-malformed', [{ at: '', message }])
    : problem(call.x, status, message, { reason: 'request-malformed' });
}

/** Of another patient, of another tenant, and not there: one answer. */
function absent(call: SharingCall, fhir: boolean): OwnAnswer {
  const message = 'There is no such consent.';
  return fhir
    ? operationOutcome(call.x, 404, 'consent-missing', [{ at: '', message }])
    : problem(call.x, 404, message, { reason: 'consent-missing' });
}

function invalid(
  call: SharingCall,
  fhir: boolean,
  faults: readonly { at: string; message: string }[],
): OwnAnswer {
  return fhir
    ? operationOutcome(call.x, 422, 'content-malformed', faults)
    : problem(call.x, 422, 'The consent cannot be granted.', { reason: 'content-malformed' }, faults);
}

const MEMBERS = ['patient', 'grantee', 'resourceTypes', 'categories', 'actions', 'from', 'until'];
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

function wantedOf(
  body: unknown,
):
  | { readonly ok: true; readonly wanted: WantedConsent }
  | { readonly ok: false; readonly faults: readonly { at: string; message: string }[] } {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return { ok: false, faults: [{ at: '', message: 'must be an object' }] };
  const given = body as Readonly<Record<string, unknown>>;
  if (Object.keys(given).some((name) => !MEMBERS.includes(name)))
    return { ok: false, faults: [{ at: '', message: `has a member other than ${MEMBERS.join(', ')}` }] };
  const moment = (value: unknown): unknown =>
    typeof value === 'string' && DATE_TIME.test(value) ? Math.floor(Date.parse(value) / 1000) : Number.NaN;
  const { patient, grantee, resourceTypes, categories, actions, from, until } = given;
  return {
    ok: true,
    wanted: {
      patient,
      grantee,
      resourceTypes,
      ...(categories === undefined ? {} : { categories }),
      actions,
      ...(from === undefined ? {} : { from: moment(from) }),
      until: moment(until),
    },
  };
}
