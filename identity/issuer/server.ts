import { timingSafeEqual } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Provider } from 'oidc-provider';
import { ChartgateError } from '../../contracts/errors.ts';
import {
  INTERNAL_PREFIX,
  ISSUER_KEY_HEADER,
  issuerKey,
  REVOCATIONS_PATH,
  SMART_CONFIGURATION_PATH,
} from '../../contracts/issuer-link.ts';
import { hashOf } from '../lengths.ts';
import { answerAccount, isAccount } from './account/index.ts';
import type { RevocationFeed } from './feed.ts';
import { answerInteraction, isInteraction, send } from './interactions/index.ts';
import type { SigningJwk } from './keys.ts';
import { answerLaunch, type PlainAnswer } from './launch-endpoint.ts';
import { type OwnToken, ownToken } from './own-tokens.ts';
import type { IssuerParts } from './parts.ts';
import { smartConfiguration } from './smart/configuration.ts';

/** Bytes. */
const LARGEST_BODY = 64 * 1024;
const LARGEST_HEADERS = 32 * 1024;

/** What the issuer is at this moment: another set of keys is another provider. */
export interface Standing {
  readonly provider: Provider;
  readonly callback: RequestListener;
  readonly signing: readonly SigningJwk[];
}

/** An interface that is mounted below `/admin/`. */
export type AdminHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  about: AdminAsked,
) => Promise<void>;
export interface AdminAsked {
  readonly url: URL;
  readonly requestId: string;
  readonly source: string;
  /** The token that came along, if it is a good one of this issuer. */
  readonly caller: OwnToken | undefined;
}

export interface ServerOptions {
  readonly parts: IssuerParts;
  readonly feed: RevocationFeed;
  readonly standing: () => Standing;
  readonly admin: AdminHandler | undefined;
}

/**
 * The issuer's HTTP server. It believes what the gateway says of the client, and only who knows the shared secret is
 * the gateway: that is looked at before anything else of a request.
 */
export function createIssuerServer(options: ServerOptions): Server {
  const expected = Buffer.from(hashOf(issuerKey(options.parts.settings.secret.reveal())));
  const server = createServer(
    {
      maxHeaderSize: LARGEST_HEADERS,
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 65_000,
    },
    (request, response) => {
      const key = request.headers[ISSUER_KEY_HEADER];
      const sent = Buffer.from(hashOf(typeof key === 'string' ? key : ''));
      if (!timingSafeEqual(sent, expected)) {
        options.parts.log('refused-without-key');
        response.writeHead(404, { connection: 'close', 'content-length': '0' }).end();
        return;
      }
      // Not for whoever comes after this file.
      delete request.headers[ISSUER_KEY_HEADER];
      answer(options, request, response).catch((error: unknown) => failed(options, request, response, error));
    },
  );
  // The feed stays open; its requests have come in whole.
  server.timeout = 0;
  return server;
}

async function answer(
  options: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { parts, feed, standing, admin } = options;
  const { provider, callback, signing } = standing();
  const url = URL.parse(request.url ?? '/', parts.settings.issuer);
  const requestId = idOf(request);
  if (url === null || url.origin !== parts.settings.issuer) {
    return send(response, 400, parts.pages.error({ kind: 'bad-request', requestId }));
  }
  const { pathname } = url;
  // The last one is what the gateway wrote; there is only one.
  const source = String(request.headers['x-forwarded-for'] ?? '');
  if (pathname.startsWith(INTERNAL_PREFIX)) {
    if (source !== '' || request.method !== 'GET') return notFound(response);
    if (pathname === REVOCATIONS_PATH) return feed.follow(response, lastEventId(request));
    return notFound(response);
  }
  if (isInteraction(pathname)) {
    return answerInteraction(parts, provider, { request, response, url, source, requestId });
  }
  if (isAccount(pathname)) {
    return answerAccount(parts, provider, { request, response, url, source, requestId });
  }
  if (pathname.startsWith('/assets/')) return asset(parts, request, response, pathname);
  if (pathname === SMART_CONFIGURATION_PATH && request.method === 'GET') {
    return json(response, {
      status: 200,
      headers: { 'access-control-allow-origin': '*', 'cache-control': 'public, max-age=300' },
      body: smartConfiguration(parts.settings, (name) => provider.pathFor(name)),
    });
  }
  if (pathname === '/launch' && request.method === 'POST') {
    const body = await bodyOf(request);
    if (body === undefined) return json(response, { status: 413 });
    return json(response, await answerLaunch(parts, signing, request.headers.authorization, body));
  }
  if (admin !== undefined && (pathname === '/admin' || pathname.startsWith('/admin/'))) {
    const caller = await ownToken(parts, signing, request.headers.authorization);
    return admin(request, response, { url, requestId, source, caller });
  }
  callback(request, response);
}

function failed(
  { parts }: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
): void {
  const requestId = idOf(request);
  const down = error instanceof ChartgateError && error.code === 'state-unavailable';
  parts.log(down ? 'state-unavailable' : 'failed', {
    requestId,
    why: error instanceof ChartgateError ? error.message : error instanceof Error ? error.name : 'unknown',
  });
  if (response.headersSent) return void response.destroy();
  if (down) send(response, 503, parts.pages.unavailable(requestId), { 'retry-after': '5' });
  else send(response, 500, parts.pages.error({ kind: 'failed', requestId }));
}

function asset(parts: IssuerParts, request: IncomingMessage, response: ServerResponse, path: string): void {
  const found = request.method === 'GET' || request.method === 'HEAD' ? parts.pages.asset(path) : undefined;
  if (found === undefined) {
    notFound(response);
    return;
  }
  response.writeHead(200, {
    ...found.headers,
    'content-type': found.type,
    'content-length': String(found.body.length),
  });
  response.end(request.method === 'HEAD' ? undefined : found.body);
}

function json(response: ServerResponse, { status, headers = {}, body }: PlainAnswer): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    'cache-control': 'no-store',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
    'content-length': String(Buffer.byteLength(text)),
  });
  response.end(text);
}

function notFound(response: ServerResponse): void {
  response.writeHead(404, { 'content-length': '0' }).end();
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LARGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function idOf(request: IncomingMessage): string {
  const id = request.headers['x-request-id'];
  return typeof id === 'string' && /^[\w-]{1,64}$/.test(id) ? id : 'unknown';
}

function lastEventId(request: IncomingMessage): string | undefined {
  const id = request.headers['last-event-id'];
  return typeof id === 'string' && /^\d{15}-[0-9a-f]{18}$/.test(id) ? id : undefined;
}
