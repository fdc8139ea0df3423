import type { IncomingMessage } from 'node:http';
import type { ProviderContext } from 'oidc-provider';
import { handleOf } from './adapter.ts';
import type { SigningJwk } from './keys.ts';
import { verifyOwn } from './own-tokens.ts';
import type { IssuerParts } from './parts.ts';
import { isPlainScope, narrowerThan } from './smart/scopes.ts';

/** Bytes of a form; what `oidc-provider` takes. */
const LARGEST_FORM = 56 * 1024;

export interface RequestPaths {
  readonly authorization: string;
  readonly pushed: string;
  readonly introspection: string;
  readonly revocation: string;
}

/**
 * Says in OpenID Connect's words what SMART apps say in theirs, before `oidc-provider` sees the request: `aud` becomes
 * `resource`, offline access asks for consent, and broad scopes bring narrower ones along. A JWT that is to be
 * introspected or revoked is verified here and given on under its handle.
 */
export function requestRewriter(parts: IssuerParts, keys: readonly SigningJwk[], paths: RequestPaths) {
  return async (context: ProviderContext, next: () => Promise<void>): Promise<void> => {
    const { method, path } = context;
    if (path === paths.authorization && method === 'GET') {
      const [address = '', query = ''] = split(context.url);
      const params = await authorization(parts, new URLSearchParams(query));
      if (params !== undefined) context.url = `${address}?${params}`;
    } else if (method === 'POST' && path === paths.pushed) {
      const form = await formOf(context.req);
      context.req.body = ((await authorization(parts, form)) ?? form).toString();
    } else if (method === 'POST' && (path === paths.introspection || path === paths.revocation)) {
      const form = await formOf(context.req);
      const [token, ...more] = form.getAll('token');
      if (token !== undefined && more.length === 0 && token.split('.').length === 3) {
        form.set('token', await handleFor(token, parts.settings.issuer, keys));
        form.delete('token_type_hint');
      }
      context.req.body = form.toString();
    }
    await next();
  };
}

/** Undefined when nothing is to be changed. */
async function authorization(
  parts: IssuerParts,
  params: URLSearchParams,
): Promise<URLSearchParams | undefined> {
  const client = params.get('client_id');
  const known = client === null ? undefined : await parts.clients.find(client);
  if (known === undefined) return undefined;
  const [aud] = params.getAll('aud');
  if (aud !== undefined && !params.has('resource')) {
    // Not one of its tenants: as it is, so that it is refused as a resource (RFC 8707 §2, SMART "aud").
    params.set('resource', parts.clients.tenantFor(known, aud)?.audience ?? aud);
  }
  params.delete('aud');
  const scopes = (params.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
  const wider = new Set(scopes.flatMap((scope) => [scope, ...narrowerThan(scope)]));
  const asked = [...wider].filter((scope) => isPlainScope(scope) || parts.clients.mayAsk(known, scope));
  if (scopes.length > 0) params.set('scope', asked.join(' '));
  if (known.kind === 'app' && scopes.includes('offline_access') && !params.has('prompt')) {
    params.set('prompt', 'consent');
  }
  return params;
}

/** A handle that finds nothing when the token is not this issuer's. */
async function handleFor(token: string, issuer: string, keys: readonly SigningJwk[]): Promise<string> {
  return handleOf((await verifyOwn(token, issuer, keys))?.jti ?? '');
}

function split(url: string): readonly [string, string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
}

/** An empty form for one that is too large or no form: what is missing then is refused. */
async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LARGEST_FORM) return new URLSearchParams();
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString());
}
