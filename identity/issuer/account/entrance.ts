import { randomBytes } from 'node:crypto';
import type { IssuerProcessSettings } from '../../../contracts/issuer-settings.ts';
import type { KnownClient } from '../clients.ts';

/** The pages of one's own account are a client of their own. No configured client can have a name with a colon. */
export const ACCOUNT_CLIENT = 'urn:chartgate:account';

export const ACCOUNT_PAGES = Object.freeze({
  home: '/account',
  factors: '/account/factors',
  totp: '/account/factors/app',
  passkey: '/account/factors/passkey',
  codes: '/account/factors/codes',
  password: '/account/password',
  proof: '/account/proof',
  back: '/account/back',
} as const);
export type AccountPageName = keyof typeof ACCOUNT_PAGES;

/** Pages that somebody may be sent on to: never what stands in a URL itself. */
const REACHED = ['home', 'factors', 'totp', 'passkey', 'password'] as const;
export type Reached = (typeof REACHED)[number];

export const reachedBy = (name: string | null): Reached => REACHED.find((each) => each === name) ?? 'home';

/**
 * It may ask who somebody is and nothing else: it has no tenant and no scope, and the code that it is sent is of no
 * use to anybody, since nobody keeps the verifier.
 */
export function accountClient({ issuer, brand }: IssuerProcessSettings): KnownClient {
  return Object.freeze({
    id: ACCOUNT_CLIENT,
    name: brand?.name ?? new URL(issuer).hostname,
    kind: 'account',
    tenants: Object.freeze([]),
    scopes: Object.freeze([]),
    metadata: Object.freeze({
      client_id: ACCOUNT_CLIENT,
      client_name: 'Account',
      redirect_uris: [`${issuer}${ACCOUNT_PAGES.back}`],
      response_types: ['code'],
      grant_types: ['authorization_code'],
      application_type: 'web',
      token_endpoint_auth_method: 'none',
      require_auth_time: true,
    }),
    secretMatches: () => false,
  });
}

/** Where somebody signs in who wants to see one of these pages. @param anew also if signed in already */
export function entrance(issuer: string, page: Reached, anew = false): string {
  const query = new URLSearchParams({
    client_id: ACCOUNT_CLIENT,
    response_type: 'code',
    redirect_uri: `${issuer}${ACCOUNT_PAGES.back}`,
    scope: 'openid',
    state: page,
    // Of no verifier that anybody knows.
    code_challenge: randomBytes(32).toString('base64url'),
    code_challenge_method: 'S256',
    ...(anew ? { prompt: 'login' } : {}),
  });
  return `/authorize?${query}`;
}
