import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import type { SecureVersion } from 'node:tls';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Names and values as they came, in order. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly text: string;
}

export interface Ask {
  readonly url: string;
  readonly authority: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly token?: string | undefined;
  readonly maxVersion?: SecureVersion;
  /** The client's own certificate, PEM. */
  readonly certificate?: { readonly certificatePem: string; readonly keyPem: string } | undefined;
}

/**
 * One HTTP/1.1 request over TLS, verified against `authority` (PEM), always to the loopback address
 * whatever the name in the URL: `*.localhost` is not resolved everywhere.
 */
export function ask(options: Ask): Promise<Reply> {
  const url = new URL(options.url);
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const outgoing = request(
    {
      host: '127.0.0.1',
      port: url.port === '' ? 443 : Number(url.port),
      servername: url.hostname,
      // As written: a URL parser would tidy up just what some tests are about.
      path: options.url.slice(url.origin.length) || '/',
      method: options.method ?? 'GET',
      ca: options.authority,
      agent: false,
      ...(options.certificate === undefined
        ? {}
        : { cert: options.certificate.certificatePem, key: options.certificate.keyPem }),
      ...(options.maxVersion === undefined
        ? {}
        : { maxVersion: options.maxVersion, minVersion: options.maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' }),
      headers: {
        host: url.host,
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...(options.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(options.body)) }),
        ...options.headers,
      },
    },
    (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        const body = Buffer.concat(chunks);
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          rawHeaders: incoming.rawHeaders,
          body,
          text: body.toString('utf8'),
        });
      });
    },
  );
  outgoing.once('error', reject);
  outgoing.end(options.body);
  return promise;
}
