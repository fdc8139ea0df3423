import { Provider, type ProviderSession } from 'oidc-provider';
import { ofKeptSession } from './adapter.ts';
import { type IssuerParts, secondsOf } from './parts.ts';

/** Ends a sign-in at the issuer: its grants, its tokens, and the sessions at gateways that came of it. */
export async function signOutSession(
  parts: IssuerParts,
  provider: Provider,
  session: ProviderSession,
): Promise<void> {
  for (const [id, { grantId, sid, persistsLogout }] of Object.entries(session.authorizations ?? {})) {
    // Offline access was given for when the person is away.
    if (grantId !== undefined && persistsLogout !== true) await revokeGrant(provider, grantId);
    if (sid !== undefined) await endAtGateways(parts, sid);
    await tellClient(parts, provider, { id, account: session.accountId, sid });
    parts.log('signed-out', { client: id });
  }
  // Every one of that sign-in: a process that died at a renewal may have left the one before.
  await parts.models.remove('Session', session.jti);
  await parts.models.removeLinked('Session', 'uid', session.uid);
  await endTokensOf(parts, session.uid);
}

interface Told {
  readonly id: string;
  readonly account: string | undefined;
  readonly sid: string | undefined;
}

/** OpenID Connect Back-Channel Logout 1.0: one that cannot be told does not keep the others from being told. */
async function tellClient(parts: IssuerParts, provider: Provider, { id, account, sid }: Told): Promise<void> {
  try {
    const client = await provider.Client.find(id);
    if (client?.backchannelLogoutUri !== undefined) await client.backchannelLogout(account, sid);
  } catch {
    parts.log('client-not-told', { client: id });
  }
}

/** Tokens that were to end with a session: it may have had several grants for one client, one for each launch. */
export async function endTokensOf(parts: IssuerParts, uid: string): Promise<void> {
  for (const model of ['AuthorizationCode', 'RefreshToken', 'AccessToken'] as const) {
    for (const { name, payload } of await parts.models.linked(model, 'uid', uid)) {
      if (payload.expiresWithSession !== true) continue;
      const { jti, exp } = payload;
      if (model === 'AccessToken' && typeof jti === 'string' && typeof exp === 'number') {
        await parts.revoke('token', jti, exp);
      }
      await parts.models.removeFound(name);
    }
  }
}

/**
 * `oidc-provider` takes a token for ended as soon as its client has a newer grant in the same session. An app that is
 * open on two patients has two; they end with the session, and not before.
 */
export function bindToSessions(provider: Provider): void {
  for (const model of [provider.AccessToken, provider.RefreshToken, provider.AuthorizationCode]) {
    const find = model.find.bind(model);
    model.find = async (value, options = {}) => {
      const token = await find(value, { ...options, ignoreSessionBinding: true });
      if (token?.expiresWithSession !== true || options.ignoreSessionBinding === true) return token;
      const session = await provider.Session.findByUid(token.sessionUid ?? '');
      return session?.accountId === token.accountId ? token : undefined;
    };
  }
}

/**
 * A session gets another id at each sign-in and step-up. `oidc-provider` gives up the old id first; here the new one is
 * kept first, and the old one is given up when the browser has been told of the new one, so that whoever dies in
 * between loses nobody's session. What is kept under the old id meanwhile is what it was before that sign-in.
 */
export function keepBeforeLeaving(parts: IssuerParts, provider: Provider): void {
  const { prototype } = provider.Session;
  const { save } = prototype;
  prototype.save = async function (this: ProviderSession, seconds: number) {
    const { oldId } = this;
    if (oldId === undefined) {
      // One that came from the store has a time at which it ends.
      return this.exp === undefined
        ? save.call(this, seconds)
        : ofKeptSession.run(true, () => save.call(this, seconds));
    }
    this.oldId = undefined;
    const saved = await save.call(this, seconds);
    const leave = () => parts.models.remove('Session', oldId);
    const response = Provider.ctx?.res;
    if (response === undefined || response.closed) await leave();
    else response.once('close', () => leave().catch(() => parts.log('session-not-left')));
    return saved;
  };
}

export async function revokeGrant(provider: Provider, grant: string): Promise<void> {
  // First the grant, so that no further token is made of it.
  await provider.Grant.adapter.destroy(grant);
  await provider.AuthorizationCode.revokeByGrantId(grant);
  await provider.RefreshToken.revokeByGrantId(grant);
  await provider.AccessToken.revokeByGrantId(grant);
}

/** Every gateway that follows the feed ends its sessions with that `sid`. */
export async function endAtGateways(parts: IssuerParts, sid: string): Promise<void> {
  await parts.revoke(
    'session',
    sid,
    secondsOf(parts.clock) + Math.ceil(parts.settings.tokens.sessionMs / 1000),
  );
}

const ENDED = 'Ended';
/** Seconds for which an end is remembered: longer than an interaction lasts. */
const ENDED_SECONDS = 3600;

/**
 * Whether what an account proved at that moment, in a sign-in that is under way, has ended with everything else of it.
 * @param since wall-clock milliseconds
 */
export async function hasEnded(parts: IssuerParts, account: string, since: number): Promise<boolean> {
  const at = (await parts.models.get(ENDED, account))?.payload.at;
  return typeof at === 'number' && since <= at;
}

const OF_ACCOUNTS = ['Session', 'Grant', 'RefreshToken', 'AuthorizationCode', 'AccessToken'] as const;

/**
 * Everything of an account ends that began until then: it was disabled, or what it signs in with changed.
 * @param at wall-clock milliseconds
 */
export async function endAccount(parts: IssuerParts, account: string, at: number): Promise<void> {
  const { models, settings, clock } = parts;
  const seconds = Math.floor(at / 1000);
  // First what gateways and the token endpoint go by, so that nothing new comes of what is removed after it.
  const until = secondsOf(clock) + Math.ceil(settings.tokens.sessionMs / 1000);
  await parts.revoke('subject', account, until, seconds);
  if (!(await hasEnded(parts, account, at))) await models.put(ENDED, account, { at }, ENDED_SECONDS);
  for (const model of OF_ACCOUNTS) {
    for (const { name, payload } of await models.linked(model, 'account', account)) {
      const began = payload.loginTs ?? payload.iat;
      if (typeof began !== 'number' || began <= seconds) await models.removeFound(name);
    }
  }
}
