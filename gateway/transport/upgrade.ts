import type { ClientRequest, IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import httpProxy from 'http-proxy';
import type { Backend } from '../../tenant-router/index.ts';
import type { Ending } from '../pipeline/ending.ts';
import type { Exchange, Step } from '../pipeline/exchange.ts';
import { BackendAnswer } from './backend-answer.ts';
import { outgoingHeaders } from './outgoing-headers.ts';

/** What a `101` may carry back (RFC 6455 §4.2.2); anything else of the EMR's stays behind. */
const HANDSHAKE: ReadonlySet<string> = new Set([
  'upgrade',
  'connection',
  'sec-websocket-accept',
  'sec-websocket-protocol',
]);

/** An upgrade that the back end accepted; not a byte of it has reached the client yet. */
export class PendingTunnel {
  readonly open: () => void;
  /** Ends the back end's side: the client is not going to get it. */
  readonly abandon: () => void;

  constructor(open: () => void, abandon: () => void) {
    this.open = open;
    this.abandon = abandon;
  }
}

/**
 * Stands between the client's connection and `http-proxy`: what the proxy writes (the `101` first) waits
 * until the outcome is recorded, and nothing is read from the client before that.
 */
class Gate extends Duplex {
  readonly #socket: Duplex;
  #open = false;
  #waiting: (() => void) | undefined;

  constructor(socket: Duplex, head: Buffer) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    if (head.length > 0) socket.unshift(head);
    socket.once('close', () => this.destroy());
    socket.on('error', () => this.destroy());
  }

  release(): void {
    this.#open = true;
    this.#socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) this.#socket.pause();
    });
    this.#socket.once('end', () => this.push(null));
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  override _read(): void {
    if (this.#open) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const write = () => {
      if (this.#socket.destroyed) done(new Error('the client went away'));
      else if (this.#socket.write(chunk)) done();
      else this.#socket.once('drain', () => done());
    };
    if (this.#open) write();
    else this.#waiting = write;
  }

  override _final(done: () => void): void {
    if (this.#open) this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Before it is open, the connection still belongs to whoever answers the refusal.
    if (this.#open) this.#socket.destroy();
    done(error);
  }

  // `http-proxy` sets these on what it takes for a socket.
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  destroySoon(): void {
    this.end(() => this.destroy());
  }
}

const proxy = httpProxy.createProxyServer({
  ws: true,
  xfwd: false,
  changeOrigin: false,
  secure: true,
  prependPath: false,
});
/** What each upgrade under way is waiting for; `http-proxy` gives its events with the request only. */
const pending = new WeakMap<IncomingMessage, (request: ClientRequest) => void>();
proxy.on('proxyReqWs', (request: ClientRequest, client: IncomingMessage) => pending.get(client)?.(request));
proxy.on('error', () => {
  // Answered where the upgrade was begun, by its own listeners.
});

/** Asks the back end to upgrade. Its refusal is read and thrown away; its acceptance waits in the gate. */
export async function openTunnel(x: Exchange, backend: Backend): Promise<Step> {
  const { upgrade, request } = x.client;
  if (upgrade === undefined || 'stream' in request) {
    x.failed('upgrade-unsupported');
    return { kind: 'bad-request', reason: 'upgrade-unsupported', closeConnection: true };
  }
  const { facts } = x;
  const gate = new Gate(upgrade.socket, upgrade.head);
  gate.on('error', () => {});
  request.url = facts.query === '' ? facts.path.text : `${facts.path.text}?${facts.query}`;
  request.headers = upgradeHeaders(x);
  x.forwardedAt = x.services.clock.monotonic();
  const { promise, resolve } = Promise.withResolvers<Step>();

  pending.set(request, (outgoing) => {
    outgoing.setTimeout(x.route.backendTimeoutMs, () => outgoing.destroy(new Error('timeout')));
    outgoing.once('upgrade', (response: IncomingMessage, socket: Duplex) => {
      outgoing.setTimeout(0);
      response.headers = Object.fromEntries(
        Object.entries(response.headers).filter(([name]) => HANDSHAKE.has(name)),
      );
      x.backend = BackendAnswer.headOnly(backend.origin, x.services.clock, 101);
      const open = () => {
        const watch = x.services.tunnels.watch(x, () => {
          socket.destroy();
          upgrade.socket.destroy();
        });
        upgrade.socket.once('close', () => watch.done());
        gate.release();
      };
      x.tunnel = new PendingTunnel(open, () => socket.destroy());
      backend.report('ok');
      resolve(undefined);
    });
    // `http-proxy` would copy a refusal to the client as it is, error page and all.
    queueMicrotask(() => {
      outgoing.removeAllListeners('response');
      outgoing.once('response', (response: IncomingMessage) => {
        response.destroy();
        gate.destroy();
        const status = response.statusCode ?? 502;
        x.backend = BackendAnswer.headOnly(backend.origin, x.services.clock, status);
        backend.report('ok');
        // A plain answer to an upgrade is no success, whatever its status.
        resolve(status < 400 ? NOT_UPGRADED : undefined);
      });
    });
  });
  proxy.ws(request, gate as never, Buffer.alloc(0), { target: backend.origin }, (error) => {
    gate.destroy();
    const timeout = error.message === 'timeout';
    backend.report(timeout ? 'timeout' : 'connect-failed');
    x.failed(timeout ? 'backend-timeout' : 'backend-unavailable');
    resolve(timeout ? TIMED_OUT : UNREACHABLE);
  });
  return promise;
}

const NOT_UPGRADED: Ending = Object.freeze({ kind: 'bad-gateway', reason: 'backend-protocol' });
const TIMED_OUT: Ending = Object.freeze({ kind: 'gateway-timeout', reason: 'backend-timeout' });
const UNREACHABLE: Ending = Object.freeze({ kind: 'bad-gateway', reason: 'backend-unavailable' });

function upgradeHeaders(x: Exchange): Record<string, string> {
  const list = outgoingHeaders(x);
  const headers: Record<string, string> = {};
  for (let at = 0; at < list.length; at += 2) headers[list[at] as string] = list[at + 1] as string;
  headers.connection = 'Upgrade';
  headers.upgrade = 'websocket';
  return headers;
}
