import { attributes, type Html, html } from '../../html.ts';
import type { Site } from '../../site.ts';
import { fragmentUrl, pathUrl } from '../../url.ts';

/** Where a form goes. */
export interface Form {
  /** Path of this host, perhaps with a query. */
  readonly action: string;
  /** Sent back as the field `csrf`. */
  readonly csrf: string;
  /** Other fields to be sent back as they are. */
  readonly hidden?: Readonly<Record<string, string>> | undefined;
}

/** Name of the field with the anti-CSRF token. */
export const CSRF_FIELD = 'csrf';

export interface FormOptions {
  readonly id?: string;
  /** For the passkey script; see assets/passkey.mjs. */
  readonly data?: Readonly<Record<string, string>>;
}

/** `novalidate`: our own messages are in the page's language, stay on the screen and are read aloud. */
export function form(target: Form, content: Html, options: FormOptions = {}): Html {
  const data = Object.entries(options.data ?? {}).map(([name, value]) => [`data-${name}`, value]);
  return html`<form ${attributes({ method: 'post', action: pathUrl(target.action), id: options.id, novalidate: true, ...Object.fromEntries(data) })}>
${hidden(CSRF_FIELD, target.csrf)}${Object.entries(target.hidden ?? {}).map(([name, value]) => hidden(name, value))}
${content}
</form>`;
}

export function hidden(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}">`;
}

/** What is wrong, in words, and with which field. */
export interface Problem {
  /** Id of a field on this page. */
  readonly field?: string;
  readonly text: string;
}

export interface FieldOptions {
  /** Also its name, unless `name` says otherwise. */
  readonly id: string;
  readonly name?: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly type?: 'text' | 'password';
  readonly value?: string | undefined;
  /** HTML Living Standard, 4.10.18.7 (autofill). */
  readonly autocomplete: string;
  readonly inputmode?: 'text' | 'numeric';
  readonly short?: boolean;
  /** It may be left empty. */
  readonly optional?: boolean;
  /** Nothing that a spelling checker may send anywhere, and nothing to be made upper case. */
  readonly problems: readonly Problem[];
}

/** One field with its label, hint and what is wrong with it, tied together for screen readers. */
export function field(site: Site, options: FieldOptions): Html {
  const wrong = options.problems.filter((problem) => problem.field === options.id);
  const hint = options.hint === undefined ? undefined : `${options.id}-hint`;
  const fault = wrong.length === 0 ? undefined : `${options.id}-problem`;
  const described = [hint, fault].filter((id) => id !== undefined).join(' ');
  return html`<div class="${fault === undefined ? 'field' : 'field wrong'}">
<label for="${options.id}">${options.label}</label>
${hint !== undefined && html`<p class="hint" id="${hint}">${options.hint}</p>`}
${fault !== undefined && html`<div id="${fault}">${wrong.map((problem) => html`<p class="field-problem"><span class="unseen">${site.texts.frame.problem} </span>${problem.text}</p>`)}</div>`}
<input ${attributes({
    id: options.id,
    name: options.name ?? options.id,
    type: options.type ?? 'text',
    value: options.value,
    class: options.short === true && 'short',
    autocomplete: options.autocomplete,
    inputmode: options.inputmode,
    autocapitalize: 'none',
    spellcheck: 'false',
    required: options.optional !== true,
    'aria-invalid': fault !== undefined && 'true',
    'aria-describedby': described === '' ? undefined : described,
  })}>
</div>`;
}

/**
 * What went wrong, above the form, with links to the fields. It takes the focus by `autofocus`, which needs no
 * script, so that a screen reader begins with it (WCAG 2.2, 3.3.1 and 4.1.3).
 */
export function summary(site: Site, problems: readonly Problem[]): Html | undefined {
  if (problems.length === 0) return undefined;
  return html`<div class="problems" role="alert" tabindex="-1" autofocus aria-labelledby="problems-title">
<h2 id="problems-title">${site.texts.frame.problemsTitle}</h2>
<ul>${problems.map((problem) => html`<li>${problem.field === undefined ? problem.text : html`<a ${attributes({ href: fragmentUrl(problem.field) })}>${problem.text}</a>`}</li>`)}</ul>
</div>`;
}

export type ButtonLook = 'first' | 'second' | 'danger' | 'plain';

export interface ButtonOptions {
  readonly look?: ButtonLook;
  /** Sent with the form when this button was used. */
  readonly name?: string;
  readonly value?: string;
  /** Words for screen readers that the sighted see from where the button stands. */
  readonly about?: string;
}

export function button(text: string, options: ButtonOptions = {}): Html {
  return html`<button ${attributes({ type: 'submit', class: `button ${options.look ?? 'first'}`, name: options.name, value: options.value })}>${text}${
    options.about !== undefined && html`<span class="unseen"> ${options.about}</span>`
  }</button>`;
}

/** A link that looks like a button, for what changes nothing. */
export function linkButton(text: string, href: string, look: ButtonLook = 'first'): Html {
  return html`<a ${attributes({ class: `button ${look}`, href: pathUrl(href) })}>${text}</a>`;
}

export function link(text: string, href: string): Html {
  return html`<a href="${pathUrl(href)}">${text}</a>`;
}

/** Other ways on, below the form; nothing where there are none. */
export function otherWays(links: readonly (Html | undefined)[]): Html | undefined {
  const present = links.filter((one) => one !== undefined);
  if (present.length === 0) return undefined;
  return html`<ul class="ways">${present.map((one) => html`<li>${one}</li>`)}</ul>`;
}

export function optional<T>(value: T | undefined, make: (value: T) => Html): Html | undefined {
  return value === undefined ? undefined : make(value);
}
