import { allowedScopes, fillGrant, resourceOf } from '../grants.ts';
import { keepContext, type LaunchContext, NO_CONTEXT, redeem } from '../launch-context.ts';
import { activePerson, type Person, patientName } from '../people.ts';
import { isPlainScope, parseResourceScope, permitted } from '../smart/scopes.ts';
import { type Ended, field, finish, formFor, formTargets, goOn, pathOf, type Step } from './step.ts';

/** FHIR R4 §2.24.0.1 `id`. */
const PATIENT_ID = /^[A-Za-z0-9.-]{1,64}$/;
/** Without these the app would not get what it can work with at all, or they give it nothing. */
const NOT_CHOSEN: ReadonlySet<string> = new Set([
  'openid',
  'launch',
  'launch/patient',
  'launch/encounter',
  'online_access',
]);

/** The prompt `consent`: the patient an app is opened for, and what it may do. */
export async function consentStep(step: Step): Promise<Ended> {
  const { parts, interaction, flow } = step;
  const account = interaction.session?.accountId;
  const person = account === undefined ? undefined : await activePerson(parts.people, account);
  if (person === undefined) return finish(step, { error: 'access_denied' });

  const launch = interaction.params.launch;
  if (launch !== undefined && flow.launch === undefined) {
    const announced = await redeem(parts.models, launch, step.client.id);
    if (announced === undefined) return finish(step, { error: 'invalid_request' });
    return goOn(step, { launch: announced });
  }
  if (flow.launch?.subject !== undefined && flow.launch.subject !== person.id) {
    return finish(step, { error: 'access_denied' });
  }
  const asked = (interaction.params.scope ?? '').split(' ').filter((scope) => scope !== '');
  const allowed = await allowedScopes(parts, step.client, person);
  const scopes = permitted(asked, allowed);
  const posted = step.form !== undefined && !step.stale ? field(step, 'step') : '';
  const choice = patientChoice(step, person, scopes, allowed);
  if (choice === 'ask')
    return posted === 'patient' ? patientSent(step, person) : patientPage(step, person, stale(step));
  const patient = choice.patient;
  // Scopes about "the patient" mean nothing without one.
  const offered = patient === undefined ? scopes.filter((scope) => !needsPatient(scope)) : scopes;
  if (posted !== 'consent') return consentPage(step, person, patient, offered, stale(step));
  if (field(step, 'do') !== 'allow') return finish(step, { error: 'access_denied' });
  const chosen = step.form?.getAll('scope') ?? [];
  const granted = isChoosable(offered)
    ? offered.filter((scope) => NOT_CHOSEN.has(scope) || chosen.includes(scope))
    : offered;
  if (isChoosable(offered) && !granted.some((scope) => !NOT_CHOSEN.has(scope))) {
    return consentPage(step, person, patient, offered, ['none-chosen']);
  }
  return allow(step, person, { asked, granted, patient });
}

interface Agreed {
  readonly asked: readonly string[];
  readonly granted: readonly string[];
  readonly patient: string | undefined;
}

async function allow(step: Step, person: Person, { asked, granted, patient }: Agreed): Promise<Ended> {
  const { parts, provider, interaction, flow } = step;
  const grant = new provider.Grant({ accountId: person.id, clientId: step.client.id });
  fillGrant(grant, { resource: resourceOf(interaction.params.resource), requested: asked, granted });
  const id = await grant.save();
  const context: LaunchContext = flow.launch ?? { ...NO_CONTEXT, patient };
  await keepContext(parts.models, id, context, Math.floor(parts.settings.tokens.refreshMs / 1000));
  parts.log('consent-given', { requestId: step.requestId, client: step.client.id });
  return finish(step, { consent: { grantId: id } });
}

/** Whose record the app is opened on: the launch says it, the account has only one, or somebody has to choose. */
function patientChoice(
  { flow, client }: Step,
  person: Person,
  scopes: readonly string[],
  allowed: readonly string[],
): { readonly patient: string | undefined } | 'ask' {
  if (client.kind === 'gateway') return { patient: undefined };
  if (flow.launch !== undefined) return { patient: flow.launch.patient };
  if (!scopes.some(needsPatient)) return { patient: undefined };
  if (flow.patient !== undefined) return { patient: flow.patient };
  const [only, ...others] = person.patients;
  if (isStaff(allowed) || others.length > 0) return 'ask';
  return { patient: only };
}

/** Whoever may see more than patients that the account stands for may open any: the EMR says which exist. */
function isStaff(allowed: readonly string[]): boolean {
  return allowed.some((scope) => parseResourceScope(scope)?.context === 'user');
}

function isChoosable(offered: readonly string[]): boolean {
  return offered.some((scope) => !isPlainScope(scope));
}

function needsPatient(scope: string): boolean {
  return scope === 'launch/patient' || parseResourceScope(scope)?.context === 'patient';
}

async function patientSent(step: Step, person: Person): Promise<Ended> {
  const typed = field(step, 'patient-id').trim();
  const picked = field(step, 'patient').trim();
  const patient = picked === '' ? typed : picked;
  if (patient === '') return patientPage(step, person, ['missing']);
  const allowed = await allowedScopes(step.parts, step.client, person);
  const own = person.patients.includes(patient);
  if (!PATIENT_ID.test(patient) || !(own || isStaff(allowed))) return patientPage(step, person, ['unknown']);
  return goOn(step, { patient });
}

async function patientPage(
  step: Step,
  person: Person,
  problems: readonly ('missing' | 'unknown' | 'stale')[],
): Promise<Ended> {
  const typed = isStaff(await allowedScopes(step.parts, step.client, person));
  return {
    status: problems.length > 0 ? 422 : 200,
    page: step.parts.pages.choosePatient({
      form: formFor(step, 'patient'),
      client: step.client.name,
      patients: person.patients.map((id) => {
        const name = patientName(person, id);
        return name === undefined ? { id, name: id } : { id, name, detail: id };
      }),
      typed,
      cancelHref: `${pathOf(step)}/cancel`,
      formTargets: formTargets(step),
      ...(problems.length > 0 ? { problems } : {}),
    }),
  };
}

function consentPage(
  step: Step,
  person: Person,
  patient: string | undefined,
  offered: readonly string[],
  problems: readonly ('none-chosen' | 'stale')[],
): Ended {
  const [uri] = (step.client.metadata.redirect_uris ?? []) as readonly string[];
  const site = uri === undefined ? undefined : URL.parse(uri);
  return {
    status: problems.length > 0 ? 422 : 200,
    page: step.parts.pages.consent({
      form: formFor(step, 'consent'),
      client: step.client.name,
      scopes: offered,
      account: person.name,
      choosable: isChoosable(offered),
      formTargets: formTargets(step),
      ...(site?.protocol === 'https:' ? { clientSite: site.origin } : {}),
      ...(patient === undefined ? {} : { patient: inWords(person, patient) }),
      ...(problems.length > 0 ? { problems } : {}),
    }),
  };
}

function inWords(person: Person, patient: string): string {
  const name = patientName(person, patient);
  return name === undefined ? patient : `${name} (${patient})`;
}

const stale = (step: Step): readonly 'stale'[] => (step.stale ? ['stale'] : []);
