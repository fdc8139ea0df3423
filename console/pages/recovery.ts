import { attributes, html } from '../html.ts';
import { type Page, page } from '../page.ts';
import type { Site } from '../site.ts';
import { button, type Form, field, form, link, otherWays, summary } from './parts/form.ts';
import { type CommonProblem, problemsOf } from './parts/problems.ts';

/** Field: `kept` = `yes`. */
export interface RecoveryCodesModel {
  readonly form: Form;
  readonly codes: readonly string[];
  /** On the printed page, so that people know what the codes are for. */
  readonly account?: string | undefined;
  readonly problems?: readonly ('not-kept' | CommonProblem)[] | undefined;
  readonly formTargets?: readonly string[] | undefined;
}

/** The only time that the codes are shown. Made to be printed: without buttons, with name and account. */
export function renderRecoveryCodes(site: Site, model: RecoveryCodesModel): Page {
  const { recoveryCodes } = site.texts;
  const problems = problemsOf(site, model.problems, {
    'not-kept': { field: 'kept', text: recoveryCodes.problems['not-kept'] },
  });
  const wrong = problems.some((problem) => problem.field === 'kept');
  return page(site, {
    heading: recoveryCodes.heading,
    failed: problems.length > 0,
    formTargets: model.formTargets ?? [],
    main: html`<p class="lead">${recoveryCodes.intro}</p>
<p>${recoveryCodes.how}</p>
${summary(site, problems)}
<section aria-labelledby="codes-title"><h2 id="codes-title" class="unseen">${recoveryCodes.list}</h2>
${model.account !== undefined && html`<p class="print-only">${recoveryCodes.account(model.account)}</p>`}
<ol class="codes">${model.codes.map((code) => html`<li><code>${code}</code></li>`)}</ol></section>
${form(
  model.form,
  html`<div class="${wrong ? 'tick wrong' : 'tick'}">
<input ${attributes({ type: 'checkbox', id: 'kept', name: 'kept', value: 'yes', required: true, 'aria-invalid': wrong && 'true', 'aria-describedby': wrong && 'kept-problem' })}>
<label for="kept">${recoveryCodes.kept}</label>
${wrong && html`<p class="field-problem" id="kept-problem">${recoveryCodes.problems['not-kept']}</p>`}
</div>
${button(recoveryCodes.submit)}`,
)}`,
  });
}

/** Fields: `login`, `code`. */
export interface RecoveryModel {
  /** Without it the page only says whom to ask. */
  readonly form?: Form | undefined;
  readonly problems?: readonly ('wrong' | 'login-missing' | 'code-missing' | CommonProblem)[] | undefined;
  /** The name is in the code already. */
  readonly codeOnly?: boolean | undefined;
  readonly signInHref?: string | undefined;
}

/** For who cannot sign in. It says the same to everybody: nothing here tells whether an account exists. */
export function renderRecovery(site: Site, model: RecoveryModel): Page {
  const { recovery } = site.texts;
  const problems = problemsOf(site, model.problems, {
    'login-missing': { field: 'login', text: recovery.problems['login-missing'] },
    'code-missing': { field: 'code', text: recovery.problems['code-missing'] },
    wrong: { text: recovery.problems.wrong },
  });
  return page(site, {
    heading: recovery.heading,
    failed: problems.length > 0,
    main: html`${summary(site, problems)}
<p class="lead">${recovery.ask}</p>
${
  model.form !== undefined &&
  html`<h2>${recovery.haveCode}</h2>
${form(
  model.form,
  html`${
    model.codeOnly !== true &&
    field(site, { id: 'login', label: recovery.login, autocomplete: 'username', problems })
  }
${field(site, { id: 'code', label: recovery.code, autocomplete: 'one-time-code', problems })}
${button(recovery.submit)}`,
)}`
}
${otherWays([model.signInHref === undefined ? undefined : link(recovery.signIn, model.signInHref)])}`,
  });
}
