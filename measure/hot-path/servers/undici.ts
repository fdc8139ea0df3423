import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { type Dispatcher, Pool } from 'undici';
import { listen, serverSettings } from './listen.ts';

/**
 * The least that passes a request through with undici, streaming with back-pressure: no check, no
 * header is touched but those that HTTP/2 forbids (RFC 9113 §8.2.2). This is the yardstick.
 */
const settings = serverSettings();
const pool = new Pool(`http://${settings.backEnd.host}:${settings.backEnd.port}`, { connections: 64 });

listen(settings, (request, response) => {
  const http2 = request.httpVersionMajor === 2;
  pool.dispatch(
    {
      method: (request.method ?? 'GET') as Dispatcher.HttpMethod,
      path: request.url ?? '/',
      headers: http2 ? withoutPseudo(request as Http2ServerRequest) : (request as IncomingMessage).rawHeaders,
      body: request.method === 'GET' || request.method === 'HEAD' ? null : request,
    },
    new PassThrough(response as ServerResponse, http2),
  );
});

class PassThrough implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;
  readonly #http2: boolean;

  constructor(response: ServerResponse, http2: boolean) {
    this.#response = response;
    this.#http2 = http2;
  }

  onRequestStart(): void {}

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#http2) {
      delete headers.connection;
      delete headers['keep-alive'];
      delete headers['transfer-encoding'];
    }
    this.#response.writeHead(status, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const response = this.#response;
    if (response.write(chunk)) return;
    // A client that is gone never drains: its back-end connection would stay paused, and the pool run dry.
    const gone = (): void => controller.abort(new Error('the client is gone'));
    if (
      response.destroyed ||
      (this.#http2 && (response as unknown as Http2ServerResponse).stream.destroyed)
    ) {
      gone();
      return;
    }
    controller.pause();
    response.once('close', gone);
    response.once('drain', () => {
      response.off('close', gone);
      controller.resume();
    });
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(): void {
    if (this.#response.headersSent) this.#response.destroy();
    else this.#response.writeHead(502).end();
  }
}

function withoutPseudo(request: Http2ServerRequest): Record<string, string | string[] | undefined> {
  const headers: Record<string, string | string[] | undefined> = {};
  for (const name in request.headers) if (name[0] !== ':') headers[name] = request.headers[name];
  headers.host ??= request.authority;
  return headers;
}
