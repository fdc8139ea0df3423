import { type Html, html } from '../html.ts';
import { type Page, page } from '../page.ts';
import { describeScopes } from '../scopes.ts';
import type { Site } from '../site.ts';
import { button, type Form, form, link, otherWays, summary } from './parts/form.ts';
import { type CommonProblem, problemsOf } from './parts/problems.ts';

/** How a session began. */
export type AccountStrength = 'password' | 'second-step' | 'passkey';

/** Fields: `end` = id of a session, `do` = `end-others`, or `take` = id of an app. */
export interface AccountModel {
  readonly form: Form;
  readonly name: string;
  readonly login: string;
  readonly passwordHref: string;
  readonly factorsHref: string;
  readonly sessions: readonly {
    /** A public handle, never what the cookie holds. */
    readonly id: string;
    readonly current: boolean;
    /** Wall-clock milliseconds. */
    readonly startedAt: number;
    /** Names of the portals and apps that it was used for. */
    readonly services: readonly string[];
    readonly strength?: AccountStrength | undefined;
  }[];
  readonly apps: readonly {
    readonly id: string;
    readonly name: string;
    readonly scopes: readonly string[];
    /** Wall-clock milliseconds. */
    readonly since: number;
  }[];
  /** How many sessions were just ended, or permissions taken back. */
  readonly ended?: number | undefined;
  readonly taken?: number | undefined;
  readonly signOutHref?: string | undefined;
  readonly problems?: readonly CommonProblem[] | undefined;
}

/** What somebody may look at and change of their own account: how they sign in, where they are, what they allowed. */
export function renderAccount(site: Site, model: AccountModel): Page {
  const { account: texts } = site.texts;
  const problems = problemsOf<never>(site, model.problems, {});
  const sessions = [...model.sessions].sort((a, b) => Number(b.current) - Number(a.current));
  return page(site, {
    heading: texts.heading,
    failed: problems.length > 0,
    wide: true,
    main: html`<p class="lead">${texts.as(model.name, model.login)}</p>
${summary(site, problems)}
${said(model.ended === undefined ? undefined : texts.ended(model.ended))}
${said(model.taken === undefined ? undefined : texts.taken(model.taken))}
<section class="option"><h2>${texts.signIn}</h2>
<p>${link(texts.password, model.passwordHref)}</p>
<p>${link(texts.factors, model.factorsHref)}</p></section>
${form(
  model.form,
  html`<section class="option"><h2>${texts.sessions}</h2>
<p>${texts.sessionsHint}</p>
<ul class="cards">${sessions.map((each) => session(site, each))}</ul>
${sessions.length > 2 && button(texts.endOthers, { look: 'danger', name: 'do', value: 'end-others' })}</section>
<section class="option"><h2>${texts.apps}</h2>
${
  model.apps.length === 0
    ? html`<p>${texts.noApps}</p>`
    : html`<ul class="cards">${model.apps.map((each) => app(site, each))}</ul>`
}</section>`,
)}
${otherWays([model.signOutHref === undefined ? undefined : link(texts.signOut, model.signOutHref)])}`,
  });
}

function said(text: string | undefined): Html | undefined {
  return text === undefined ? undefined : html`<p class="notice good" role="status">${text}</p>`;
}

function session(site: Site, one: AccountModel['sessions'][number]): Html {
  const { account: texts } = site.texts;
  const moment = site.moment(one.startedAt);
  return html`<li class="card"><div>
<h3>${texts.session(moment)}${one.current && html` <span class="badge">${texts.current}</span>`}</h3>
${one.strength !== undefined && html`<p>${texts.strengths[one.strength]}</p>`}
<p>${one.services.length === 0 ? texts.usedForNothing : texts.used(one.services.join(', '))}</p></div>
${!one.current && button(texts.end, { look: 'second', name: 'end', value: one.id, about: texts.endAbout(moment) })}</li>`;
}

function app(site: Site, one: AccountModel['apps'][number]): Html {
  const { account: texts } = site.texts;
  const lines = describeScopes(site.texts, one.scopes).flatMap(({ heading, scopes }) =>
    scopes.map(({ text }) => html`<li>${heading}: ${text}</li>`),
  );
  return html`<li class="card"><div><h3>${one.name}</h3>
<p>${texts.since(site.moment(one.since))}</p>
<ul>${lines}</ul></div>
${button(texts.take, { look: 'second', name: 'take', value: one.id, about: texts.takeAbout(one.name) })}</li>`;
}
