import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type CryptoKey, type JWTPayload, jwtVerify } from 'jose';

/** What the provider stores under an id, and until when (milliseconds since the epoch). */
interface Stored {
  readonly payload: Record<string, unknown>;
  readonly until: number;
}

/**
 * The provider's storage, in memory, and the record of revoked JWTs.
 *
 * `oidc-provider` keeps nothing about an access token in JWT form and refuses to introspect or revoke
 * one ("Structured JWT Tokens cannot be introspected"). The demo's gateway asks about JWTs, as many
 * commercial issuers allow. So a JWT that arrives at those endpoints is verified here, stored under a
 * random handle, and the provider is given the handle in its place: client authentication, permission
 * and answer stay the provider's own. Revoking the handle remembers the JWT's `jti`.
 */
export class TokenStore {
  readonly #stored = new Map<string, Map<string, Stored>>();
  readonly #revoked = new Map<string, number>();
  readonly #handles = new Map<string, { readonly jti: string; readonly until: number }>();

  /** The storage of one of the provider's models, in the form `oidc-provider` asks for. */
  adapter(model: string) {
    const stored = this.#stored.get(model) ?? new Map<string, Stored>();
    this.#stored.set(model, stored);
    const findBy = (key: string) => async (value: string) => {
      for (const entry of stored.values()) if (entry.payload[key] === value) return entry.payload;
      return undefined;
    };
    return {
      upsert: async (id: string, payload: Record<string, unknown>, seconds?: number) => {
        sweep(stored);
        stored.set(id, { payload, until: seconds === undefined ? Infinity : Date.now() + seconds * 1000 });
      },
      find: async (id: string) => stored.get(id)?.payload,
      findByUid: findBy('uid'),
      findByUserCode: findBy('userCode'),
      consume: async (id: string) => {
        const entry = stored.get(id);
        if (entry !== undefined) entry.payload.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id: string) => {
        stored.delete(id);
        const handle = this.#handles.get(id);
        if (handle !== undefined) this.#revoked.set(handle.jti, handle.until);
      },
      revokeByGrantId: async (grant: string) => {
        for (const [id, entry] of stored) if (entry.payload.grantId === grant) stored.delete(id);
      },
    };
  }

  /** The handle under which the provider finds what the JWT says; one that it cannot find when the JWT is not good. */
  async handleFor(token: string, key: CryptoKey, issuer: string): Promise<string> {
    const handle = randomBytes(32).toString('base64url');
    const claims = await verify(token, key, issuer);
    sweep(this.#revoked);
    sweep(this.#handles);
    if (claims === undefined || this.#revoked.has(claims.jti)) return handle;
    const { jti, exp, iat, aud, scope, client_id: clientId, sub, patient } = claims;
    const until = exp * 1000;
    this.#handles.set(handle, { jti, until });
    const payload = {
      kind: 'ClientCredentials',
      jti: handle,
      exp,
      iat,
      aud,
      scope,
      clientId,
      extra: { sub, patient },
    };
    await this.adapter('ClientCredentials').upsert(handle, payload, exp - Date.now() / 1000);
    return handle;
  }
}

type Claims = JWTPayload & { readonly jti: string; readonly exp: number };

async function verify(token: string, key: CryptoKey, issuer: string): Promise<Claims | undefined> {
  try {
    const { payload } = await jwtVerify(token, key, { algorithms: ['ES256'], typ: 'at+jwt', issuer });
    return typeof payload.jti === 'string' && payload.exp !== undefined ? (payload as Claims) : undefined;
  } catch {
    return undefined;
  }
}

function sweep(map: Map<string, number | { readonly until: number }>): void {
  const now = Date.now();
  for (const [key, value] of map)
    if ((typeof value === 'number' ? value : value.until) < now) map.delete(key);
}

const LARGEST_FORM = 56 * 1024;

/** Reads a form and gives its `token`, when it is one JWT, to `replace`. The text of the form that results. */
export async function replaceToken(
  request: IncomingMessage,
  replace: (token: string) => Promise<string>,
): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LARGEST_FORM) return '';
    chunks.push(chunk);
  }
  const form = new URLSearchParams(Buffer.concat(chunks).toString());
  const [token, ...others] = form.getAll('token');
  if (token !== undefined && others.length === 0 && token.split('.').length === 3) {
    form.set('token', await replace(token));
  }
  return form.toString();
}
