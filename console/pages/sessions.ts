import { type Html, html } from '../html.ts';
import { type Page, page } from '../page.ts';
import type { Site } from '../site.ts';
import { button, type Form, form, link, otherWays, summary } from './parts/form.ts';
import { type CommonProblem, problemsOf } from './parts/problems.ts';

export interface ListedSession {
  /** A public handle, never what the cookie holds. */
  readonly id: string;
  readonly current: boolean;
  /** Wall-clock milliseconds. */
  readonly startedAt: number;
  readonly lastSeenAt: number;
  /** Such as "Firefox on Windows". */
  readonly browser?: string | undefined;
  /** How it was signed in, in words. */
  readonly method?: string | undefined;
}

/** Fields: `end` = id of a session, or `do` = `end-others`. */
export interface SessionsModel {
  readonly form: Form;
  readonly sessions: readonly ListedSession[];
  /** How many were just ended. */
  readonly ended?: number | undefined;
  readonly signOutHref?: string | undefined;
  readonly factorsHref?: string | undefined;
  readonly backHref?: string | undefined;
  readonly problems?: readonly CommonProblem[] | undefined;
}

/** One's own sessions, the present one first. */
export function renderSessions(site: Site, model: SessionsModel): Page {
  const { sessions: texts, frame } = site.texts;
  const problems = problemsOf<never>(site, model.problems, {});
  const others = model.sessions.filter((session) => !session.current);
  const present = model.sessions.filter((session) => session.current);
  return page(site, {
    heading: texts.heading,
    failed: problems.length > 0,
    wide: true,
    main: html`<p class="lead">${others.length === 0 ? texts.onlyOne : texts.intro}</p>
${summary(site, problems)}
${model.ended !== undefined && html`<p class="notice good" role="status">${texts.ended(model.ended)}</p>`}
${form(
  model.form,
  html`<ul class="cards">${[...present, ...others].map((session) => card(site, session))}</ul>
${others.length > 1 && button(texts.endOthers, { look: 'danger', name: 'do', value: 'end-others' })}`,
)}
${otherWays([
  model.factorsHref === undefined ? undefined : link(texts.factors, model.factorsHref),
  model.signOutHref === undefined ? undefined : link(texts.signOut, model.signOutHref),
  model.backHref === undefined ? undefined : link(frame.back, model.backHref),
])}`,
  });
}

function card(site: Site, session: ListedSession): Html {
  const { sessions: texts } = site.texts;
  const browser = session.browser ?? texts.unknown;
  const started = site.moment(session.startedAt);
  return html`<li class="card"><div>
<h2>${browser}${session.current && html` <span class="badge">${texts.current}</span>`}</h2>
<dl><dt>${texts.started}</dt><dd>${time(site, session.startedAt)}</dd>
<dt>${texts.lastSeen}</dt><dd>${time(site, session.lastSeenAt)}</dd>
${session.method !== undefined && html`<dt>${texts.method}</dt><dd>${session.method}</dd>`}</dl></div>
${
  !session.current &&
  button(texts.end, {
    look: 'second',
    name: 'end',
    value: session.id,
    about: texts.endAbout(browser, started),
  })
}</li>`;
}

function time(site: Site, at: number): Html {
  const machine = Number.isFinite(at) && Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : '';
  return html`<time datetime="${machine}">${site.moment(at)}</time>`;
}

/** Fields: `remove` = id of a passkey or `totp`, or `do` = `new-codes`. */
export interface FactorsModel {
  readonly form: Form;
  readonly totp: boolean;
  readonly passkeys: readonly {
    readonly id: string;
    readonly name: string;
    /** Wall-clock milliseconds. */
    readonly addedAt: number;
    readonly lastUsedAt?: number | undefined;
  }[];
  readonly recoveryCodesLeft: number;
  readonly addTotpHref?: string | undefined;
  readonly addPasskeyHref?: string | undefined;
  readonly newCodesHref?: string | undefined;
  /** A button for new recovery codes, and one to remove the authenticator app. */
  readonly newCodes?: boolean | undefined;
  readonly removableTotp?: boolean | undefined;
  readonly backHref?: string | undefined;
  /** `last`: the only second step cannot be removed. */
  readonly problems?: readonly ('last' | CommonProblem)[] | undefined;
}

/** One's own second steps. */
export function renderFactors(site: Site, model: FactorsModel): Page {
  const { factors: texts, frame } = site.texts;
  const problems = problemsOf(site, model.problems, { last: { text: texts.problems.last } });
  const passkeys = model.passkeys.map(
    (passkey) => html`<li class="card"><div><h3>${passkey.name}</h3>
<p>${texts.added(site.moment(passkey.addedAt))}${
      passkey.lastUsedAt !== undefined && `, ${texts.used(site.moment(passkey.lastUsedAt))}`
    }</p></div>
${button(texts.remove, { look: 'second', name: 'remove', value: passkey.id, about: passkey.name })}</li>`,
  );
  return page(site, {
    heading: texts.heading,
    failed: problems.length > 0,
    wide: true,
    main: html`${summary(site, problems)}
${form(
  model.form,
  html`<section class="option"><h2>${texts.passkeys}</h2>
${passkeys.length === 0 ? html`<p>${texts.noPasskeys}</p>` : html`<ul class="cards">${passkeys}</ul>`}
${model.addPasskeyHref !== undefined && html`<p>${link(texts.addPasskey, model.addPasskeyHref)}</p>`}</section>
<section class="option"><h2>${texts.totp}</h2><p>${model.totp ? texts.totpSet : texts.totpUnset}</p>
${model.addTotpHref !== undefined && html`<p>${link(model.totp ? texts.otherTotp : texts.addTotp, model.addTotpHref)}</p>`}
${model.removableTotp === true && button(texts.remove, { look: 'second', name: 'remove', value: 'totp', about: texts.totp })}</section>
<section class="option"><h2>${texts.codes}</h2><p>${texts.left(model.recoveryCodesLeft)}</p>
${model.newCodesHref !== undefined && html`<p>${link(texts.newCodes, model.newCodesHref)}</p>`}
${model.newCodes === true && button(texts.newCodes, { look: 'second', name: 'do', value: 'new-codes', about: texts.newCodesAbout })}</section>`,
)}
${otherWays([model.backHref === undefined ? undefined : link(frame.back, model.backHref)])}`,
  });
}
