import { attributes, type Html, html } from '../html.ts';
import { type Page, page } from '../page.ts';
import { groupsOfTypes, SHARING_GROUPS, type SharingGroup } from '../sharing-groups.ts';
import type { Site } from '../site.ts';
import { button, type Form, field, form, link, otherWays, type Problem, summary } from './parts/form.ts';
import { type CommonProblem, problemsOf } from './parts/problems.ts';

export interface ListedConsent {
  readonly id: string;
  readonly state: 'in-force' | 'not-yet' | 'ended' | 'withdrawn';
  readonly to:
    | { readonly kind: 'person'; readonly name: string }
    | { readonly kind: 'role'; readonly role: string; readonly organisation: string }
    | { readonly kind: 'organisation'; readonly organisation: string };
  readonly resourceTypes: readonly string[];
  readonly categories: readonly string[];
  readonly actions: readonly ('read' | 'write')[];
  /** Wall-clock milliseconds. */
  readonly from: number;
  readonly until: number;
  readonly by: 'patient' | 'staff' | 'host';
}

export const SHARING_PROBLEMS = ['whom', 'person', 'role', 'what', 'days', 'too-many'] as const;
export type SharingProblem = (typeof SHARING_PROBLEMS)[number];

/**
 * Fields: `withdraw` = id of a consent; or `do` = `grant` with `whom` (id of an organisation, or `.person`), `person`,
 * `role`, `part` (groups, or `*`), `write`, `days`.
 */
export interface SharingModel {
  readonly form: Form;
  readonly consents: readonly ListedConsent[];
  readonly done?: 'granted' | 'withdrawn' | undefined;
  /** Organisations that can be shared with. */
  readonly organisations: readonly { readonly id: string; readonly name: string }[];
  /** How long it may last, in days. */
  readonly days: readonly number[];
  /** What the person itself is called when others share. */
  readonly ownName: string;
  /** What was chosen before, when something was wrong with it. */
  readonly chosen?:
    | {
        readonly whom: string;
        readonly person: string;
        readonly role: string;
        readonly parts: readonly string[];
        readonly write: boolean;
        readonly days: string;
      }
    | undefined;
  readonly backHref?: string | undefined;
  readonly problems?: readonly (SharingProblem | CommonProblem)[] | undefined;
}

/** What somebody shares of their own record, and with whom; granting and taking back. */
export function renderSharing(site: Site, model: SharingModel): Page {
  const { sharing: texts, frame } = site.texts;
  const problems = problemsOf(site, model.problems, {
    whom: { field: 'whom-1', text: texts.problems.whom },
    person: { field: 'person', text: texts.problems.person },
    role: { field: 'role', text: texts.problems.role },
    what: { field: 'part-all', text: texts.problems.what },
    days: { field: 'days-1', text: texts.problems.days },
    'too-many': { text: texts.problems['too-many'] },
  });
  const live = model.consents.filter(({ state }) => state === 'in-force' || state === 'not-yet');
  const over = model.consents.filter(({ state }) => state === 'ended' || state === 'withdrawn');
  return page(site, {
    heading: texts.heading,
    failed: problems.length > 0,
    wide: true,
    main: html`<p class="lead">${texts.intro}</p>
${summary(site, problems)}
${model.done !== undefined && html`<p class="notice good" role="status">${texts[model.done]}</p>`}
<h2>${texts.list}</h2>
${
  live.length === 0
    ? html`<p>${texts.none}</p>`
    : form(model.form, html`<ul class="cards">${live.map((consent) => card(site, consent))}</ul>`)
}
${grant(site, model, problems)}
${over.length > 0 && html`<h2>${texts.ended}</h2><ul class="cards">${over.map((consent) => card(site, consent))}</ul>`}
<h2>${texts.ownName}</h2><p class="key"><code>${model.ownName}</code></p><p class="hint">${texts.ownNameHint}</p>
${otherWays([model.backHref === undefined ? undefined : link(frame.back, model.backHref)])}`,
  });
}

function whomOf(site: Site, { to }: ListedConsent): string {
  const { sharing: texts } = site.texts;
  if (to.kind === 'person') return texts.person(to.name);
  return to.kind === 'role' ? texts.role(to.role, to.organisation) : texts.organisation(to.organisation);
}

function partsOf(site: Site, { resourceTypes, categories }: ListedConsent): string {
  const { sharing: texts } = site.texts;
  const { groups, others } = groupsOfTypes(resourceTypes);
  const words = resourceTypes.includes('*')
    ? texts.everything
    : [...groups.map((group) => texts.groups[group]), ...others].join('; ');
  return categories.length === 0 ? words : `${words} (${texts.categories(categories.join(', '))})`;
}

function card(site: Site, consent: ListedConsent): Html {
  const { sharing: texts } = site.texts;
  const whom = whomOf(site, consent);
  const { actions, state } = consent;
  const how = !actions.includes('write')
    ? texts.read
    : actions.includes('read')
      ? texts.write
      : texts.onlyWrite;
  const ends = state === 'in-force' || state === 'not-yet';
  return html`<li class="card"><div>
<h3>${whom} <span class="badge">${texts.states[state]}</span></h3>
<dl><dt>${texts.parts}</dt><dd>${partsOf(site, consent)}</dd>
<dt>${texts.actions}</dt><dd>${how}</dd>
<dt>${texts.from}</dt><dd>${site.moment(consent.from)}</dd>
<dt>${texts.until}</dt><dd>${site.moment(consent.until)}</dd>
<dt>${texts.by}</dt><dd>${texts.bases[consent.by]}</dd></dl></div>
${ends && button(texts.withdraw, { look: 'second', name: 'withdraw', value: consent.id, about: texts.withdrawAbout(whom) })}</li>`;
}

function grant(site: Site, model: SharingModel, problems: readonly Problem[]): Html {
  const { sharing: texts } = site.texts;
  const { chosen } = model;
  const wrong = (id: string) => problems.find((problem) => problem.field === id);
  const whom = [
    ...model.organisations.map(({ id, name }) => [id, texts.organisation(name)] as const),
    ['.person', texts.onePerson] as const,
  ];
  const groups = Object.keys(SHARING_GROUPS) as SharingGroup[];
  return html`<h2>${texts.add}</h2>
${form(
  model.form,
  html`${choices(
    texts.whom,
    whom.map(([value, label], index) => ({
      id: `whom-${index + 1}`,
      type: 'radio',
      name: 'whom',
      value,
      label,
      checked: chosen?.whom === value,
    })),
    wrong('whom-1'),
  )}
${field(site, { id: 'person', label: texts.personLabel, hint: texts.personHint, value: chosen?.person, autocomplete: 'off', optional: true, problems })}
${field(site, { id: 'role', label: texts.roleLabel, hint: texts.roleHint, value: chosen?.role, autocomplete: 'off', optional: true, problems })}
${choices(
  texts.what,
  [
    {
      id: 'part-all',
      type: 'checkbox',
      name: 'part',
      value: '*',
      label: texts.everything,
      checked: chosen?.parts.includes('*') === true,
    },
    ...groups.map((group) => ({
      id: `part-${group}`,
      type: 'checkbox' as const,
      name: 'part',
      value: group,
      label: texts.groups[group],
      checked: chosen?.parts.includes(group) === true,
    })),
  ],
  wrong('part-all'),
)}
${tick({ id: 'write', type: 'checkbox', name: 'write', value: 'yes', label: texts.mayWrite, checked: chosen?.write === true })}
${choices(
  texts.howLong,
  model.days.map((days, index) => ({
    id: `days-${index + 1}`,
    type: 'radio',
    name: 'days',
    value: String(days),
    label: texts.days(days),
    checked: chosen?.days === String(days),
  })),
  wrong('days-1'),
)}
${button(texts.submit, { name: 'do', value: 'grant' })}`,
)}`;
}

interface Choice {
  readonly id: string;
  readonly type: 'radio' | 'checkbox';
  readonly name: string;
  readonly value: string;
  readonly label: string;
  readonly checked: boolean;
}

function tick({ label, ...input }: Choice, problem?: string): Html {
  return html`<div class="tick"><input ${attributes({ ...input, 'aria-describedby': problem })}>
<label for="${input.id}">${label}</label></div>`;
}

function choices(legend: string, all: readonly Choice[], problem: Problem | undefined): Html {
  const about = problem === undefined ? undefined : `${all[0]?.id ?? ''}-problem`;
  return html`<fieldset class="${problem === undefined ? 'scopes' : 'scopes wrong'}"><legend>${legend}</legend>
${about !== undefined && html`<p class="field-problem" id="${about}">${problem?.text ?? ''}</p>`}
${all.map((choice) => tick(choice, about))}</fieldset>`;
}
