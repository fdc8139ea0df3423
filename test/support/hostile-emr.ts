import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** A request as it reached the back end, whose answer is up to the test. */
export interface Received {
  readonly socket: Socket;
  readonly method: string;
  readonly target: string;
  readonly head: string;
  /** Every byte after the head, as far as it has come. */
  body(): Buffer;
  /** Resolves once a body of this many bytes is here. */
  bytes(count: number): Promise<void>;
}

export type Script = (request: Received) => void;

/**
 * A back end that answers bytes, right or wrong, as the request's `x-script` names them. What follows the
 * head of a request that has a body counts as its body.
 */
export class HostileEmr {
  readonly #server: Server;
  readonly #scripts: Readonly<Record<string, Script>>;
  readonly #sockets = new Set<Socket>();
  readonly requests: Received[] = [];

  constructor(scripts: Readonly<Record<string, Script>>, tls?: TlsOptions) {
    this.#scripts = scripts;
    const accept = (socket: Socket) => this.#accept(socket);
    this.#server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept);
  }

  get connections(): number {
    return this.#sockets.size;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    let before = Buffer.alloc(0);
    let body: Buffer[] | undefined;
    let length = 0;
    let wake: (() => void)[] = [];
    const take = (chunk: Buffer) => {
      if (body !== undefined) {
        body.push(chunk);
        length += chunk.length;
        const waiting = wake;
        wake = [];
        for (const each of waiting) each();
        return;
      }
      before = Buffer.concat([before, chunk]);
      const end = before.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = before.toString('latin1', 0, end);
      const rest = before.subarray(end + 4);
      before = Buffer.alloc(0);
      // Only a request that has one may be followed by bytes of its own; else the next request follows.
      const has = /\r\n(?:content-length: [1-9]|transfer-encoding:|upgrade:)/i.test(head);
      const parts = has ? [rest] : [];
      body = has ? parts : undefined;
      length = has ? rest.length : 0;
      const [method = '', target = ''] = head.split(' ', 2);
      const name = /\r\nx-script: ([a-z0-9-]+)/i.exec(head)?.[1] ?? 'fine';
      const received: Received = {
        socket,
        method,
        target,
        head,
        body: () => Buffer.concat(parts),
        async bytes(count) {
          while (length < count) await new Promise<void>((resolve) => wake.push(resolve));
        },
      };
      this.requests.push(received);
      this.#scripts[name]?.(received);
    };
    socket.on('data', take);
  }
}

/** A script that writes these bytes, and then closes the connection unless told otherwise. */
export function bytes(text: string | Buffer, then: 'end' | 'reset' | 'stay' = 'end'): Script {
  return ({ socket }) => {
    socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text, () => {
      if (then === 'end') socket.end();
      else if (then === 'reset') socket.resetAndDestroy();
    });
  };
}
