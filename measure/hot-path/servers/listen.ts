import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createServer } from 'node:https';

export interface ServerSettings {
  readonly certificate: string;
  readonly key: string;
  readonly http1Port: number;
  readonly http2Port: number;
  readonly backEnd: { readonly host: string; readonly port: number };
  /** The file of the body that the server that answers by itself sends. */
  readonly bodyFile: string;
}

export type Handler = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => void;

/** The settings come as one JSON argument from the measurement that starts these servers. */
export function serverSettings(): ServerSettings {
  return JSON.parse(process.argv[2] ?? '{}') as ServerSettings;
}

/** The same handler on two ports: `https.createServer`, as most use it, and HTTP/2. */
export function listen(settings: ServerSettings, handler: Handler): void {
  const tls = {
    cert: readFileSync(settings.certificate),
    key: readFileSync(settings.key),
    minVersion: 'TLSv1.3' as const,
  };
  const http2 = createSecureServer({ ...tls, allowHTTP1: true }, handler);
  http2.listen(settings.http2Port, '127.0.0.1');
  const http1 = createServer({ ...tls, keepAliveTimeout: 0 }, handler);
  // The last to listen is the one that the measurement waits for.
  http2.once('listening', () => http1.listen(settings.http1Port, '127.0.0.1'));
}
