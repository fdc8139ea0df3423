import { renderSharing, typesOfGroups } from '../../console/index.ts';
import type { Grantee } from '../../contracts/consent.ts';
import { type Consent, consentStateAt } from '../../contracts/consent-record.ts';
import { parseTenantId } from '../../contracts/identifiers.ts';
import type { ConsentRules } from '../../identity/consents/index.ts';
import type { Session } from '../../identity/sessions/index.ts';
import { record } from '../sharing/call.ts';
import type { Sharing } from '../sharing/sharing.ts';
import { type OwnAnswer, pageAnswer } from './answer.ts';
import { type Fields, only } from './body.ts';
import type { Call } from './call.ts';
import { toSignIn } from './lead.ts';
import { PAGES } from './paths.ts';

type Model = Parameters<typeof renderSharing>[1];
type More = Pick<Model, 'done' | 'chosen' | 'problems'>;

const DAYS = [30, 90, 180, 365];
const DAY_MS = 86_400_000;
/** What a person is called when others share: the issuer's id here, a colon, and the subject. */
const SHARING_NAME = /^([a-z][a-z0-9-]{0,62}):(.{1,255})$/u;

interface Patient {
  readonly sharing: Sharing;
  readonly rules: ConsentRules;
  readonly session: Session;
  readonly patient: string;
}

/** Somebody whose record it is; anybody else is led or turned away. */
async function patientOf(c: Call): Promise<Patient | OwnAnswer> {
  const { sharing } = c.x.runtime;
  const rules = sharing?.rulesOf(c.x.tenant.id);
  if (sharing === undefined || rules === undefined)
    return c.refuse(404, 'not-found', 'route-unknown', undefined);
  const session = await c.session();
  if (session?.stage !== 'open') return toSignIn(c, PAGES.sharing);
  const { patient } = session;
  if (patient === undefined) return c.refuse(403, 'refused', 'patient-context-missing', 'session');
  return { sharing, rules, session, patient };
}

/** `GET /.chartgate/sharing` */
export async function listSharing(c: Call): Promise<OwnAnswer> {
  const who = await patientOf(c);
  return 'status' in who ? who : show(c, who, {});
}

/** Grants, or withdraws one. */
export async function changeSharing(c: Call, fields: Fields): Promise<OwnAnswer> {
  const who = await patientOf(c);
  if ('status' in who) return who;
  const id = only(fields, 'withdraw');
  if (id !== undefined) return withdraw(c, who, id);
  return only(fields, 'do') === 'grant' ? grant(c, who, fields) : show(c, who, {});
}

async function withdraw(c: Call, who: Patient, id: string): Promise<OwnAnswer> {
  const { sharing, rules, session, patient } = who;
  const { issuer, subject } = session;
  const by = { basis: 'patient', issuer, subject } as const;
  const withdrawn = await sharing.consents.withdraw(id, rules.tenant, by, (each) => each.patient === patient);
  if (withdrawn.ok && !withdrawn.already) await record(c.x, 'consent-withdrawn', session, id);
  await sharing.settle();
  return show(c, who, withdrawn.ok ? { done: 'withdrawn' } : {});
}

async function grant(c: Call, who: Patient, fields: Fields): Promise<OwnAnswer> {
  const { sharing, rules, session, patient } = who;
  const chosen = {
    whom: only(fields, 'whom') ?? '',
    person: (only(fields, 'person') ?? '').trim().slice(0, 400),
    role: (only(fields, 'role') ?? '').trim().slice(0, 200),
    parts: fields.getAll('part'),
    write: only(fields, 'write') === 'yes',
    days: only(fields, 'days') ?? '',
  };
  const problems: NonNullable<Model['problems']>[number][] = [];
  const grantee = granteeOf(c, rules, chosen, problems);
  const resourceTypes = chosen.parts.includes('*') ? ['*'] : typesOfGroups(chosen.parts);
  if (resourceTypes.length === 0) problems.push('what');
  const days = daysOf(rules).find((each) => String(each) === chosen.days);
  if (days === undefined) problems.push('days');
  if (problems.length > 0 || grantee === undefined || days === undefined)
    return show(c, who, { chosen, problems });
  const now = Math.floor(c.x.services.clock.wall() / 1000);
  const granted = await sharing.consents.grant(
    {
      patient,
      grantee,
      resourceTypes,
      actions: chosen.write ? ['read', 'write'] : ['read'],
      from: now,
      until: now + (days * DAY_MS) / 1000,
    },
    rules,
    { basis: 'patient', issuer: session.issuer, subject: session.subject },
  );
  if (!granted.ok) {
    const [first] = granted.faults;
    const problem = first?.at === 'patient' ? 'too-many' : first?.at === 'grantee.role' ? 'role' : 'person';
    return show(c, who, { chosen, problems: [problem] });
  }
  await record(c.x, 'consent-granted', session, granted.consent.id);
  await sharing.settle();
  return show(c, who, { done: 'granted' });
}

function granteeOf(
  c: Call,
  rules: ConsentRules,
  chosen: NonNullable<Model['chosen']>,
  problems: NonNullable<Model['problems']>[number][],
): Grantee | undefined {
  if (chosen.whom === '.person') {
    const [, id = '', subject] = SHARING_NAME.exec(chosen.person) ?? [];
    const issuer = c.x.runtime.settings.issuers.find((each) => each.id === id)?.issuer;
    if (issuer !== undefined && subject !== undefined && rules.issuers.includes(issuer))
      return { kind: 'person', issuer, subject };
    problems.push('person');
    return undefined;
  }
  const tenant = parseTenantId(chosen.whom);
  if (tenant === undefined || (tenant !== rules.tenant && !rules.partners.includes(tenant))) {
    problems.push('whom');
    return undefined;
  }
  if (chosen.role === '') return { kind: 'organisation', tenant };
  return { kind: 'role', tenant, role: chosen.role };
}

const daysOf = ({ longestMs }: ConsentRules): readonly number[] => {
  const fitting = DAYS.filter((days) => days * DAY_MS <= longestMs);
  return fitting.length > 0 ? fitting : [Math.max(1, Math.floor(longestMs / DAY_MS))];
};

async function show(c: Call, who: Patient, more: More): Promise<OwnAnswer> {
  const { sharing, rules, session, patient } = who;
  const at = c.x.services.clock.wall() / 1000;
  const consents = await sharing.consents.ofPatient(rules.tenant, patient);
  const page = renderSharing(c.site, {
    form: c.form(PAGES.sharing),
    consents: consents.slice(0, 300).map((consent) => ({
      id: consent.id,
      state: consentStateAt(consent, at),
      to: toOf(c, consent),
      resourceTypes: consent.parts.resourceTypes,
      categories: consent.parts.categories,
      actions: consent.actions,
      from: consent.from * 1000,
      until: (consent.withdrawn?.at ?? consent.until) * 1000,
      by: consent.granted.basis,
    })),
    organisations: [rules.tenant, ...rules.partners].map((id) => ({ id, name: nameOf(c, id) })),
    days: daysOf(rules),
    ownName: `${session.issuerId}:${session.subject}`,
    backHref: '/',
    ...more,
  });
  return pageAnswer(more.problems === undefined ? 200 : 422, page);
}

function nameOf(c: Call, tenant: string): string {
  return c.x.runtime.settings.tenants.find(({ id }) => id === tenant)?.brand?.name ?? tenant;
}

function toOf(c: Call, { grantee }: Consent): Model['consents'][number]['to'] {
  if (grantee.kind === 'person') {
    const id = c.x.runtime.settings.issuers.find(({ issuer }) => issuer === grantee.issuer)?.id;
    return { kind: 'person', name: `${id ?? grantee.issuer}:${grantee.subject}` };
  }
  const organisation = nameOf(c, grantee.tenant);
  return grantee.kind === 'role'
    ? { kind: 'role', role: grantee.role, organisation }
    : { kind: 'organisation', organisation };
}
