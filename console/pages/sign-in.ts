import { html } from '../html.ts';
import { type Page, page } from '../page.ts';
import type { Site } from '../site.ts';
import { button, type Form, field, form, link, linkButton, otherWays, summary } from './parts/form.ts';
import { passkeyForm } from './parts/passkey.ts';
import { type CommonProblem, problemsOf } from './parts/problems.ts';

export type SignInProblem = 'wrong' | 'login-missing' | 'password-missing' | CommonProblem;

/** Fields: `login`, `password`; the passkey's form has `passkey` instead. */
export interface SignInModel {
  readonly form: Form;
  /** What was typed before; never taken from an URL. */
  readonly login?: string | undefined;
  /** What is being signed in to. */
  readonly service?: string | undefined;
  /** `wrong` stands for an unknown name, a wrong password and a locked account alike. */
  readonly problems?: readonly SignInProblem[] | undefined;
  readonly passkey?: { readonly form: Form; readonly options: unknown } | undefined;
  readonly recoveryHref?: string | undefined;
  readonly cancelHref?: string | undefined;
  /** Where the answer may redirect; see `PageNeeds`. */
  readonly formTargets?: readonly string[] | undefined;
}

/** The embedded issuer's first page: name and password, or a passkey. */
export function renderSignIn(site: Site, model: SignInModel): Page {
  const { signIn, frame } = site.texts;
  const problems = problemsOf(site, model.problems, {
    wrong: { text: signIn.problems.wrong },
    'login-missing': { field: 'login', text: signIn.problems['login-missing'] },
    'password-missing': { field: 'password', text: signIn.problems['password-missing'] },
  });
  const fields = html`${field(site, {
    id: 'login',
    label: signIn.login,
    value: model.login,
    // "webauthn" comes last, and lets the browser offer passkeys in the field (WebAuthn Level 3, 5.1.4).
    autocomplete: model.passkey === undefined ? 'username' : 'username webauthn',
    problems,
  })}
${field(site, { id: 'password', label: signIn.password, type: 'password', autocomplete: 'current-password', problems })}
${button(signIn.submit)}`;
  return page(site, {
    heading: signIn.heading,
    failed: problems.length > 0,
    script: model.passkey !== undefined,
    formTargets: model.formTargets ?? [],
    main: html`${model.service !== undefined && html`<p class="lead">${signIn.service(model.service)}</p>`}
${summary(site, problems)}
${form(model.form, fields)}
${
  model.passkey !== undefined &&
  html`<div class="alternative" data-passkey-shown="" hidden><p class="or"><span>${signIn.or}</span></p>
${passkeyForm(site, model.passkey.form, {
  kind: 'get',
  options: model.passkey.options,
  button: signIn.passkey,
  look: 'second',
  quiet: true,
})}</div>`
}
${otherWays([
  model.recoveryHref === undefined ? undefined : link(signIn.recovery, model.recoveryHref),
  model.cancelHref === undefined ? undefined : link(frame.cancel, model.cancelHref),
])}`,
  });
}

export interface ChooseProviderModel {
  readonly providers: readonly { readonly name: string; readonly href: string }[];
  readonly service?: string | undefined;
}

/** Where a tenant has several issuers. */
export function renderChooseProvider(site: Site, model: ChooseProviderModel): Page {
  const { chooseProvider, signIn } = site.texts;
  return page(site, {
    heading: chooseProvider.heading,
    main: html`<p class="lead">${model.service === undefined ? chooseProvider.intro : signIn.service(model.service)}</p>
<ul class="choices">${model.providers.map(
      (provider) => html`<li>${linkButton(chooseProvider.with(provider.name), provider.href, 'second')}</li>`,
    )}</ul>`,
  });
}
