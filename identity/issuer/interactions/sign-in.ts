import { ACR } from '../../../contracts/issuer-link.ts';
import type { PasswordPageProblem } from '../pages.ts';
import { activePerson, type Person } from '../people.ts';
import { demandedStrength } from '../policy.ts';
import { accountOf, principalOf } from '../principals.ts';
import { hasEnded } from '../sessions.ts';
import { factorStep } from './factor.ts';
import type { Flow } from './flow.ts';
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
import { switchAccount } from './switch.ts';

/** The prompt `login`: password, a new password where one is due, second factor; then back. */
export async function signInStep(step: Step): Promise<Ended> {
  const { parts, flow, query } = step;
  // The password may have been changed since, or an administrator have acted: it begins anew.
  if (flow.account !== undefined && (await hasEnded(parts, flow.account, flow.since ?? 0)))
    return begin(step, {});
  if (step.form !== undefined && !step.stale) {
    const posted = await signInPosted(step);
    if (posted !== undefined) return posted;
  }
  if (flow.account === undefined) {
    const stepUp = stepUpAccount(step);
    if (stepUp !== undefined) {
      const amr = step.interaction.session?.amr ?? [];
      return goOn(step, { account: stepUp, since: parts.clock.wall(), amr });
    }
    if (flow.recovery !== undefined) return passwordPage(step, 'reset', stale(step));
    if (query.has('recover')) return recoveryPage(step, stale(step));
    return signInPage(step, stale(step));
  }
  const person = await activePerson(parts.people, flow.account);
  if (person === undefined) return finish(step, { error: 'access_denied' });
  const demand = await demandOn(step, person);
  if (flow.change !== undefined && mayChange(step, demand))
    return passwordPage(step, flow.change, stale(step));
  if (flow.codes !== undefined || (demand.factor && !answered(step, demand)))
    return factorStep(step, person, demand);
  return signedIn(step, person);
}

/** Undefined where the form is none of these and the page that is due is shown. */
async function signInPosted(step: Step): Promise<Ended | undefined> {
  switch (field(step, 'step')) {
    case 'sign-in':
      return passwordSent(step);
    case 'passkey-sign-in':
      return passkeySent(step);
    case 'password':
      return newPasswordSent(step);
    case 'recovery':
      return recoverySent(step);
    default:
      return undefined;
  }
}

async function passwordSent(step: Step): Promise<Ended> {
  const login = field(step, 'login');
  const password = field(step, 'password');
  if (login === '') return signInPage(step, ['login-missing']);
  if (password === '') return signInPage(step, ['password-missing']);
  const answer = await step.parts.people.signIn.authenticate({ login, password, source: step.source });
  if (!answer.ok) {
    step.parts.log('sign-in-refused', { requestId: step.requestId, why: answer.detail });
    return signInPage(step, [answer.reason === 'busy' ? 'busy' : 'wrong']);
  }
  return begin(step, {
    account: answer.account.id,
    amr: ['pwd'],
    ...(answer.change === undefined ? {} : { change: answer.change }),
  });
}

async function passkeySent(step: Step): Promise<Ended> {
  const { parts } = step;
  const proved = await parts.factors.finishPasskey({
    binding: bindingOf(step),
    site: passkeySite(step),
    response: field(step, 'passkey'),
  });
  const account = proved.ok ? await accountOf(parts, proved.principal) : undefined;
  if (!proved.ok || account === undefined) {
    parts.log('passkey-refused', { requestId: step.requestId, why: proved.ok ? 'account' : proved.why });
    return signInPage(step, ['wrong']);
  }
  return begin(step, { account: account.id, amr: proved.amr, factor: 'passkey' });
}

/** What was shown for another account before counts for nothing: above all not its second factor. */
function begin(step: Step, proved: Partial<Flow>): Promise<Ended> {
  const since = step.parts.clock.wall();
  const without = ['account', 'since', 'change', 'recovery', 'factor', 'codes', 'patient', 'launch'] as const;
  return goOn(step, { amr: [], ...proved, ...(proved.account === undefined ? {} : { since }) }, without);
}

/**
 * Whoever knows the password alone does not change it: the second factor comes first where there is one. Who has none
 * yet enrols it with a password of their own.
 */
function mayChange({ flow }: Step, { enrolled }: DemandOnAccount): boolean {
  return !enrolled || flow.factor !== undefined;
}

async function newPasswordSent(step: Step): Promise<Ended | undefined> {
  const { flow, parts } = step;
  if (flow.account !== undefined) {
    const person = await activePerson(parts.people, flow.account);
    // Changed here is only what is due; for everything else there are the pages of one's own account.
    if (person === undefined || flow.change === undefined || !mayChange(step, await demandOn(step, person)))
      return undefined;
  }
  const next = field(step, 'password');
  const kind = flow.account === undefined ? 'reset' : (flow.change ?? 'change');
  if (flow.account === undefined && flow.recovery === undefined) return signInPage(step, ['stale']);
  if (next === '') return passwordPage(step, kind, ['missing']);
  if (next !== field(step, 'again')) return passwordPage(step, kind, ['mismatch']);
  if (flow.account !== undefined && field(step, 'present') === '')
    return passwordPage(step, kind, ['present-missing']);
  const answer =
    flow.account === undefined
      ? await parts.people.passwords.redeem({ code: flow.recovery ?? '', next, source: step.source })
      : await parts.people.passwords.change({
          account: flow.account,
          present: field(step, 'present'),
          next,
          source: step.source,
        });
  if (!answer.ok) {
    if (answer.reason === 'unacceptable') return passwordPage(step, kind, answer.faults);
    if (answer.reason === 'busy') return passwordPage(step, kind, ['busy']);
    if (flow.account !== undefined) return passwordPage(step, kind, ['present-wrong']);
    // Whether the code was wrong, used or late: it has to be typed again, and nobody is told which.
    await goOn(step, {}, ['recovery']);
    return recoveryPage(step, ['wrong']);
  }
  // After a code from administrators the new password is asked for like any other.
  // What ends with the old one does not end this sign-in, which knows the new one.
  const since = parts.clock.wall() + 1;
  return goOn(step, flow.account === undefined ? {} : { since }, ['recovery', 'change']);
}

async function recoverySent(step: Step): Promise<Ended> {
  const code = field(step, 'code').trim();
  if (field(step, 'login') === '') return recoveryPage(step, ['login-missing']);
  if (code === '') return recoveryPage(step, ['code-missing']);
  return goOn(step, { recovery: code });
}

interface DemandOnAccount extends Demand {
  /** Whether there is a second factor to ask for. */
  readonly enrolled: boolean;
}

/** The account and what it asks: a role may be exempt, a client may ask for more, and an enrolled factor is asked for. */
async function demandOn(step: Step, person: Person): Promise<DemandOnAccount> {
  const { secondFactor } = step.parts.settings;
  const asked = demandedStrength(step.interaction.params.acr_values);
  // Exempt is who has no role that is not: an administrator at the kiosk is an administrator.
  const exempt =
    person.roles.length > 0 && person.roles.every((role) => secondFactor.exemptRoles.includes(role));
  const required = secondFactor.required && !exempt;
  const { enrolled } = await step.parts.factors.state(principalOf(step.parts, person.id));
  return { factor: required || enrolled || asked >= 2, resistant: asked >= 3, enrolled };
}

function answered({ flow }: Step, demand: Demand): boolean {
  return demand.resistant ? flow.factor === 'passkey' : flow.factor !== undefined;
}

/** Who has only to show a second factor: signed in already, and nothing but more strength was asked for. */
function stepUpAccount({ interaction }: Step): string | undefined {
  const { reasons } = interaction.prompt;
  return reasons.length > 0 && reasons.every((reason) => reason === 'acr')
    ? interaction.session?.accountId
    : undefined;
}

async function signedIn(step: Step, person: Person): Promise<Ended> {
  const { flow, parts, interaction } = step;
  const strong = flow.factor === undefined ? ACR.single : flow.factor === 'passkey' ? ACR.resistant : ACR.two;
  const methods = new Set(flow.amr);
  if (strong !== ACR.single) methods.add('mfa');
  const before = interaction.session?.accountId;
  // Somebody else uses this browser now: whoever was signed in here is signed out first.
  if (before !== undefined && before !== person.id) await switchAccount(step);
  parts.log('signed-in', { requestId: step.requestId, acr: strong });
  return finish(step, {
    login: {
      accountId: person.id,
      acr: strong,
      amr: [...methods],
      ts: Math.floor(parts.clock.wall() / 1000),
      remember: false,
    },
  });
}

async function signInPage(
  step: Step,
  problems: readonly ('wrong' | 'login-missing' | 'password-missing' | 'busy' | 'stale')[],
): Promise<Ended> {
  const login = field(step, 'login');
  const passkey = await step.parts.factors.beginPasskey({
    binding: bindingOf(step),
    site: passkeySite(step),
  });
  return {
    status: problems.length > 0 ? 422 : 200,
    page: step.parts.pages.signIn({
      form: formFor(step, 'sign-in'),
      service: step.client.name,
      formTargets: formTargets(step),
      recoveryHref: `${pathOf(step)}?recover=1`,
      cancelHref: `${pathOf(step)}/cancel`,
      ...(problems.length > 0 ? { problems } : {}),
      ...(login === '' ? {} : { login }),
      ...(passkey.ok
        ? { passkey: { form: formFor(step, 'passkey-sign-in'), options: passkey.options } }
        : {}),
    }),
  };
}

function passwordPage(
  step: Step,
  kind: 'change' | 'temporary' | 'expired' | 'reset',
  problems: readonly PasswordPageProblem[],
): Ended {
  const { passwords } = step.parts.settings.accounts;
  return {
    status: problems.length > 0 ? 422 : 200,
    page: step.parts.pages.password({
      form: formFor(step, 'password'),
      kind,
      rules: {
        minimum: passwords.minimumLength,
        classes: passwords.preset === 'eight-with-four-classes',
        history: passwords.remembered,
      },
      cancelHref: `${pathOf(step)}/cancel`,
      formTargets: formTargets(step),
      ...(problems.length > 0 ? { problems } : {}),
    }),
  };
}

function recoveryPage(
  step: Step,
  problems: readonly ('wrong' | 'login-missing' | 'code-missing' | 'stale')[],
): Ended {
  return {
    status: problems.length > 0 ? 422 : 200,
    page: step.parts.pages.recovery({
      form: { ...formFor(step, 'recovery'), action: `${pathOf(step)}?recover=1` },
      signInHref: pathOf(step),
      ...(problems.length > 0 ? { problems } : {}),
    }),
  };
}

const stale = (step: Step): readonly 'stale'[] => (step.stale ? ['stale'] : []);
