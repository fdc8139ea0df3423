import { type Html, html } from '../html.ts';
import { type Page, page } from '../page.ts';
import type { Site } from '../site.ts';
import { button, type Form, field, form, link, otherWays, summary } from './parts/form.ts';
import { type CommonProblem, problemsOf } from './parts/problems.ts';

/** What is shown of one. All of it is text of the EMR's, without control characters. */
export interface ShownIncident {
  readonly request: string;
  /** Wall-clock milliseconds. */
  readonly time: number;
  /** `GET /chart/1` */
  readonly asked: string;
  /** Status and reason. */
  readonly given: string;
  readonly answered: string;
  readonly fields: readonly string[];
  /** Undefined: it is no text. */
  readonly body: string | undefined;
  readonly cut: boolean;
}

/** Fields: `number`, `ticket`. */
export interface IncidentsModel {
  readonly form: Form;
  /** What was typed before. */
  readonly number?: string | undefined;
  readonly ticket?: string | undefined;
  /** `none`: there is none of that number. */
  readonly found?: ShownIncident | 'none' | undefined;
  readonly backHref?: string | undefined;
  readonly problems?: readonly ('number' | 'ticket' | CommonProblem)[] | undefined;
}

/** For staff: what the record system had answered where somebody got a number. */
export function renderIncidents(site: Site, model: IncidentsModel): Page {
  const { incidents: texts, frame } = site.texts;
  const problems = problemsOf(site, model.problems, {
    number: { field: 'number', text: texts.problems.number },
    ticket: { field: 'ticket', text: texts.problems.ticket },
  });
  return page(site, {
    heading: texts.heading,
    failed: problems.length > 0,
    wide: true,
    main: html`<p class="lead">${texts.intro}</p>
${summary(site, problems)}
${model.found === 'none' && html`<p class="notice" role="status">${texts.none}</p>`}
${model.found !== undefined && model.found !== 'none' && shown(site, model.found)}
${form(
  model.form,
  html`${field(site, { id: 'number', label: texts.number, hint: texts.numberHint, value: model.number, autocomplete: 'off', problems })}
${field(site, { id: 'ticket', label: texts.ticket, hint: texts.ticketHint, value: model.ticket, autocomplete: 'off', short: true, problems })}
<p class="notice">${texts.watched}</p>
${button(texts.show)}`,
)}
${otherWays([model.backHref === undefined ? undefined : link(frame.back, model.backHref)])}`,
  });
}

function shown(site: Site, incident: ShownIncident): Html {
  const { incidents: texts } = site.texts;
  const moment = new Date(incident.time).toISOString();
  return html`<section class="option" role="status"><h2>${texts.found(incident.request)}</h2>
<dl><dt>${texts.at}</dt><dd><time datetime="${moment}">${site.moment(incident.time)}</time></dd>
<dt>${texts.asked}</dt><dd>${incident.asked}</dd>
<dt>${texts.given}</dt><dd>${incident.given}</dd>
<dt>${texts.answered}</dt><dd>${incident.answered}</dd></dl>
<h3 id="fields-title">${texts.fields}</h3>
<pre tabindex="0" role="region" aria-labelledby="fields-title">${incident.fields.join('\n')}</pre>
<h3 id="body-title">${texts.body}</h3>
${
  incident.body === undefined
    ? html`<p>${texts.noText}</p>`
    : html`<pre tabindex="0" role="region" aria-labelledby="body-title">${incident.body}</pre>`
}
${incident.cut && html`<p>${texts.more}</p>`}</section>`;
}
