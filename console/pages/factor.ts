import { type Html, html } from '../html.ts';
import { type Page, page } from '../page.ts';
import type { Site } from '../site.ts';
import { button, type Form, field, form, hidden, link, otherWays, summary } from './parts/form.ts';
import { passkeyForm } from './parts/passkey.ts';
import { type CommonProblem, problemsOf } from './parts/problems.ts';

export const FACTOR_METHODS = ['totp', 'recovery-code', 'passkey'] as const;
export type FactorMethod = (typeof FACTOR_METHODS)[number];

/** `later`: too many wrong tries for now; `closed`: only an administrator can help. */
export type FactorProblem = 'wrong' | 'missing' | 'later' | 'closed' | CommonProblem;

/** Fields: `method`, and `code` or, for a passkey, `passkey`. */
export interface FactorModel {
  readonly form: Form;
  readonly method: FactorMethod;
  /** For a passkey: the request's options as JSON. */
  readonly options?: unknown;
  readonly others?: readonly { readonly method: FactorMethod; readonly href: string }[] | undefined;
  readonly purpose: 'sign-in' | 'step-up';
  readonly problems?: readonly FactorProblem[] | undefined;
  /** Seconds, with `later`. */
  readonly retryAfter?: number | undefined;
  readonly recoveryHref?: string | undefined;
  readonly cancelHref?: string | undefined;
  readonly formTargets?: readonly string[] | undefined;
}

/** The second step at sign-in, or a fresh one for a route that asks for it. */
export function renderFactor(site: Site, model: FactorModel): Page {
  const { factor, frame } = site.texts;
  const where = model.method === 'passkey' ? {} : { field: 'code' };
  const problems = problemsOf(site, model.problems, {
    missing: { ...where, text: factor.problems.missing[model.method] },
    wrong: { ...where, text: factor.problems.wrong[model.method] },
    later: { text: factor.problems.later(model.retryAfter ?? 60) },
    closed: { text: factor.problems.closed },
  });
  return page(site, {
    heading: model.purpose === 'step-up' ? factor.stepUpHeading : factor.heading,
    failed: problems.length > 0,
    script: model.method === 'passkey',
    formTargets: model.formTargets ?? [],
    main: html`${model.purpose === 'step-up' && html`<p class="lead">${factor.stepUpIntro}</p>`}
<p>${factor.intros[model.method]}</p>
${summary(site, problems)}
${
  model.method === 'passkey'
    ? passkeyForm(
        site,
        { ...model.form, hidden: { ...model.form.hidden, method: 'passkey' } },
        { kind: 'get', options: model.options, button: factor.passkey, unsupported: true },
      )
    : form(
        model.form,
        html`${hidden('method', model.method)}${codeField(site, model.method, problems)}
${button(factor.submit)}`,
      )
}
${otherWays([
  ...(model.others ?? []).map((other) => link(factor.others[other.method], other.href)),
  model.recoveryHref === undefined ? undefined : link(factor.recovery, model.recoveryHref),
  model.cancelHref === undefined ? undefined : link(frame.cancel, model.cancelHref),
])}`,
  });
}

function codeField(
  site: Site,
  method: Exclude<FactorMethod, 'passkey'>,
  problems: Parameters<typeof field>[1]['problems'],
): Html {
  return field(site, {
    id: 'code',
    label: site.texts.factor.labels[method],
    // A text field: a numeric one would drop leading zeros and count up and down.
    ...(method === 'totp' ? { inputmode: 'numeric' as const, short: true } : {}),
    autocomplete: method === 'totp' ? 'one-time-code' : 'off',
    problems,
  });
}

export interface StepUpModel {
  /** Posting it begins the new sign-in. */
  readonly form: Form;
  /** How old the sign-in may be. */
  readonly minutes?: number | undefined;
  /** A posted form waits for the return. */
  readonly keptForm?: boolean | undefined;
  readonly cancelHref?: string | undefined;
  readonly formTargets?: readonly string[] | undefined;
}

/** Before somebody is sent to an outside provider once more, so that they know why. */
export function renderStepUp(site: Site, model: StepUpModel): Page {
  const { stepUp, frame } = site.texts;
  return page(site, {
    heading: stepUp.heading,
    formTargets: model.formTargets ?? [],
    main: html`<p class="lead">${stepUp.intro}${model.minutes !== undefined && ` ${stepUp.within(model.minutes)}`}</p>
${model.keptForm === true && html`<p>${stepUp.kept}</p>`}
${form(model.form, button(stepUp.submit))}
${otherWays([model.cancelHref === undefined ? undefined : link(frame.cancel, model.cancelHref)])}`,
  });
}
