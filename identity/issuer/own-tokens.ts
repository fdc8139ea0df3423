import { importJWK, jwtVerify } from 'jose';
import type { SigningJwk } from './keys.ts';
import type { IssuerParts } from './parts.ts';

/** What a token of this issuer says, for an interface of the issuer itself. */
export interface OwnToken {
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly audience: string;
  readonly acr: string | undefined;
}

/** Claims of a JWT access token that this issuer signed; undefined for anything else. */
export async function verifyOwn(token: string, issuer: string, keys: readonly SigningJwk[]) {
  try {
    const { payload } = await jwtVerify(
      token,
      async ({ kid }) => {
        const known = keys.find((key) => key.kid === kid);
        if (known === undefined) throw new TypeError('unknown key');
        const { d: _, ...jwk } = known;
        return importJWK(jwk, 'ES256');
      },
      { issuer, algorithms: ['ES256'], typ: 'at+jwt' },
    );
    return payload;
  } catch {
    return undefined;
  }
}

/**
 * The token of `Authorization: Bearer`, if it was not revoked and its client is still one. One that is bound to a key is not taken: nobody checks
 * here that its sender has the key. Rejects with `state-unavailable` only.
 */
export async function ownToken(
  parts: IssuerParts,
  keys: readonly SigningJwk[],
  authorization: string | undefined,
): Promise<OwnToken | undefined> {
  const [, token] = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '') ?? [];
  const payload = token === undefined ? undefined : await verifyOwn(token, parts.settings.issuer, keys);
  const { jti, sub, aud, scope, cnf, acr, client_id: client } = payload ?? {};
  if (jti === undefined || sub === undefined || typeof aud !== 'string' || typeof scope !== 'string')
    return undefined;
  if (cnf !== undefined) return undefined;
  const live =
    (await parts.models.get('AccessToken', jti)) ?? (await parts.models.get('ClientCredentials', jti));
  if (live === undefined || (await parts.clients.find(String(client))) === undefined) return undefined;
  return {
    subject: sub,
    scopes: scope.split(' '),
    audience: aud,
    acr: typeof acr === 'string' ? acr : undefined,
  };
}
