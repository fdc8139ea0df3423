import { type Html, html } from '../html.ts';
import { type Page, page } from '../page.ts';
import type { Site } from '../site.ts';
import { button, type Form, field, form, link, otherWays, summary } from './parts/form.ts';
import { type CommonProblem, problemsOf } from './parts/problems.ts';

/** The judgements of `identity/accounts/password-policy.ts`, and what the form itself can lack. */
export const PASSWORD_PROBLEMS = [
  'present-missing',
  'present-wrong',
  'missing',
  'mismatch',
  'too-short',
  'malformed',
  'too-guessable',
  'common',
  'contains-name',
  'needs-four-classes',
  'used-before',
] as const;
export type PasswordProblem = (typeof PASSWORD_PROBLEMS)[number] | CommonProblem;

/** Fields: `present` (not for `reset`), `password`, `again`; `login` comes along for password managers. */
export interface PasswordModel {
  readonly form: Form;
  readonly login?: string | undefined;
  readonly kind: 'change' | 'temporary' | 'expired' | 'reset';
  readonly rules: {
    /** Characters. */
    readonly minimum: number;
    /** Four classes of characters are wanted. */
    readonly classes: boolean;
    /** How many earlier passwords are refused. */
    readonly history?: number | undefined;
  };
  readonly problems?: readonly PasswordProblem[] | undefined;
  readonly cancelHref?: string | undefined;
  readonly formTargets?: readonly string[] | undefined;
}

/** A new password, with every reason why the last one was refused. Pasting is allowed (NIST SP 800-63B-4 §3.1.1.2). */
export function renderPassword(site: Site, model: PasswordModel): Page {
  const { password: texts, frame } = site.texts;
  const { minimum, classes, history } = model.rules;
  const fresh = (text: string) => ({ field: 'password', text });
  const problems = problemsOf(site, model.problems, {
    'present-missing': { field: 'present', text: texts.problems['present-missing'] },
    'present-wrong': { field: 'present', text: texts.problems['present-wrong'] },
    missing: fresh(texts.problems.missing),
    'too-short': fresh(texts.problems['too-short'](minimum)),
    malformed: fresh(texts.problems.malformed),
    'too-guessable': fresh(texts.problems['too-guessable']),
    common: fresh(texts.problems.common),
    'contains-name': fresh(texts.problems['contains-name']),
    'needs-four-classes': fresh(texts.problems['needs-four-classes']),
    'used-before': fresh(texts.problems['used-before']),
    mismatch: { field: 'again', text: texts.problems.mismatch },
  });
  const intro = texts.intros[model.kind];
  return page(site, {
    heading: texts.headings[model.kind],
    failed: problems.length > 0,
    formTargets: model.formTargets ?? [],
    main: html`${intro !== undefined && html`<p class="lead">${intro}</p>`}
${summary(site, problems)}
${form(
  model.form,
  html`${model.login !== undefined && username(model.login)}
${
  model.kind !== 'reset' &&
  field(site, {
    id: 'present',
    label: model.kind === 'temporary' ? texts.temporary : texts.present,
    type: 'password',
    autocomplete: 'current-password',
    problems,
  })
}
${field(site, {
  id: 'password',
  label: texts.fresh,
  hint: [
    classes ? texts.classes(minimum) : texts.minimum(minimum),
    ...(history === undefined || history < 1 ? [] : [texts.history(history)]),
  ].join(' '),
  type: 'password',
  autocomplete: 'new-password',
  problems,
})}
${field(site, { id: 'again', label: texts.again, type: 'password', autocomplete: 'new-password', problems })}
${button(texts.submit)}`,
)}
${otherWays([model.cancelHref === undefined ? undefined : link(frame.cancel, model.cancelHref)])}`,
  });
}

/** Password managers want to know whose password it is; nobody else has to see or reach the field. */
function username(login: string): Html {
  return html`<input type="text" name="login" value="${login}" autocomplete="username" hidden readonly>`;
}
