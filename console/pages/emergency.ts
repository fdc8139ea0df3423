import { attributes, type Html, html } from '../html.ts';
import { type Page, page } from '../page.ts';
import { describeScopes } from '../scopes.ts';
import type { Site } from '../site.ts';
import { button, type Form, form, link, otherWays, type Problem, summary } from './parts/form.ts';
import { type CommonProblem, problemsOf } from './parts/problems.ts';

/** Fields: `reason`; or `do` = `end`. */
export interface EmergencyModel {
  readonly form: Form;
  /** What it gives. */
  readonly scopes: readonly string[];
  readonly minutes: number;
  /** Wall-clock milliseconds; undefined: it is not open. */
  readonly openUntil?: number | undefined;
  readonly ended?: boolean | undefined;
  /** What was typed before. */
  readonly reason?: string | undefined;
  readonly backHref?: string | undefined;
  readonly problems?: readonly ('reason' | 'in-force' | CommonProblem)[] | undefined;
}

/** Breaking the glass: why, and what becomes of it, before it is done. */
export function renderEmergency(site: Site, model: EmergencyModel): Page {
  const { emergency: texts, frame } = site.texts;
  const problems = problemsOf(site, model.problems, {
    reason: { field: 'reason', text: texts.problems.reason },
    'in-force': { text: texts.problems['in-force'] },
  });
  const open = model.openUntil !== undefined;
  return page(site, {
    heading: texts.heading,
    failed: problems.length > 0,
    main: html`<p class="lead">${texts.intro}</p>
${summary(site, problems)}
${model.ended === true && html`<p class="notice good" role="status">${texts.ended}</p>`}
${open && html`<p class="notice" role="status">${texts.inForce(site.moment(model.openUntil ?? 0))}</p>`}
${
  open
    ? form(model.form, button(texts.end, { name: 'do', value: 'end' }))
    : form(
        model.form,
        html`${describeScopes(site.texts, model.scopes).map(
          (group) =>
            html`<section class="scopes"><h2>${group.heading}</h2><ul>${group.scopes.map((scope) => html`<li>${scope.text}</li>`)}</ul></section>`,
        )}
<p>${texts.minutes(model.minutes)}</p>
<p class="notice">${texts.watched}</p>
${reasonField(site, model.reason, problems)}
${button(texts.begin, { look: 'danger' })}`,
      )
}
${otherWays([model.backHref === undefined ? undefined : link(frame.back, model.backHref)])}`,
  });
}

function reasonField(site: Site, value: string | undefined, problems: readonly Problem[]): Html {
  const { emergency: texts, frame } = site.texts;
  const wrong = problems.filter((problem) => problem.field === 'reason');
  const described = ['reason-hint', ...(wrong.length > 0 ? ['reason-problem'] : [])].join(' ');
  return html`<div class="${wrong.length > 0 ? 'field wrong' : 'field'}">
<label for="reason">${texts.reason}</label>
<p class="hint" id="reason-hint">${texts.reasonHint}</p>
${wrong.length > 0 && html`<div id="reason-problem">${wrong.map((problem) => html`<p class="field-problem"><span class="unseen">${frame.problem} </span>${problem.text}</p>`)}</div>`}
<textarea ${attributes({
    id: 'reason',
    name: 'reason',
    rows: 4,
    maxlength: 500,
    required: true,
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-invalid': wrong.length > 0 && 'true',
    'aria-describedby': described,
  })}>${value ?? ''}</textarea>
</div>`;
}
