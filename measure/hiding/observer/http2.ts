import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Answer, Client, Request } from './answer.ts';
import type { Site } from './messages.ts';
import { Tap } from './tap.ts';

/** One HTTP/2 connection. Requests may also be made together on it. */
export class Http2Client implements Client {
  readonly #site: Site;
  readonly #session: ClientHttp2Session;
  readonly tap: Tap | undefined;

  private constructor(site: Site, session: ClientHttp2Session, tap: Tap | undefined) {
    this.#site = site;
    this.#session = session;
    this.tap = tap;
    session.on('error', () => {});
  }

  static async open(site: Site, tapped: boolean): Promise<Http2Client> {
    const tcp = connectTcp({ host: '127.0.0.1', port: site.port, noDelay: true });
    const tap = tapped ? new Tap(tcp) : undefined;
    const socket = connectTls({
      // Any stream will do; the types know only of sockets.
      socket: (tap ?? tcp) as Socket,
      servername: site.host.split(':', 1)[0] ?? '',
      ca: site.authority,
      ALPNProtocols: ['h2'],
    });
    await once(socket, 'secureConnect');
    const session = connect(`https://${site.host}`, { createConnection: () => socket });
    if (session.connecting) await once(session, 'connect');
    return new Http2Client(site, session, tap);
  }

  ask(request: Request): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const sentAt = performance.now();
    const stream = this.#session.request(
      {
        ':method': request.verb,
        ':path': request.path,
        ':scheme': 'https',
        ':authority': this.#site.host,
        authorization: `Bearer ${this.#site.token}`,
        ...request.headers,
      },
      { endStream: request.body === undefined },
    );
    let head = '';
    let status = 0;
    let firstAt = 0;
    let lastAt = 0;
    let pieces = 0;
    const chunks: Buffer[] = [];
    stream.once('response', (headers) => {
      firstAt = performance.now();
      lastAt = firstAt;
      pieces += 1;
      status = Number(headers[':status'] ?? 0);
      head = Object.entries(headers)
        .map(([name, value]) => `${name}: ${String(value)}\r\n`)
        .join('');
    });
    stream.on('data', (chunk: Buffer) => {
      pieces += 1;
      chunks.push(chunk);
    });
    stream.once('end', () => {
      lastAt = performance.now();
    });
    stream.once('error', reject);
    stream.once('close', () => {
      const body = Buffer.concat(chunks);
      if (status === 0) reject(new Error(`the stream closed without an answer to ${request.path}`));
      else
        resolve({
          status,
          head: `${head}stream: closed with ${stream.rstCode}\r\n`,
          body,
          sentAt,
          firstAt,
          lastAt,
          pieces,
          closed: this.#session.closed,
        });
    });
    if (request.body !== undefined) stream.end(request.body);
    return promise;
  }

  close(): void {
    this.#session.destroy();
  }
}
