import { type OwnAnswer, redirect } from './answer.ts';
import type { Call } from './call.ts';
import { PAGES, withQuery } from './paths.ts';

/** To signing in, or to the second factor where the first was given; and back. */
export function toSignIn(c: Call, returnTo: string): OwnAnswer {
  const page = c.x.session?.stage === 'factor' ? PAGES.factor : PAGES.signIn;
  return redirect(c.method, withQuery(page, { return: returnTo }), { reason: 'session-missing' });
}
