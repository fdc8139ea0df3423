import { Agent, fetch } from 'undici';
import { ChartgateError } from '../contracts/errors.ts';
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

/** @param authority PEM of the authority of the issuer's certificate; the system's when undefined */
export function createIssuerHttp(authority: Buffer | undefined): IssuerHttp {
  const dispatcher = new Agent({
    connections: 16,
    allowH2: false,
    headersTimeout: ISSUER_TIMEOUT_MS,
    bodyTimeout: ISSUER_TIMEOUT_MS,
    maxResponseSize: MAX_ANSWER_BYTES,
    connect: {
      timeout: ISSUER_TIMEOUT_MS,
      minVersion: 'TLSv1.2',
      ...(authority === undefined ? {} : { ca: authority }),
    },
  });

  async function boundFetch(url: string, options: object): Promise<Response> {
    if (!url.startsWith('https://'))
      throw new ChartgateError('backend-unavailable', 'an issuer is asked over https only');
    // undici's Response is the same interface as the platform's, declared apart.
    return (await fetch(url, { ...options, redirect: 'manual', dispatcher })) as unknown as Response;
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
