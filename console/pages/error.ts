import { html } from '../html.ts';
import { type Page, page } from '../page.ts';
import type { Site } from '../site.ts';
import { linkButton } from './parts/form.ts';

export const ERROR_KINDS = ['bad-request', 'refused', 'not-found', 'expired', 'too-many', 'failed'] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

export interface ErrorModel {
  readonly kind: ErrorKind;
  /** The only detail that is shown: the reason stands in the log under it. */
  readonly requestId: string;
  readonly retryHref?: string | undefined;
  readonly homeHref?: string | undefined;
}

/** Uniform: the same for every cause of a kind. */
export function renderError(site: Site, model: ErrorModel): Page {
  const { error } = site.texts;
  const { retryHref, homeHref } = model;
  return page(site, {
    heading: error.headings[model.kind],
    failed: true,
    requestId: model.requestId,
    main: html`<p class="lead">${error.texts[model.kind]}</p>
${
  (retryHref !== undefined || homeHref !== undefined) &&
  html`<div class="buttons">${retryHref !== undefined && linkButton(error.retry, retryHref)}
${homeHref !== undefined && linkButton(error.home, homeHref, retryHref === undefined ? 'first' : 'second')}</div>`
}`,
  });
}

export interface UnavailableModel {
  readonly kind: 'unavailable' | 'maintenance';
  readonly requestId: string;
  readonly retrySeconds?: number | undefined;
  readonly retryHref?: string | undefined;
}

/** When the service, the provider or the store cannot be reached. In a hospital somebody may be waiting. */
export function renderUnavailable(site: Site, model: UnavailableModel): Page {
  const { unavailable } = site.texts;
  return page(site, {
    heading: unavailable.headings[model.kind],
    failed: true,
    requestId: model.requestId,
    main: html`<p class="lead">${unavailable.texts[model.kind]}</p>
<p>${model.retrySeconds !== undefined && `${unavailable.soon(model.retrySeconds)} `}${unavailable.urgent}</p>
${model.retryHref !== undefined && linkButton(unavailable.retry, model.retryHref)}`,
  });
}
