import type { Provider, ProviderContext } from 'oidc-provider';
import type { ShownPage } from './pages.ts';
import type { IssuerParts } from './parts.ts';
import { endAtGateways, endTokensOf } from './sessions.ts';

function show(context: ProviderContext, page: ShownPage): void {
  for (const [name, value] of Object.entries(page.headers)) context.set(name, value);
  context.body = page.html;
}

/** RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0 §2): the person is asked, and told. */
export function signOutPages(parts: IssuerParts) {
  return {
    logoutSource: async (context: ProviderContext) => {
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
    await endTokensOf(parts, session.uid);
    for (const { sid } of Object.values(session.authorizations ?? {})) {
      if (sid !== undefined) await endAtGateways(parts, sid);
    }
  };
}
