import { html } from '../html.ts';
import { type Page, page } from '../page.ts';
import type { Site } from '../site.ts';
import { button, type Form, form, linkButton } from './parts/form.ts';

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

export interface ContinueModel {
  /** What it is for, in the words of the route; nothing of what was entered. */
  readonly route: string;
  readonly bytes: number;
  /** Files that were part of it. */
  readonly files?: number | undefined;
  /** Whoever answers it sends what was kept. */
  readonly send: Form;
  readonly discard?: Form | undefined;
}

/** After signing in again: may what was held be sent? The page shows where to and how much, and holds none of it. */
export function renderContinue(site: Site, model: ContinueModel): Page {
  const { continued } = site.texts;
  return page(site, {
    heading: continued.heading,
    main: html`<p class="lead">${continued.intro}</p>
<dl class="facts"><dt>${continued.to}</dt><dd>${model.route}</dd>
<dt>${continued.size}</dt><dd>${continued.bytes(model.bytes)}</dd>
${model.files !== undefined && model.files > 0 && html`<dt>${continued.files}</dt><dd>${model.files}</dd>`}</dl>
<div class="buttons">${form(model.send, button(continued.submit))}
${model.discard !== undefined && form(model.discard, button(continued.discard, { look: 'second' }))}</div>`,
  });
}
