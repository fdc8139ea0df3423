import { attributes, type Html, html } from '../html.ts';
import { type Page, page } from '../page.ts';
import { type DescribedScope, describeScopes } from '../scopes.ts';
import type { Site } from '../site.ts';
import { siteUrl } from '../url.ts';
import { button, type Form, field, form, link, otherWays, summary } from './parts/form.ts';
import { type CommonProblem, problemsOf } from './parts/problems.ts';

/** Fields: `do` = `allow` or `deny`; with `choosable`, `scope` for each that is ticked. */
export interface ConsentModel {
  readonly form: Form;
  readonly client: string;
  /** https; shown so that people can see whom they deal with. */
  readonly clientSite?: string | undefined;
  /** As asked; each is shown, in plain words. */
  readonly scopes: readonly string[];
  /** The patient in the words that the caller gives, such as a name and a year of birth. */
  readonly patient?: string | undefined;
  readonly account?: string | undefined;
  readonly choosable?: boolean | undefined;
  readonly problems?: readonly ('none-chosen' | CommonProblem)[] | undefined;
  readonly formTargets?: readonly string[] | undefined;
}

/** SMART App Launch: what an app asks for, in words that the person it is about understands. */
export function renderConsent(site: Site, model: ConsentModel): Page {
  const { consent } = site.texts;
  const problems = problemsOf(site, model.problems, {
    'none-chosen': { text: consent.problems['none-chosen'] },
  });
  const choosable = model.choosable === true;
  let number = 0;
  const groups = describeScopes(site.texts, model.scopes).map((group) => {
    const items = group.scopes.map((scope) => item(scope, choosable, ++number));
    return choosable
      ? html`<fieldset class="scopes"><legend>${group.heading}</legend>${items}</fieldset>`
      : html`<section class="scopes"><h2>${group.heading}</h2><ul>${items}</ul></section>`;
  });
  return page(site, {
    heading: consent.heading(model.client),
    failed: problems.length > 0,
    formTargets: model.formTargets ?? [],
    main: html`<p class="lead">${consent.intro(model.client)}${model.account !== undefined && ` ${consent.account(model.account)}`}</p>
${model.clientSite !== undefined && website(site, model.clientSite)}
${summary(site, problems)}
${model.patient !== undefined && html`<p class="patient"><span>${consent.record}</span> <strong>${model.patient}</strong></p>`}
${form(
  model.form,
  html`${choosable && html`<p>${consent.choose}</p>`}
${groups}
<p class="notice">${consent.shares}</p>
<div class="buttons">${button(consent.allow, { name: 'do', value: 'allow' })}
${button(consent.deny, { look: 'second', name: 'do', value: 'deny' })}</div>`,
)}`,
  });
}

function item(described: DescribedScope, choosable: boolean, number: number): Html {
  if (!choosable) return html`<li class="${described.changes ? 'changes' : 'sees'}">${described.text}</li>`;
  const id = `scope-${number}`;
  return html`<div class="tick"><input ${attributes({ type: 'checkbox', id, name: 'scope', value: described.scope, checked: true })}>
<label for="${id}">${described.text}</label></div>`;
}

function website(site: Site, address: string): Html {
  const url = siteUrl(address);
  return html`<p class="hint">${site.texts.consent.site} <a href="${url}" rel="noreferrer noopener">${new URL(url.toString()).host}</a></p>`;
}

/** Fields: `patient` = id of the chosen one, or `patient-id` = what was typed. */
export interface ChoosePatientModel {
  readonly form: Form;
  readonly client?: string | undefined;
  readonly patients: readonly {
    readonly id: string;
    readonly name: string;
    /** What tells namesakes apart. */
    readonly detail?: string | undefined;
  }[];
  /** Staff may type a patient's number. */
  readonly typed?: boolean | undefined;
  readonly problems?: readonly ('missing' | 'unknown' | CommonProblem)[] | undefined;
  readonly cancelHref?: string | undefined;
  readonly formTargets?: readonly string[] | undefined;
}

/** Standalone launch: whose record the app is to work with. None is chosen beforehand: a slip would open a stranger's. */
export function renderChoosePatient(site: Site, model: ChoosePatientModel): Page {
  const { choosePatient, frame } = site.texts;
  const typed = model.typed === true;
  const where = typed ? 'patient-id' : 'patient-1';
  const problems = problemsOf(site, model.problems, {
    missing: { field: where, text: choosePatient.problems.missing },
    unknown: { field: where, text: choosePatient.problems.unknown },
  });
  const wrong = problems.some((problem) => problem.field === 'patient-1');
  const choices = model.patients.map((patient, index) => {
    const id = `patient-${index + 1}`;
    return html`<div class="tick"><input ${attributes({ type: 'radio', id, name: 'patient', value: patient.id, required: !typed, 'aria-describedby': wrong && 'patient-problem' })}>
<label for="${id}">${patient.name}${patient.detail !== undefined && html` <span class="hint">${patient.detail}</span>`}</label></div>`;
  });
  return page(site, {
    heading: choosePatient.heading,
    failed: problems.length > 0,
    formTargets: model.formTargets ?? [],
    main: html`<p class="lead">${model.client === undefined ? choosePatient.plain : choosePatient.intro(model.client)}</p>
${summary(site, problems)}
${form(
  model.form,
  html`${
    choices.length > 0 &&
    html`<fieldset class="${wrong ? 'scopes wrong' : 'scopes'}"><legend>${choosePatient.legend}</legend>
${wrong && html`<p class="field-problem" id="patient-problem">${problems.map((problem) => problem.text)}</p>`}
${choices}</fieldset>`
  }
${typed && field(site, { id: 'patient-id', label: choosePatient.typed, autocomplete: 'off', problems })}
${button(choosePatient.submit)}`,
)}
${otherWays([model.cancelHref === undefined ? undefined : link(frame.cancel, model.cancelHref)])}`,
  });
}
