import { AsyncLocalStorage } from 'node:async_hooks';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { errors } from 'oidc-provider';
import type { Models, Payload } from './models.ts';

/** The storage of one of `oidc-provider`'s models, in the form that it asks for. */
export interface ModelAdapter {
  upsert(id: string, payload: Payload, seconds?: number): Promise<void>;
  find(id: string): Promise<Payload | undefined>;
  findByUid(uid: string): Promise<Payload | undefined>;
  findByUserCode(code: string): Promise<Payload | undefined>;
  consume(id: string): Promise<void>;
  destroy(id: string): Promise<void>;
  revokeByGrantId(grant: string): Promise<void>;
}

export interface AdapterOptions {
  readonly models: Models;
  /** Metadata of a client, or undefined. */
  readonly client: (id: string) => Promise<Payload | undefined>;
  /** Told of every access token that ended before its time. */
  readonly revoked: (kind: 'token' | 'grant', value: string, until: number) => Promise<void>;
  /** Told of a grant of which a code or a refresh token came a second time. */
  readonly reused: (grant: string) => Promise<void>;
}

/**
 * True while a session is saved that came from the store. It is kept only if it is there still: what was ended
 * meanwhile, by whoever read it a moment before, must not be kept anew.
 */
export const ofKeptSession = new AsyncLocalStorage<true>();

/** Seconds that something without a time of its own is kept. */
const LONGEST = 365 * 86_400;
/** A JWT is presented under a handle that only this process can make. */
const HANDLE_KEY = randomBytes(32);
/** Models of which a second one under the same name is a replay. */
const ONCE: ReadonlySet<string> = new Set(['ReplayDetection']);
/** Models whose documents end with their grant. */
const ACCESS_TOKENS = ['AccessToken', 'ClientCredentials'] as const;

/**
 * Promises what `oidc-provider` alone does not: that a code, a pushed request and a refresh token is consumed once,
 * and a proof seen once, however many processes look at the same moment.
 */
export function createAdapter(
  model: string,
  { models, client, revoked, reused }: AdapterOptions,
): ModelAdapter {
  if (model === 'Client') return clientAdapter(client);
  const jwt = (ACCESS_TOKENS as readonly string[]).includes(model);
  return {
    upsert: async (id, payload, seconds = LONGEST) => {
      const { grantId, uid, accountId, sessionUid } = payload;
      const links = {
        grant: text(grantId),
        uid: text(model === 'Session' ? uid : sessionUid),
        account: text(accountId),
      };
      const where = model === 'Session' && ofKeptSession.getStore() === true ? 'there already' : 'anywhere';
      if (!ONCE.has(model)) return models.put(model, id, payload, Math.max(1, seconds), links, where);
      if (!(await models.add(model, id, payload, Math.max(1, seconds), links))) {
        throw new errors.InvalidRequest('used before');
      }
    },
    find: async (id) => {
      const jti = jwt ? jtiOf(id) : undefined;
      const found = await models.get(model, jti ?? id);
      if (found === undefined) return undefined;
      // What is known of a JWT by its `jti`, which is no secret, is found by its handle only.
      if ((found.payload.structured === true) !== (jti !== undefined)) return undefined;
      return found.consumed === undefined ? found.payload : { ...found.payload, consumed: found.consumed };
    },
    // Two for a moment, while a session gets another id: the one of the later sign-in.
    findByUid: async (uid) =>
      (await models.linked(model, 'uid', uid))
        .map(({ payload }) => payload)
        .sort((a, b) => (number(b.loginTs) ?? 0) - (number(a.loginTs) ?? 0) || madeAt(b) - madeAt(a))
        .at(0),
    findByUserCode: async () => undefined,
    consume: async (id) => {
      if (await models.consume(model, id)) return;
      const grant = text((await models.get(model, id))?.payload.grantId);
      if (grant !== undefined) await reused(grant);
      throw new errors.InvalidGrant('used before');
    },
    destroy: async (id) => {
      if (jwt) {
        const found = await models.get(model, id);
        const until = number(found?.payload.exp);
        if (until !== undefined) await revoked('token', id, until);
      }
      await models.remove(model, id);
    },
    revokeByGrantId: async (grant) => {
      if (jwt) {
        const live = await models.linked(model, 'grant', grant);
        const until = Math.max(0, ...live.map(({ payload }) => number(payload.exp) ?? 0));
        if (until > 0) await revoked('grant', grant, until);
      }
      await models.removeLinked(model, 'grant', grant);
    },
  };
}

/** The name under which a JWT of this issuer, verified by the caller, is found while this process runs. */
export function handleOf(jti: string): string {
  return `~${jti}~${macOf(jti)}`;
}

function jtiOf(handle: string): string | undefined {
  const match = /^~([\w-]+)~([\w-]{43})$/.exec(handle);
  const [, jti, mac] = match ?? [];
  if (jti === undefined || mac === undefined) return undefined;
  return timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(jti))) ? jti : undefined;
}

function macOf(jti: string): string {
  return createHmac('sha256', HANDLE_KEY).update(jti).digest('base64url');
}

function clientAdapter(client: AdapterOptions['client']): ModelAdapter {
  const never = async () => {
    throw new errors.InvalidRequest('clients are not made here');
  };
  return {
    upsert: never,
    find: client,
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: never,
    destroy: never,
    revokeByGrantId: never,
  };
}

const madeAt = (payload: Payload): number => number(payload.iat) ?? 0;

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
