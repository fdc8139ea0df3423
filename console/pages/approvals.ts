import { type Html, html } from '../html.ts';
import { type Page, page } from '../page.ts';
import type { Site } from '../site.ts';
import { button, type Form, form, summary } from './parts/form.ts';
import { type CommonProblem, problemsOf } from './parts/problems.ts';

export const APPROVAL_KINDS = [
  'account',
  'factor-reset',
  'password-reset',
  'role',
  'administrator-removal',
  'disable',
] as const;
export type ApprovalKind = (typeof APPROVAL_KINDS)[number];

export interface ListedApproval {
  readonly id: string;
  readonly kind: ApprovalKind;
  /** Whom it is about, and who asked, as the organisation knows them. */
  readonly subject: string;
  readonly by: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly expiresAt: number;
  /** Asked by, or about, who is looking: somebody else has to decide. */
  readonly own: boolean;
}

/** Fields: `approve` = id, or `reject` = id. */
export interface ApprovalsModel {
  readonly form: Form;
  readonly organisation: string;
  readonly requests: readonly ListedApproval[];
  readonly done?: 'approved' | 'rejected' | undefined;
  readonly problems?: readonly ('own' | 'gone' | CommonProblem)[] | undefined;
}

/** The second person of the two-person rule. */
export function renderApprovals(site: Site, model: ApprovalsModel): Page {
  const { approvals } = site.texts;
  const problems = problemsOf(site, model.problems, {
    own: { text: approvals.problems.own },
    gone: { text: approvals.problems.gone },
  });
  return page(site, {
    heading: approvals.heading,
    failed: problems.length > 0,
    wide: true,
    main: html`<p class="lead">${model.requests.length === 0 ? approvals.none : approvals.intro(model.organisation)}</p>
${summary(site, problems)}
${model.done !== undefined && html`<p class="notice good" role="status">${approvals.done[model.done]}</p>`}
${model.requests.length > 0 && form(model.form, html`<ul class="cards">${model.requests.map((request) => card(site, request))}</ul>`)}`,
  });
}

function card(site: Site, request: ListedApproval): Html {
  const { approvals } = site.texts;
  const kind = approvals.kinds[request.kind];
  const about = approvals.about(kind, request.subject);
  return html`<li class="card"><div>
<h2>${request.subject}</h2><p class="kind">${kind}</p>
<dl><dt>${approvals.by}</dt><dd>${request.by}</dd>
<dt>${approvals.at}</dt><dd>${site.moment(request.at)}</dd>
<dt>${approvals.expires}</dt><dd>${site.moment(request.expiresAt)}</dd></dl></div>
${
  request.own
    ? html`<p class="hint">${approvals.own}</p>`
    : html`<div class="buttons">${button(approvals.approve, { name: 'approve', value: request.id, about })}
${button(approvals.reject, { look: 'second', name: 'reject', value: request.id, about })}</div>`
}</li>`;
}
