import type { FactorPageMethod } from '../pages.ts';
import type { Person } from '../people.ts';
import { principalOf, rememberPrincipal } from '../principals.ts';
import {
  type FactorRefused,
  type FactorState,
  hasFactor,
  hasPasskey,
  methodOf,
  methodsOf,
} from '../second-factors.ts';
import {
  bindingOf,
  type Demand,
  type Ended,
  field,
  finish,
  formFor,
  formTargets,
  goOn,
  passkeySite,
  pathOf,
  type Step,
} from './step.ts';

type FactorProblem = 'wrong' | 'missing' | 'stale' | 'busy';

/** The second factor: asked for, or enrolled first by who has none. */
export async function factorStep(step: Step, person: Person, demand: Demand): Promise<Ended> {
  const { parts, flow } = step;
  const principal = principalOf(parts, person.id);
  const about: About = { step, person, principal, demand, state: await parts.factors.state(principal) };
  const posted = step.form !== undefined && !step.stale ? field(step, 'step') : '';
  if (flow.codes !== undefined) return recoveryCodes(about, posted);
  // Nothing to ask for and nothing that may be added: only administrators can help (a reset of the factors).
  if (about.state.enrolled && flow.factor === undefined && askable(about).length === 0) {
    return { status: 403, page: parts.pages.error({ kind: 'refused', requestId: step.requestId }) };
  }
  const usable = demand.resistant ? hasPasskey(about.state) : hasFactor(about.state);
  if (usable) return posted === 'factor' ? factorSent(about) : factorPage(about, asked(about), stale(step));
  // Whoever has another factor already shows that one before a new one is added to the account.
  if (about.state.enrolled && flow.factor === undefined) {
    return posted === 'factor' ? factorSent(about) : factorPage(about, asked(about), stale(step));
  }
  if (posted === 'enrol-totp' && !demand.resistant) return totpConfirmed(about);
  if (posted === 'enrol-passkey') return passkeyRegistered(about);
  return demand.resistant || step.query.get('enrol') === 'passkey'
    ? passkeyEnrolment(about, step.stale ? ['stale'] : [])
    : totpEnrolment(about, stale(step));
}

interface About {
  readonly step: Step;
  readonly person: Person;
  readonly principal: string;
  readonly demand: Demand;
  readonly state: FactorState;
}

async function factorSent(about: About): Promise<Ended> {
  const { step, principal } = about;
  const { parts, source } = step;
  const method = methodOf(field(step, 'method')) ?? asked(about);
  if (method === 'passkey') {
    const response = field(step, 'passkey');
    if (response === '') return factorPage(about, method, ['missing']);
    const proved = await parts.factors.finishPasskey({
      principal,
      binding: bindingOf(step),
      site: passkeySite(step),
      response,
    });
    if (!proved.ok) return refused(about, method, proved);
    return goOn(step, { factor: 'passkey', amr: [...step.flow.amr, ...proved.amr] });
  }
  const code = field(step, 'code');
  if (code === '') return factorPage(about, method, ['missing']);
  const proved = await parts.factors.verify({ principal, method, code, source });
  if (!proved.ok) return refused(about, method, proved);
  return goOn(step, { factor: method, amr: [...step.flow.amr, ...proved.amr] });
}

/** Locked, wrong, used before: one answer. */
function refused(about: About, method: FactorPageMethod, { why }: FactorRefused): Promise<Ended> {
  about.step.parts.log('factor-refused', { requestId: about.step.requestId, why });
  return factorPage(about, method, ['wrong']);
}

async function factorPage(
  about: About,
  method: FactorPageMethod,
  problems: readonly FactorProblem[],
): Promise<Ended> {
  const { step, principal } = about;
  const others = askable(about).filter((other) => other !== method);
  const begun =
    method === 'passkey'
      ? await step.parts.factors.beginPasskey({
          principal,
          binding: bindingOf(step),
          site: passkeySite(step),
        })
      : undefined;
  return {
    status: problems.length > 0 ? 422 : 200,
    page: step.parts.pages.factor({
      form: { ...formFor(step, 'factor'), action: `${pathOf(step)}?method=${method}` },
      method,
      ...(begun?.ok === true ? { options: begun.options } : {}),
      others: others.map((other) => ({ method: other, href: `${pathOf(step)}?method=${other}` })),
      purpose: step.interaction.session?.accountId === undefined ? 'sign-in' : 'step-up',
      cancelHref: `${pathOf(step)}/cancel`,
      formTargets: formTargets(step),
      ...(problems.length > 0 ? { problems } : {}),
    }),
  };
}

async function totpEnrolment(about: About, problems: readonly FactorProblem[]): Promise<Ended> {
  const { step, person, principal } = about;
  const begun = await step.parts.factors.beginTotp({
    principal,
    binding: bindingOf(step),
    accountLabel: person.login,
    ...freshness(step),
  });
  if (!begun.ok) return refusedEnrolment(step, begun);
  return {
    status: problems.length > 0 ? 422 : 200,
    page: step.parts.pages.enrolTotp({
      form: formFor(step, 'enrol-totp'),
      qr: begun.qr,
      key: begun.key,
      account: person.login,
      otherHref: `${pathOf(step)}?enrol=passkey`,
      formTargets: formTargets(step),
      cancelHref: `${pathOf(step)}/cancel`,
      ...(problems.length > 0 ? { problems } : {}),
    }),
  };
}

async function totpConfirmed(about: About): Promise<Ended> {
  const { step, principal } = about;
  const code = field(step, 'code');
  if (code === '') return totpEnrolment(about, ['missing']);
  const proved = await step.parts.factors.confirmTotp({
    principal,
    binding: bindingOf(step),
    code,
    source: step.source,
    ...freshness(step),
  });
  if (!proved.ok) {
    step.parts.log('enrolment-refused', { requestId: step.requestId, why: proved.why });
    return totpEnrolment(about, ['wrong']);
  }
  const codes = proved.recoveryCodes ?? [];
  return goOn(step, {
    factor: 'totp',
    amr: [...step.flow.amr, ...proved.amr],
    ...(codes.length === 0 ? {} : { codes }),
  });
}

async function passkeyEnrolment(
  about: About,
  problems: readonly ('refused' | 'missing' | 'name-missing' | 'stale')[],
): Promise<Ended> {
  const { step, person, principal, demand } = about;
  const begun = await step.parts.factors.beginPasskeyRegistration({
    principal,
    binding: bindingOf(step),
    site: passkeySite(step),
    accountLabel: person.login,
    ...freshness(step),
  });
  if (!begun.ok) return refusedEnrolment(step, begun);
  return {
    status: problems.length > 0 ? 422 : 200,
    page: step.parts.pages.enrolPasskey({
      form: { ...formFor(step, 'enrol-passkey'), action: `${pathOf(step)}?enrol=passkey` },
      options: begun.options,
      formTargets: formTargets(step),
      cancelHref: `${pathOf(step)}/cancel`,
      ...(demand.resistant ? {} : { otherHref: pathOf(step) }),
      ...(problems.length > 0 ? { problems } : {}),
    }),
  };
}

async function passkeyRegistered(about: About): Promise<Ended> {
  const { step, principal, person } = about;
  const response = field(step, 'passkey');
  const name = field(step, 'name').trim();
  if (response === '') return passkeyEnrolment(about, ['missing']);
  const registered = await step.parts.factors.finishPasskeyRegistration({
    principal,
    binding: bindingOf(step),
    site: passkeySite(step),
    response,
    name: name === '' ? 'Passkey' : name,
    ...freshness(step),
  });
  if (!registered.ok) {
    step.parts.log('enrolment-refused', { requestId: step.requestId, why: registered.why });
    return passkeyEnrolment(about, ['refused']);
  }
  await rememberPrincipal(step.parts, person.id);
  const codes = registered.recoveryCodes ?? [];
  return goOn(step, {
    factor: 'passkey',
    amr: [...step.flow.amr, ...registered.amr],
    ...(codes.length === 0 ? {} : { codes }),
  });
}

/** Shown until the person says that they are kept; the sign-in is not finished before. */
function recoveryCodes({ step }: About, posted: string): Promise<Ended> | Ended {
  if (posted === 'codes' && field(step, 'kept') === 'yes') return goOn(step, {}, ['codes']);
  const problems = step.stale ? (['stale'] as const) : posted === 'codes' ? (['not-kept'] as const) : [];
  return {
    page: step.parts.pages.recoveryCodes({
      form: formFor(step, 'codes'),
      codes: step.flow.codes ?? [],
      formTargets: formTargets(step),
      ...(problems.length > 0 ? { problems } : {}),
    }),
  };
}

function refusedEnrolment(step: Step, { why }: FactorRefused): Promise<Ended> {
  step.parts.log('enrolment-refused', { requestId: step.requestId, why });
  return finish(step, { error: 'access_denied' });
}

/** What may be asked for, the usual one first. */
function askable({ state, demand }: About): readonly FactorPageMethod[] {
  return demand.resistant && hasPasskey(state) ? ['passkey'] : methodsOf(state);
}

function asked(about: About): FactorPageMethod {
  const wanted = methodOf(about.step.query.get('method') ?? '');
  const methods = askable(about);
  return wanted !== undefined && methods.includes(wanted) ? wanted : (methods[0] ?? 'totp');
}

/** Adding a factor to an account that has one takes that it was shown just now. */
function freshness(step: Step): { readonly factorAt?: number } {
  return step.flow.factor === undefined ? {} : { factorAt: Math.floor(step.parts.clock.wall() / 1000) };
}

const stale = (step: Step): readonly 'stale'[] => (step.stale ? ['stale'] : []);
