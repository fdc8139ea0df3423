import { html } from '../html.ts';
import { type Page, page } from '../page.ts';
import type { Site } from '../site.ts';
import { button, type Form, form, link, linkButton, otherWays } from './parts/form.ts';

/** Fields: `do` = `sign-out` or `sign-out-everywhere`. */
export interface SignOutModel {
  readonly form: Form;
  /** Offer to end the other sessions too. */
  readonly everywhere?: boolean | undefined;
  readonly backHref?: string | undefined;
  /** Where the provider's own sign-out is; see `PageNeeds`. */
  readonly formTargets?: readonly string[] | undefined;
}

/** Asked first, so that a link from elsewhere cannot sign anybody out. */
export function renderSignOut(site: Site, model: SignOutModel): Page {
  const { signOut } = site.texts;
  return page(site, {
    heading: signOut.heading,
    formTargets: model.formTargets ?? [],
    main: html`<p class="lead">${signOut.intro}</p>
${form(
  model.form,
  html`<div class="buttons">${button(signOut.submit, { name: 'do', value: 'sign-out' })}
${model.everywhere === true && button(signOut.everywhere, { look: 'second', name: 'do', value: 'sign-out-everywhere' })}</div>`,
)}
${otherWays([model.backHref === undefined ? undefined : link(signOut.stay, model.backHref)])}`,
  });
}

export interface SignedOutModel {
  readonly signInHref?: string | undefined;
  /** `provider`: the session ended at the provider, not here. */
  readonly reason?: 'asked' | 'provider' | undefined;
}

export function renderSignedOut(site: Site, model: SignedOutModel): Page {
  const { signedOut } = site.texts;
  return page(site, {
    heading: signedOut.heading,
    main: html`<p class="lead">${signedOut[model.reason ?? 'asked']}</p>
${model.signInHref !== undefined && linkButton(signedOut.signIn, model.signInHref)}`,
  });
}
