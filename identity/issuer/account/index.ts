import { timingSafeEqual } from 'node:crypto';
import type { Provider, ProviderSession } from 'oidc-provider';
import { hashOf } from '../../lengths.ts';
import { formOf, isForeign } from '../forms.ts';
import { type Asked, end, send } from '../interactions/index.ts';
import type { IssuerParts } from '../parts.ts';
import { activePerson } from '../people.ts';
import { principalOf } from '../principals.ts';
import { ACCOUNT_PAGES, type AccountPageName, entrance, reachedBy } from './entrance.ts';
import { enrolPasskey, enrolTotp, factors } from './factors.ts';
import { home } from './home.ts';
import { password } from './password.ts';
import { proof } from './proof.ts';
import { type Answer, loadKept, type Visit } from './visit.ts';

/** Whether the path is one of the pages of one's own account. */
export const isAccount = (path: string): boolean => path === '/account' || path.startsWith('/account/');

const PAGES: Readonly<Record<Exclude<AccountPageName, 'back'>, (visit: Visit) => Promise<Answer> | Answer>> =
  Object.freeze({
    home,
    factors,
    totp: enrolTotp,
    passkey: enrolPasskey,
    codes: () => ({ location: ACCOUNT_PAGES.factors }),
    password,
    proof,
  });

const NAMES = Object.keys(ACCOUNT_PAGES) as readonly AccountPageName[];

/** Answers a request for a page of one's own account. Rejects with `state-unavailable` only. */
export async function answerAccount(parts: IssuerParts, provider: Provider, asked: Asked): Promise<void> {
  const { request, response, url, requestId, source } = asked;
  const name = NAMES.find((each) => ACCOUNT_PAGES[each] === url.pathname);
  if (name === undefined) return send(response, 404, parts.pages.error({ kind: 'not-found', requestId }));
  const { method } = request;
  if (method !== 'GET' && (method !== 'POST' || name === 'back')) {
    return send(response, 405, parts.pages.error({ kind: 'bad-request', requestId }), {
      allow: name === 'back' ? 'GET' : 'GET, POST',
    });
  }
  if (method === 'POST' && isForeign(request, parts.settings.issuer)) {
    return send(response, 403, parts.pages.error({ kind: 'refused', requestId }));
  }
  if (name === 'back') {
    // The session is in the cookie; of what is in the URL only the page to go on to counts, and that it went well.
    if (url.searchParams.has('error'))
      return send(response, 403, parts.pages.error({ kind: 'refused', requestId }));
    return end(response, { location: ACCOUNT_PAGES[reachedBy(url.searchParams.get('state'))] });
  }
  const form = method === 'POST' ? await formOf(request) : undefined;
  if (method === 'POST' && form === undefined) {
    return send(response, 413, parts.pages.error({ kind: 'bad-request', requestId }));
  }
  const session: ProviderSession = await provider.Session.get(provider.createContext(request, response));
  const person =
    session.accountId === undefined ? undefined : await activePerson(parts.people, session.accountId);
  if (person === undefined) {
    return end(response, { location: entrance(parts.settings.issuer, reachedBy(name)) });
  }
  const kept = await loadKept(parts, session);
  const stale =
    form !== undefined &&
    !timingSafeEqual(Buffer.from(hashOf(form.get('csrf') ?? '')), Buffer.from(hashOf(kept.csrf)));
  const visit: Visit = Object.freeze({
    parts,
    provider,
    session,
    person,
    principal: principalOf(parts, person.id),
    kept,
    query: url.searchParams,
    form: stale ? undefined : form,
    stale,
    source,
    requestId,
  });
  end(response, await PAGES[name](visit));
}
