import type { Grantee } from '../../contracts/consent.ts';
import { CONSENT_ACTIONS, type ConsentAction, type ConsentParts } from '../../contracts/consent-record.ts';
import { parseTenantId, type TenantId } from '../../contracts/identifiers.ts';
import { isIdentifier } from '../claims.ts';

/** What somebody wants to be granted, as it came: nothing of it is believed yet. */
export interface WantedConsent {
  readonly patient: unknown;
  readonly grantee: unknown;
  readonly resourceTypes: unknown;
  readonly categories?: unknown;
  readonly actions: unknown;
  /** Seconds since the epoch; from now on when undefined. */
  readonly from?: unknown;
  readonly until: unknown;
}

/** The rules of one tenant. */
export interface ConsentRules {
  readonly tenant: TenantId;
  /** Whom patients may share with besides the tenant's own people: ids of its partners. */
  readonly partners: readonly TenantId[];
  /** `iss` values by which persons may be named. */
  readonly issuers: readonly string[];
  readonly longestMs: number;
}

/** What is wrong with one member; never its value. */
export interface ConsentFault {
  readonly at: string;
  readonly message: string;
}

export interface JudgedConsent {
  readonly patient: string;
  readonly grantee: Grantee;
  readonly parts: ConsentParts;
  readonly actions: readonly ConsentAction[];
  readonly from: number;
  readonly until: number;
}

export type ConsentJudgement =
  | { readonly ok: true; readonly consent: JudgedConsent }
  | { readonly ok: false; readonly faults: readonly ConsentFault[] };

const MOST_TYPES = 100;
const MOST_CATEGORIES = 50;
const FHIR_ID = /^[A-Za-z0-9.-]{1,64}$/;
const RESOURCE_TYPE = /^[A-Z][A-Za-z]{0,63}$/;
/** FHIR `code`, without white space. */
const CATEGORY = /^[^\s\p{Cc}]{1,64}$/u;
const ROLE = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$/;
/** Seconds by which a caller's clock may be behind. */
const PAST_SECONDS = 300;

/** Judges every member; all faults at once. @param now seconds since the epoch */
export function judgeConsent(wanted: WantedConsent, rules: ConsentRules, now: number): ConsentJudgement {
  const faults: ConsentFault[] = [];
  const fault = (at: string, message: string): undefined => {
    faults.push({ at, message });
    return undefined;
  };
  const patient = isText(wanted.patient, FHIR_ID)
    ? wanted.patient
    : fault('patient', 'must be the id of a patient: 1 to 64 letters, digits, "-" and "."');
  const grantee = judgeGrantee(wanted.grantee, rules, fault);
  const types = judgeList(wanted.resourceTypes, 'resourceTypes', RESOURCE_TYPE, MOST_TYPES, 1, fault, '*');
  if (types !== undefined && types.length > 1 && types.includes('*'))
    fault('resourceTypes', '"*" means every type and stands alone');
  const categories = judgeList(wanted.categories ?? [], 'categories', CATEGORY, MOST_CATEGORIES, 0, fault);
  const actions = judgeActions(wanted.actions, fault);
  const from = wanted.from === undefined ? now : seconds(wanted.from, 'from', fault);
  const until = seconds(wanted.until, 'until', fault);
  if (from !== undefined && from < now - PAST_SECONDS) fault('from', 'lies in the past');
  if (from !== undefined && until !== undefined) {
    if (until <= from) fault('until', 'must be later than "from"');
    else if (until <= now) fault('until', 'lies in the past');
    else if ((until - from) * 1000 > rules.longestMs)
      fault(
        'until',
        `is too late: a consent lasts at most ${Math.floor(rules.longestMs / 86_400_000)} days here`,
      );
  }
  if (
    faults.length > 0 ||
    patient === undefined ||
    grantee === undefined ||
    types === undefined ||
    categories === undefined ||
    actions === undefined ||
    from === undefined ||
    until === undefined
  )
    return { ok: false, faults };
  const parts = { resourceTypes: types, categories };
  return { ok: true, consent: { patient, grantee, parts, actions, from, until } };
}

type AddFault = (at: string, message: string) => undefined;

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function judgeGrantee(value: unknown, rules: ConsentRules, fault: AddFault): Grantee | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fault('grantee', 'must be an object with "kind": person, role or organisation');
  const given = value as Readonly<Record<string, unknown>>;
  if (given.kind === 'person') {
    const { issuer, subject } = given;
    if (typeof issuer !== 'string' || !rules.issuers.includes(issuer))
      return fault(
        'grantee.issuer',
        'must be the URL of an issuer of this organisation or of one of its partners',
      );
    if (!isIdentifier(subject)) return fault('grantee.subject', 'must be 1 to 255 characters');
    return { kind: 'person', issuer, subject };
  }
  if (given.kind !== 'role' && given.kind !== 'organisation')
    return fault('grantee.kind', 'must be person, role or organisation');
  const tenant = typeof given.tenant === 'string' ? parseTenantId(given.tenant) : undefined;
  if (tenant === undefined || (tenant !== rules.tenant && !rules.partners.includes(tenant)))
    return fault('grantee.tenant', 'must be the id of this organisation or of one of its partners');
  if (given.kind === 'organisation') return { kind: 'organisation', tenant };
  if (!isText(given.role, ROLE))
    return fault('grantee.role', 'must be a role: letters, digits and . _ : / @ -');
  return { kind: 'role', tenant, role: given.role };
}

function judgeList(
  value: unknown,
  at: string,
  pattern: RegExp,
  most: number,
  least: number,
  fault: AddFault,
  also?: string,
): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length < least || value.length > most)
    return fault(at, `must be a list of ${least} to ${most} codes`);
  for (const [index, each] of value.entries())
    if (each !== also && !isText(each, pattern)) return fault(`${at}[${index}]`, 'is not a code of its kind');
  return [...new Set(value as readonly string[])].toSorted();
}

function judgeActions(value: unknown, fault: AddFault): readonly ConsentAction[] | undefined {
  if (!Array.isArray(value) || value.length === 0)
    return fault('actions', 'must be a list of "read", "write" or both');
  if (value.some((each) => !CONSENT_ACTIONS.includes(each as ConsentAction)))
    return fault('actions', 'must be a list of "read", "write" or both');
  return CONSENT_ACTIONS.filter((action) => value.includes(action));
}

function seconds(value: unknown, at: string, fault: AddFault): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value < 253_402_300_800
    ? value
    : fault(at, 'must be a moment: whole seconds since 1970 before the year 10000');
}
