import type { Provider, ProviderContext } from 'oidc-provider';
import type { ShownPage } from './pages.ts';
import type { IssuerParts } from './parts.ts';
import { endAtGateways, endTokensOf, signOutSession } from './sessions.ts';

/** As `provider.ts` sets it: a browser removes only what has the same attributes. */
export const SESSION_COOKIE = Object.freeze({
  httpOnly: true,
  sameSite: 'lax',
  signed: true,
  secure: true,
  overwrite: true,
  path: '/',
});

function show(context: ProviderContext, page: ShownPage): void {
  for (const [name, value] of Object.entries(page.headers)) context.set(name, value);
  context.body = page.html;
}

/** RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0 §2): the person is asked, and told. */
export function signOutPages(parts: IssuerParts) {
  return {
    logoutSource: async (context: ProviderContext) => {
      if (await endAtOnce(parts, context)) return;
      const state = context.oidc.session?.state as
        | { readonly secret?: string; readonly postLogoutRedirectUri?: string }
        | undefined;
      const back = URL.parse(state?.postLogoutRedirectUri ?? '');
      show(
        context,
        parts.pages.signOut({
          form: {
            action: `${context.path}/confirm`,
            csrf: state?.secret ?? '',
            hidden: { xsrf: state?.secret ?? '', logout: 'yes' },
          },
          formTargets: back === null ? [] : [back.origin],
        }),
      );
    },
    postLogoutSuccessSource: async (context: ProviderContext) => show(context, parts.pages.signedOut()),
  };
}

/**
 * A tenant's gateway has asked the person already, and its ID token names this very session: asking again would leave
 * the session alive for who walks away. Whoever else sends somebody here does not have that token (§2 and §3 there).
 */
async function endAtOnce(parts: IssuerParts, context: ProviderContext): Promise<boolean> {
  const { session, client, entities, params, provider } = context.oidc;
  const hint = entities.IdTokenHint?.payload;
  if (session?.accountId === undefined || client === undefined || hint === undefined) return false;
  const known = await parts.clients.find(client.clientId);
  const same = typeof hint.sid === 'string' && hint.sid === session.sidFor(client.clientId);
  if (known?.kind !== 'gateway' || !same || hint.sub !== session.accountId) return false;
  await signOutSession(parts, provider, session);
  await session.destroy();
  context.cookies.set(provider.cookieName('session'), null, SESSION_COOKIE);
  const { post_logout_redirect_uri: back, state } = params;
  if (typeof back !== 'string') {
    show(context, parts.pages.signedOut());
    return true;
  }
  const url = new URL(back);
  if (typeof state === 'string') url.searchParams.set('state', state);
  context.status = 303;
  context.redirect(url.href);
  return true;
}

/** Tells the gateways of the sign-out before the browser is told that it is done. */
export function signOutAnnouncer(parts: IssuerParts, provider: Provider) {
  const path = `${provider.pathFor('end_session')}/confirm`;
  return async (context: ProviderContext, next: () => Promise<void>): Promise<void> => {
    await next();
    if (context.path !== path || context.method !== 'POST') return;
    const session = context.oidc.session as
      | {
          readonly uid: string;
          readonly destroyed?: boolean;
          readonly authorizations?: Readonly<Record<string, { readonly sid?: string }>>;
        }
      | undefined;
    if (session?.destroyed !== true) return;
    await parts.models.removeLinked('Session', 'uid', session.uid);
    await endTokensOf(parts, session.uid);
    for (const { sid } of Object.values(session.authorizations ?? {})) {
      if (sid !== undefined) await endAtGateways(parts, sid);
    }
  };
}
