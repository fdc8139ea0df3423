import { createHash } from 'node:crypto';
import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import httpProxy from 'http-proxy';
import { type Backend, type BackendConnect, outcomeOfError } from '../../tenant-router/index.ts';
import { confirmWrite } from '../integrity/confirm-write.ts';
import type { Ending } from '../pipeline/ending.ts';
import type { Exchange, Step } from '../pipeline/exchange.ts';
import { BackendAnswer } from './backend-answer.ts';
import { Gate } from './gate.ts';
import { outgoingHeaders } from './outgoing-headers.ts';
import { outgoingTarget } from './outgoing-target.ts';

/** What a `101` may carry back (RFC 6455 §4.2.2); anything else of the EMR's stays behind. */
const HANDSHAKE: ReadonlySet<string> = new Set([
  'upgrade',
  'connection',
  'sec-websocket-accept',
  'sec-websocket-protocol',
]);
/** RFC 6455 §1.3. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Milliseconds that one side gets to take what was sent to it before the other left. */
const FAREWELL_MS = 2000;
/** Milliseconds of silence after which the network is asked whether the peer is still there. */
const KEEP_ALIVE_MS = 60_000;

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

const NOT_UPGRADED: Ending = Object.freeze({ kind: 'bad-gateway', reason: 'backend-protocol' });
const TIMED_OUT: Ending = Object.freeze({ kind: 'gateway-timeout', reason: 'backend-timeout' });
const UNREACHABLE: Ending = Object.freeze({ kind: 'bad-gateway', reason: 'backend-unavailable' });

/** Asks the back end to upgrade. Its refusal is read and thrown away; its acceptance waits in the gate. */
export async function openTunnel(x: Exchange, backend: Backend): Promise<Step> {
  const { upgrade, request } = x.client;
  if (upgrade === undefined || 'stream' in request) {
    x.failed('upgrade-unsupported');
    return { kind: 'bad-request', reason: 'upgrade-unsupported', closeConnection: true };
  }
  const { facts } = x;
  const gate = new Gate(upgrade.socket, upgrade.head, x.runtime.settings.timeouts.idleMs);
  request.url = outgoingTarget(x, facts.query);
  request.headers = upgradeHeaders(x);
  x.forwardedAt = x.services.clock.monotonic();
  const { promise, resolve } = Promise.withResolvers<Step>();
  let decided = false;
  let asked: ClientRequest | undefined;

  /** The first that happens counts: a tunnel that breaks later says nothing about the handshake. */
  function decide(step: Step): void {
    if (decided) return;
    decided = true;
    clearTimeout(limit);
    if (step !== undefined) x.failed(step.reason);
    resolve(step);
  }
  // One limit for all of it: connecting, the handshake, and a head that comes byte by byte.
  const limit = setTimeout(() => {
    backend.report('timeout');
    decide(TIMED_OUT);
    gate.destroy();
    asked?.destroy();
  }, x.route.backendTimeoutMs);

  pending.set(request, (outgoing) => {
    asked = outgoing;
    outgoing.once('upgrade', (response: IncomingMessage, socket: Duplex) => {
      if (decided || !isAcceptance(response, facts.headers.get('sec-websocket-key'))) {
        socket.destroy();
        gate.destroy();
        if (decided) return;
        backend.report('protocol');
        decide(NOT_UPGRADED);
        return;
      }
      response.headers = Object.fromEntries(
        Object.entries(response.headers).filter(([name]) => HANDSHAKE.has(name)),
      );
      x.backend = BackendAnswer.headOnly(backend.origin, x.services.clock, 101);
      x.tunnel = new PendingTunnel(
        () => open(x, { gate, client: upgrade.socket as Socket, backend: socket as Socket }),
        () => {
          socket.destroy();
          gate.destroy();
        },
      );
      backend.report('ok');
      decide(undefined);
    });
    // `http-proxy` would copy a refusal to the client as it is, error page and all.
    queueMicrotask(() => {
      outgoing.removeAllListeners('response');
      outgoing.once('response', (response: IncomingMessage) => {
        response.destroy();
        gate.destroy();
        if (decided) return;
        const status = response.statusCode ?? 502;
        x.backend = BackendAnswer.headOnly(backend.origin, x.services.clock, status);
        backend.report('ok');
        // A plain answer to an upgrade is no success, whatever its status.
        decide(status < 400 ? NOT_UPGRADED : undefined);
      });
    });
  });
  proxy.ws(request, gate as never, Buffer.alloc(0), targetOf(backend), (error) => {
    gate.destroy();
    if (decided) return;
    const outcome = outcomeOfError(error);
    if (outcome !== undefined) backend.report(outcome);
    decide(outcome === 'protocol' ? NOT_UPGRADED : UNREACHABLE);
  });
  return promise;
}

/** Connects as the pool does, and verifies as it does: `http-proxy` writes into a connection that stands already. */
class BackendAgent extends Agent {
  readonly #connect: BackendConnect;

  constructor(connect: BackendConnect) {
    super({ keepAlive: false });
    this.#connect = connect;
  }

  override createConnection(
    _options: unknown,
    created?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    // Of a connection that failed there is nothing to hand over; the error alone counts.
    this.#connect((error, socket) => created?.(error, socket as Duplex));
  }
}

/** Whatever the scheme of the origin: the connection has its TLS already. */
function targetOf(backend: Backend): httpProxy.ServerOptions {
  const { host } = new URL(backend.origin);
  return { target: `http://${host}`, agent: new BackendAgent(backend.connect) };
}

/**
 * RFC 6455 §4.1: what the back end must answer for both sides to speak WebSocket from here on. Where it
 * means something else, the client's frames would reach it as requests.
 */
function isAcceptance(response: IncomingMessage, key: string | undefined): boolean {
  if (response.statusCode !== 101 || key === undefined) return false;
  if (response.headers.upgrade?.toLowerCase() !== 'websocket') return false;
  const expected = createHash('sha1').update(`${key.trim()}${WEBSOCKET_GUID}`).digest('base64');
  return response.headers['sec-websocket-accept'] === expected;
}

function open(
  x: Exchange,
  ends: { readonly gate: Gate; readonly client: Socket; readonly backend: Socket },
): void {
  const { gate, client, backend } = ends;
  const watch = x.services.tunnels.watch(x, true, () => {
    backend.destroy();
    client.destroy();
    x.services.activity
      .append({ kind: 'interrupted', request: x.facts.id, by: 'gateway', bytes: gate.written })
      .catch(() => {
        // The sink is unhealthy and says so itself.
      });
  });
  // Whoever leaves first, the other gets what was already sent, and then goes too.
  whenClosed(client, () => {
    watch.done();
    leave(backend);
    if (x.confirmAtEnd) void confirmWrite(x);
  });
  whenClosed(backend, () => leave(client));
  client.setTimeout(0);
  client.setKeepAlive(true, KEEP_ALIVE_MS);
  backend.setKeepAlive(true, KEEP_ALIVE_MS);
  gate.release();
}

function whenClosed(socket: Socket, then: () => void): void {
  if (socket.destroyed) then();
  else socket.once('close', then);
}

function leave(socket: Socket): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), FAREWELL_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.end();
}

function upgradeHeaders(x: Exchange): Record<string, string> {
  const list = outgoingHeaders(x);
  const headers: Record<string, string> = {};
  for (let at = 0; at < list.length; at += 2) headers[list[at] as string] = list[at + 1] as string;
  headers.connection = 'Upgrade';
  headers.upgrade = 'websocket';
  return headers;
}
