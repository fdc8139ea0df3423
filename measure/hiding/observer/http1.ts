import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Answer, Client, Request } from './answer.ts';
import type { Site } from './messages.ts';
import { Tap } from './tap.ts';

const PATIENCE_MS = 20_000;

/** Bytes of a request, written at once. */
function bytesOf(site: Site, { verb, path, headers, body }: Request): Buffer {
  const lines = [
    `${verb} ${path} HTTP/1.1`,
    `host: ${site.host}`,
    ...(site.token === '' ? [] : [`authorization: Bearer ${site.token}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? [] : [`content-length: ${Buffer.byteLength(body)}`]),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
}

/** A raw connection that speaks HTTP/1.1 over TLS, or plainly to a back end. */
export class Http1Client implements Client {
  readonly #site: Site;
  readonly #socket: Socket;
  readonly tap: Tap | undefined;
  #waiting: ((chunk: Buffer | undefined) => void) | undefined;
  #ended = false;

  private constructor(site: Site, socket: Socket, tap: Tap | undefined) {
    this.#site = site;
    this.#socket = socket;
    this.tap = tap;
    socket.on('data', (chunk: Buffer) => this.#waiting?.(chunk));
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#ended = true;
      this.#waiting?.(undefined);
    });
  }

  static async open(site: Site, tapped: boolean): Promise<Http1Client> {
    const { promise, resolve, reject } = Promise.withResolvers<Http1Client>();
    const tcp = connectTcp({ host: '127.0.0.1', port: site.port, noDelay: true });
    tcp.once('error', reject);
    const tap = tapped && site.kind === 'gateway' ? new Tap(tcp) : undefined;
    const socket =
      site.kind === 'back-end'
        ? tcp
        : connectTls({
            // Any stream will do; the types know only of sockets.
            socket: (tap ?? tcp) as Socket,
            servername: site.host.split(':', 1)[0] ?? '',
            ca: site.authority,
            ALPNProtocols: ['http/1.1'],
          });
    socket.once('error', reject);
    socket.once(site.kind === 'back-end' ? 'connect' : 'secureConnect', () =>
      resolve(new Http1Client(site, socket, tap)),
    );
    return promise;
  }

  ask(request: Request): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const headless = request.verb === 'HEAD';
    let bytes: Buffer = Buffer.alloc(0);
    let bodyAt = -1;
    let length = 0;
    let firstAt = 0;
    let pieces = 0;
    const patience = setTimeout(
      () => reject(new Error(`no answer to ${request.verb} ${request.path}`)),
      PATIENCE_MS,
    );
    const done = (closed: boolean) => {
      const lastAt = performance.now();
      clearTimeout(patience);
      this.#waiting = undefined;
      const head = bytes.toString('latin1', 0, Math.max(0, bodyAt));
      resolve({
        status: Number(head.slice(9, 12)),
        head,
        body: bytes.subarray(bodyAt),
        sentAt,
        firstAt,
        lastAt,
        pieces,
        closed: closed || /\r\nconnection: close\r\n/i.test(head),
      });
    };
    this.#waiting = (chunk) => {
      if (chunk === undefined) {
        if (bodyAt >= 0) done(true);
        else {
          clearTimeout(patience);
          reject(new Error(`closed without an answer to ${request.verb} ${request.path}`));
        }
        return;
      }
      if (firstAt === 0) firstAt = performance.now();
      pieces += 1;
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      if (bodyAt < 0) {
        const end = bytes.indexOf('\r\n\r\n');
        if (end < 0) return;
        bodyAt = end + 4;
        const head = bytes.toString('latin1', 0, bodyAt);
        const status = head.slice(9, 12);
        length =
          headless || status === '204' || status === '304'
            ? 0
            : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      }
      if (bytes.length - bodyAt >= length) done(this.#ended);
    };
    const sentAt = performance.now();
    this.#socket.write(bytesOf(this.#site, request));
    return promise;
  }

  close(): void {
    this.#socket.destroy();
  }
}
