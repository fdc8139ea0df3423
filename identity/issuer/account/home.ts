import { ACR } from '../../../contracts/issuer-link.ts';
import { hashOf } from '../../lengths.ts';
import type { Found } from '../models.ts';
import type { AccountPage } from '../pages.ts';
import { revokeGrant, signOutSession } from '../sessions.ts';
import { ACCOUNT_CLIENT, ACCOUNT_PAGES } from './entrance.ts';
import { type Answer, field, formFor, said, shown, stale, type Visit } from './visit.ts';

/** `GET /account`, and what its form sends: one's sessions at the issuer, and the apps with a permission. */
export async function home(visit: Visit): Promise<Answer> {
  const [end, take] = [field(visit, 'end'), field(visit, 'take')];
  const others = field(visit, 'do') === 'end-others';
  let done: Pick<AccountPage, 'ended' | 'taken'> = {};
  if (end !== '' || others) done = { ended: await endSessions(visit, others ? undefined : end) };
  else if (take !== '') done = { taken: await takeBack(visit, take) };
  const problems = stale(visit);
  const { person, parts } = visit;
  return shown(
    parts.pages.account({
      form: formFor(visit, 'home'),
      name: person.name,
      login: person.login,
      passwordHref: ACCOUNT_PAGES.password,
      factorsHref: ACCOUNT_PAGES.factors,
      signOutHref: '/session/end',
      sessions: await sessionsOf(visit),
      apps: await appsOf(visit),
      ...done,
      ...said(problems),
    }),
    problems,
  );
}

/** A public name for a session: the store's and the cookie's stay inside. */
const handleOf = (uid: string): string => hashOf('session on the account page', uid);

function found(visit: Visit): Promise<readonly Found[]> {
  return visit.parts.models.linked('Session', 'account', visit.person.id);
}

const STRENGTHS: Readonly<Record<string, 'password' | 'second-step' | 'passkey'>> = Object.freeze({
  [ACR.single]: 'password',
  [ACR.two]: 'second-step',
  [ACR.resistant]: 'passkey',
});

async function sessionsOf(visit: Visit): Promise<AccountPage['sessions']> {
  const sessions: AccountPage['sessions'][number][] = [];
  for (const { payload } of await found(visit)) {
    const { uid, loginTs, acr, authorizations } = payload;
    if (typeof uid !== 'string' || typeof loginTs !== 'number') continue;
    const clients = Object.keys((authorizations ?? {}) as Readonly<Record<string, unknown>>);
    const known = await Promise.all(
      clients.filter((id) => id !== ACCOUNT_CLIENT).map((id) => visit.parts.clients.find(id)),
    );
    sessions.push({
      id: handleOf(uid),
      current: uid === visit.session.uid,
      startedAt: loginTs * 1000,
      services: known.flatMap((client) => (client === undefined ? [] : [client.name])),
      strength: STRENGTHS[String(acr)],
    });
  }
  return sessions.sort((a, b) => b.startedAt - a.startedAt);
}

/** @param id all others when undefined. The one at hand is ended by signing out. */
async function endSessions(visit: Visit, id: string | undefined): Promise<number> {
  const { parts, provider } = visit;
  let ended = 0;
  for (const { payload } of await found(visit)) {
    const { uid } = payload;
    if (typeof uid !== 'string' || uid === visit.session.uid) continue;
    if (id !== undefined && handleOf(uid) !== id) continue;
    const session = await provider.Session.findByUid(uid);
    if (session?.accountId !== visit.person.id) continue;
    await signOutSession(parts, provider, session);
    ended += 1;
  }
  if (ended > 0) parts.log('sessions-ended', { requestId: visit.requestId });
  return ended;
}

interface LiveGrant {
  readonly id: string;
  readonly client: string;
  readonly scopes: readonly string[];
  /** Seconds. */
  readonly since: number;
}

/** Grants that something can still be done with: those of which a code or a token lives. */
async function grantsOf({ parts, person }: Visit): Promise<readonly LiveGrant[]> {
  const { models } = parts;
  const live = new Set<unknown>();
  for (const model of ['RefreshToken', 'AccessToken', 'AuthorizationCode'] as const) {
    for (const { payload } of await models.linked(model, 'account', person.id)) live.add(payload.grantId);
  }
  const grants = await models.linked('Grant', 'account', person.id);
  return grants.flatMap(({ payload }) => {
    const { jti, clientId, iat } = payload;
    if (typeof jti !== 'string' || typeof clientId !== 'string' || !live.has(jti)) return [];
    return [{ id: jti, client: clientId, scopes: scopesIn(payload), since: Number(iat ?? 0) }];
  });
}

/** As `oidc-provider` keeps them: texts of scopes, OpenID's and each resource's. */
function scopesIn({ openid, resources }: Found['payload']): readonly string[] {
  const texts = [
    (openid as { readonly scope?: unknown } | undefined)?.scope,
    ...Object.values((resources ?? {}) as Readonly<Record<string, unknown>>),
  ];
  return [
    ...new Set(texts.flatMap((text) => (typeof text === 'string' ? text.split(' ') : [])).filter(Boolean)),
  ];
}

async function appsOf(visit: Visit): Promise<AccountPage['apps']> {
  const apps = new Map<string, { scopes: Set<string>; since: number }>();
  for (const { client, scopes, since } of await grantsOf(visit)) {
    const known = apps.get(client) ?? { scopes: new Set<string>(), since };
    for (const scope of scopes) known.scopes.add(scope);
    apps.set(client, { scopes: known.scopes, since: Math.min(known.since, since) });
  }
  const shownApps: AccountPage['apps'][number][] = [];
  for (const [id, { scopes, since }] of apps) {
    const client = await visit.parts.clients.find(id);
    // A tenant's own gateway has no permission of the person's: its sessions are ended above.
    if (client !== undefined && client.kind !== 'app') continue;
    shownApps.push({ id, name: client?.name ?? id, scopes: [...scopes], since: since * 1000 });
  }
  return shownApps;
}

/** Every grant of the app ends with all of its tokens; gateways hear of it before this returns. */
async function takeBack(visit: Visit, client: string): Promise<number> {
  const { parts, provider, person } = visit;
  const known = await parts.clients.find(client);
  if (known !== undefined && known.kind !== 'app') return 0;
  let taken = 0;
  for (const { payload } of await parts.models.linked('Grant', 'account', person.id)) {
    if (payload.clientId !== client || typeof payload.jti !== 'string') continue;
    await revokeGrant(provider, payload.jti);
    taken += 1;
  }
  if (taken > 0) parts.log('consent-taken-back', { requestId: visit.requestId, client });
  return taken;
}
