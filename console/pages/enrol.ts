import { html } from '../html.ts';
import { type Page, page } from '../page.ts';
import type { Site } from '../site.ts';
import { pictureUrl } from '../url.ts';
import { button, type Form, field, form, link, linkButton, otherWays, summary } from './parts/form.ts';
import { passkeyForm } from './parts/passkey.ts';
import { type CommonProblem, problemsOf } from './parts/problems.ts';

export interface EnrolChoiceModel {
  readonly totpHref?: string | undefined;
  readonly passkeyHref?: string | undefined;
  readonly required: boolean;
  /** Only where it is not required. */
  readonly skipHref?: string | undefined;
}

/** Which second step to set up; the phishing-resistant one first. */
export function renderEnrolChoice(site: Site, model: EnrolChoiceModel): Page {
  const { enrol } = site.texts;
  const choice = (title: string, hint: string, submit: string, href: string) =>
    html`<section class="option"><h2>${title}</h2><p>${hint}</p>${linkButton(submit, href, 'second')}</section>`;
  return page(site, {
    heading: enrol.heading,
    main: html`<p class="lead">${model.required ? enrol.required : enrol.optional}</p>
${model.passkeyHref !== undefined && choice(enrol.passkey, enrol.passkeyHint, enrol.passkeySubmit, model.passkeyHref)}
${model.totpHref !== undefined && choice(enrol.totp, enrol.totpHint, enrol.totpSubmit, model.totpHref)}
${otherWays([model.required || model.skipHref === undefined ? undefined : link(enrol.later, model.skipHref)])}`,
  });
}

export type EnrolTotpProblem = 'wrong' | 'missing' | CommonProblem;

/** Field: `code`. */
export interface EnrolTotpModel {
  readonly form: Form;
  /** An SVG's text, or `data:image/png;base64,…`, or `data:image/svg+xml;base64,…`. */
  readonly qr: string;
  /** In groups, as it is to be typed. */
  readonly key: string;
  /** How the app will list it. */
  readonly account?: string | undefined;
  readonly problems?: readonly EnrolTotpProblem[] | undefined;
  readonly otherHref?: string | undefined;
  readonly cancelHref?: string | undefined;
  readonly formTargets?: readonly string[] | undefined;
}

/** Scan or type, then prove that it worked. */
export function renderEnrolTotp(site: Site, model: EnrolTotpModel): Page {
  const { enrolTotp, enrol, frame } = site.texts;
  const problems = problemsOf(site, model.problems, {
    missing: { field: 'code', text: enrolTotp.problems.missing },
    wrong: { field: 'code', text: enrolTotp.problems.wrong },
  });
  return page(site, {
    heading: enrolTotp.heading,
    failed: problems.length > 0,
    qr: true,
    formTargets: model.formTargets ?? [],
    main: html`${summary(site, problems)}
<ol class="steps">
<li><p>${enrolTotp.install}</p></li>
<li><p>${enrolTotp.scan}</p>
<p class="qr"><img src="${pictureUrl(picture(model.qr))}" alt="${enrolTotp.picture}" width="200" height="200"></p>
<p>${enrolTotp.typed}</p>
<p class="key"><code>${model.key}</code></p>
${model.account !== undefined && html`<p class="hint">${enrolTotp.account(model.account)}</p>`}</li>
<li><p>${enrolTotp.confirm}</p>
${form(
  model.form,
  html`${field(site, {
    id: 'code',
    label: enrolTotp.label,
    inputmode: 'numeric',
    short: true,
    autocomplete: 'one-time-code',
    problems,
  })}
${button(enrolTotp.submit)}`,
)}</li>
</ol>
${otherWays([
  model.otherHref === undefined ? undefined : link(enrol.other, model.otherHref),
  model.cancelHref === undefined ? undefined : link(frame.cancel, model.cancelHref),
])}`,
  });
}

/** In the page itself, never at an address of its own: the secret is in it. */
function picture(qr: string): string {
  return qr.startsWith('data:') ? qr : `data:image/svg+xml;base64,${Buffer.from(qr).toString('base64')}`;
}

export type EnrolPasskeyProblem = 'refused' | 'missing' | 'name-missing' | CommonProblem;

/** Fields: `name`, `passkey`. */
export interface EnrolPasskeyModel {
  readonly form: Form;
  /** The creation's options as JSON. */
  readonly options: unknown;
  readonly name?: string | undefined;
  readonly problems?: readonly EnrolPasskeyProblem[] | undefined;
  readonly otherHref?: string | undefined;
  readonly cancelHref?: string | undefined;
  readonly formTargets?: readonly string[] | undefined;
}

export function renderEnrolPasskey(site: Site, model: EnrolPasskeyModel): Page {
  const { enrolPasskey, enrol, frame } = site.texts;
  const problems = problemsOf(site, model.problems, {
    'name-missing': { field: 'name', text: enrolPasskey.problems['name-missing'] },
    missing: { text: enrolPasskey.problems.missing },
    refused: { text: enrolPasskey.problems.refused },
  });
  return page(site, {
    heading: enrolPasskey.heading,
    failed: problems.length > 0,
    script: true,
    formTargets: model.formTargets ?? [],
    main: html`<p class="lead">${enrolPasskey.intro}</p>
${summary(site, problems)}
${passkeyForm(site, model.form, {
  kind: 'create',
  options: model.options,
  button: enrolPasskey.submit,
  unsupported: true,
  content: field(site, {
    id: 'name',
    label: enrolPasskey.name,
    hint: enrolPasskey.nameHint,
    value: model.name,
    autocomplete: 'off',
    problems,
  }),
})}
${otherWays([
  model.otherHref === undefined ? undefined : link(enrol.other, model.otherHref),
  model.cancelHref === undefined ? undefined : link(frame.cancel, model.cancelHref),
])}`,
  });
}
