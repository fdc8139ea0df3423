import { attributes, html } from '../html.ts';
import { type Page, page } from '../page.ts';
import type { Site } from '../site.ts';
import { pathUrl } from '../url.ts';
import { button, type Form, form, hidden, linkButton } from './parts/form.ts';

export interface ExpiredModel {
  readonly signInHref: string;
  readonly reason: 'idle' | 'absolute' | 'ended';
  /** Whether a form that was posted too late is kept. */
  readonly kept?: { readonly bytes: number } | 'too-large' | undefined;
}

/** Instead of what was asked for, when the session is over. */
export function renderExpired(site: Site, model: ExpiredModel): Page {
  const { expired } = site.texts;
  const { kept } = model;
  return page(site, {
    heading: expired.heading,
    main: html`<p class="lead">${expired.reasons[model.reason]}</p>
${kept !== undefined && html`<p class="notice">${kept === 'too-large' ? expired['too-large'] : expired.kept(kept.bytes)}</p>`}
${linkButton(expired.signIn, model.signInHref)}`,
  });
}

export const ENCODINGS = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'] as const;
export type FormEncoding = (typeof ENCODINGS)[number];

export interface ContinueModel {
  /** What it is for, in the words of the route; nothing of what was entered. */
  readonly route: string;
  readonly bytes: number;
  /** Files that were part of it. */
  readonly files?: number | undefined;
  readonly send:
    | {
        /** The browser sends the fields again, to where they were meant for. */
        readonly replay: {
          readonly action: string;
          readonly encoding: FormEncoding;
          /** Character set that the form was written in; UTF-8 without. */
          readonly charset?: string | undefined;
          readonly fields: readonly (readonly [name: string, value: string])[];
        };
      }
    /** A form of our own: whoever answers it sends what was kept. */
    | { readonly form: Form };
  readonly discard?: Form | undefined;
}

/**
 * After signing in again: may what was held be sent? The page shows where to and how much, never what; the held
 * fields are in it as hidden ones, and it is stored nowhere (`no-store`).
 */
export function renderContinue(site: Site, model: ContinueModel): Page {
  const { continued } = site.texts;
  return page(site, {
    heading: continued.heading,
    main: html`<p class="lead">${continued.intro}</p>
<dl class="facts"><dt>${continued.to}</dt><dd>${model.route}</dd>
<dt>${continued.size}</dt><dd>${continued.bytes(model.bytes)}</dd>
${model.files !== undefined && model.files > 0 && html`<dt>${continued.files}</dt><dd>${model.files}</dd>`}</dl>
<div class="buttons">${'form' in model.send ? form(model.send.form, button(continued.submit)) : replay(site, model.send.replay)}
${model.discard !== undefined && form(model.discard, button(continued.discard, { look: 'second' }))}</div>`,
  });
}

type Replay = Extract<ContinueModel['send'], { replay: unknown }>['replay'];

function replay(site: Site, { action, encoding, charset, fields }: Replay) {
  return html`<form ${attributes({ method: 'post', action: pathUrl(action), enctype: encoding, 'accept-charset': charset })}>
${fields.map(([name, value]) => hidden(name, value))}
${button(site.texts.continued.submit)}
</form>`;
}
