import type { Route } from '../../../contracts/policy.ts';
import type { AuthenticationResult } from '../../../contracts/principal.ts';
import type { ReasonCode } from '../../../contracts/reasons.ts';
import { type Found, isCrossSite, readCookies } from '../../../identity/sessions/index.ts';
import type { Exchange, Step } from '../exchange.ts';

/** Failures of ours, or of whoever had to be asked: nothing was learned about the credential. */
const UNAVAILABLE: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'issuer-unavailable',
  'proof-unverifiable',
  'client-unavailable',
]);

/**
 * Stage 4: a token, a certificate or a session becomes a principal of this tenant; no credential is nobody, which
 * the policy judges. A credential that is presented and bad is refused even where none is needed. Whoever
 * presents one in `Authorization` is judged by that alone: a cookie, which a browser sends by itself, never helps; but
 * one of another tenant's session is a sign that disagrees with all the others.
 */
export function authenticate(x: Exchange): Step | Promise<Step> {
  const authorization = x.facts.headers.get('authorization');
  const found = findSession(x);
  if (found === undefined) return byCredential(x, authorization);
  return found instanceof Promise
    ? found.then((settled) => bySession(x, settled, authorization))
    : bySession(x, found, authorization);
}

/** A session is looked for where it could matter: never for what anybody may have. */
function findSession(x: Exchange): Found | Promise<Found> | undefined {
  const { browsers } = x.runtime;
  if (browsers === undefined || x.match?.route.credential === 'anonymous') return undefined;
  const header = x.facts.headers.get('cookie');
  if (header === undefined || !browsers.serves(x.tenant)) return undefined;
  const { session } = readCookies(header);
  return session === undefined ? undefined : browsers.sessions.find(session, x.tenant.id);
}

function bySession(x: Exchange, found: Found, authorization: string | undefined): Step | Promise<Step> {
  if (found.state === 'elsewhere') {
    // Told as a session that ended is: whether it is alive is nobody's business here.
    x.failed('tenant-signs-disagree', 'session');
    return { kind: 'unauthenticated', reason: 'tenant-signs-disagree', credentialPresented: false };
  }
  if (authorization !== undefined) return byCredential(x, authorization);
  if (found.state === 'unavailable' && takesSession(x.match?.route)) {
    x.failed('session-state-unavailable');
    return { kind: 'unavailable', reason: 'session-state-unavailable' };
  }
  if (found.state !== 'live') return byCredential(x, undefined);
  x.session = found.session;
  const { principal } = found.session;
  if (principal === undefined) {
    // The second factor is wanting: nobody yet, to whom no page of the EMR opens.
    x.failed('session-unfinished');
    return byCredential(x, undefined);
  }
  if (takesSession(x.match?.route) && isCrossSite(x.facts)) {
    x.failed('session-cross-site');
    return { kind: 'cross-site', reason: 'session-cross-site' };
  }
  x.principal = principal;
  return undefined;
}

function takesSession(route: Route | undefined): boolean {
  return route?.credential === 'session' || route?.credential === 'bearer-or-session';
}

function byCredential(x: Exchange, authorization: string | undefined): Step | Promise<Step> {
  const { facts, tenant } = x;
  const audienceName = x.match?.route.audience;
  const audience =
    audienceName === undefined ? tenant.settings.audience : tenant.settings.audiences?.get(audienceName);
  if (audience === undefined) {
    // The settings see to it that there is one; without, no token is good here.
    x.failed('token-audience', audienceName);
    return { kind: 'unauthenticated', reason: 'token-audience', credentialPresented: false };
  }
  const result = x.runtime.authenticator.authenticate({
    tenant: tenant.id,
    audience,
    audienceName,
    issuers: tenant.settings.issuers,
    partners: x.runtime.sharing?.partnersOf(tenant.id),
    authorization,
    facts,
    // Without a route there is nothing to forward: local verification is enough to answer.
    introspection: x.match?.route.introspection ?? 'never',
  });
  return result instanceof Promise
    ? result.then((settled) => accept(x, settled, authorization !== undefined))
    : accept(x, result, authorization !== undefined);
}

function accept(x: Exchange, result: AuthenticationResult, presented: boolean): Step {
  if (result.ok) {
    x.principal = result.principal;
    return undefined;
  }
  x.failed(result.reason, result.detail);
  if (UNAVAILABLE.has(result.reason)) return { kind: 'unavailable', reason: result.reason };
  return { kind: 'unauthenticated', reason: result.reason, credentialPresented: presented };
}
