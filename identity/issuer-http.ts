import { channel } from 'node:diagnostics_channel';
import { Agent, fetch } from 'undici';
import { ChartgateError } from '../contracts/errors.ts';
import { CHANNELS, type IssuerEvent } from '../contracts/events.ts';
import { ISSUER_KEY_HEADER, issuerKey } from '../contracts/issuer-link.ts';
import type { Secret } from '../contracts/settings.ts';
import { type JsonObject, parseJsonObject } from './json.ts';

/** Milliseconds until an issuer must have answered completely. */
export const ISSUER_TIMEOUT_MS = 2000;
/** Bytes; metadata, key sets and introspection answers are far smaller. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** The one way to an issuer: HTTPS, its own authority, no redirects, bounded in time and size. */
export interface IssuerHttp {
  /** `fetch` in the form that `openid-client` takes for its own requests. */
  fetch(url: string, options: object): Promise<Response>;
  /** @throws ChartgateError `backend-unavailable` when there is no such answer */
  getJson(url: string): Promise<JsonObject>;
  close(): void;
}

/** The embedded issuer, which is asked over a Unix socket of this machine. */
export interface EmbeddedIssuer {
  /** The issuer's URL; nothing of another origin is asked over the socket. */
  readonly issuer: string;
  readonly socket: string;
  readonly secret: Secret;
}

const answers = channel(CHANNELS.issuer);

/**
 * @param name the issuer's id in the settings, for whoever counts
 * @param authority PEM of the authority of the issuer's certificate; the system's when undefined
 * @param embedded where it is the embedded issuer: then over its socket, and to nobody else
 */
export function createIssuerHttp(
  name: string,
  authority: Buffer | undefined,
  embedded?: EmbeddedIssuer,
): IssuerHttp {
  function tell(ok: boolean): void {
    if (answers.hasSubscribers) answers.publish({ issuer: name, ok } satisfies IssuerEvent);
  }

  const dispatcher = new Agent({
    connections: 16,
    allowH2: false,
    headersTimeout: ISSUER_TIMEOUT_MS,
    bodyTimeout: ISSUER_TIMEOUT_MS,
    maxResponseSize: MAX_ANSWER_BYTES,
    connect: {
      timeout: ISSUER_TIMEOUT_MS,
      ...(embedded === undefined ? { minVersion: 'TLSv1.2' } : { socketPath: embedded.socket }),
      ...(authority === undefined ? {} : { ca: authority }),
    },
  });

  async function boundFetch(url: string, options: object): Promise<Response> {
    if (!url.startsWith('https://'))
      throw new ChartgateError('backend-unavailable', 'an issuer is asked over https only');
    const where = embedded === undefined ? { url, ...options } : overSocket(embedded, url, options);
    // undici's Response is the same interface as the platform's, declared apart.
    try {
      const response = await fetch(where.url, { ...where, redirect: 'manual', dispatcher });
      tell(response.status < 500);
      return response as unknown as Response;
    } catch (error) {
      tell(false);
      throw error;
    }
  }

  return {
    fetch: boundFetch,
    getJson: async (url) => {
      const response = await boundFetch(url, {
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(ISSUER_TIMEOUT_MS),
      });
      const bytes = new Uint8Array(await response.arrayBuffer());
      const json = response.status === 200 ? parseJsonObject(bytes) : undefined;
      if (json === undefined)
        throw new ChartgateError('backend-unavailable', 'the issuer answered no JSON object');
      return json;
    },
    close: () => void dispatcher.destroy(),
  };
}

/** Plain HTTP over the socket, in the words by which the issuer knows the gateway (contracts/issuer-link.ts). */
function overSocket(
  { issuer, secret }: EmbeddedIssuer,
  url: string,
  options: { readonly headers?: unknown },
): { readonly url: string; readonly headers: Headers } {
  const { origin, host } = new URL(issuer);
  const target = new URL(url);
  if (target.origin !== origin)
    throw new ChartgateError(
      'backend-unavailable',
      'the embedded issuer named an address that is not its own',
    );
  target.protocol = 'http:';
  const headers = new Headers(options.headers as ConstructorParameters<typeof Headers>[0]);
  headers.set(ISSUER_KEY_HEADER, issuerKey(secret.reveal()));
  headers.set('x-forwarded-proto', 'https');
  headers.set('x-forwarded-host', host);
  return { ...options, url: target.href, headers };
}
