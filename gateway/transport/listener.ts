import { type IncomingMessage, ServerResponse } from 'node:http';
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../contracts/clock.ts';
import type { GatewaySettings } from '../../contracts/settings.ts';
import type { Arrival } from '../canonical/request.ts';
import { newRequestId } from '../canonical/request-id.ts';
import { peerKey } from '../limits/peer-key.ts';
import { Client } from './client.ts';
import { type CertificateSettings, createClientAuthorities } from './client-certificates.ts';
import { type Connection, describe, isBusy } from './connection.ts';
import { createFront, PeerCount } from './front.ts';
import { serverOptions } from './listener-options.ts';
import { type AnswerUnderWay, createLook, SWEEP_MS } from './listener-sweep.ts';
import { Places } from './places.ts';
import { secureContext } from './tls-context.ts';
import { begin, doom, inTurn, lastOn, malformed } from './turns.ts';
import { unwatch, watch } from './wire.ts';

function showed(connection: Connection | undefined): boolean {
  return connection?.tls.certificate !== undefined;
}

export interface Listener {
  readonly port: number;
  readonly connections: number;
  /**
   * A new certificate for connections from now on, and what clients' certificates are judged by. Connections that
   * showed one are closed once what is under way on them is done: it may have been revoked.
   */
  updateCertificate(settings: CertificateSettings): void;
  /** Every answer from now on is the last on its HTTP/1.1 connection; HTTP/2 clients are told to make another one. */
  leave(): void;
  /** Stops accepting, lets what is under way end within `graceMs`, then cuts. */
  drain(graceMs: number): Promise<void>;
}

/** Connections that one worker holds, and of these one peer's (an IPv6 peer is its /64). Each may cost megabytes. */
const MAX_CONNECTIONS = 10_000;
const MAX_OF_PEER = 1000;
/**
 * The gateway's listener: TLS 1.3 (1.2 only where configured), HTTP/2 and HTTP/1.1 by ALPN, on a port that
 * several workers share (`SO_REUSEPORT`). What the parsers refuse is answered with a bare 400 and closed.
 */
export async function listen(
  settings: Pick<GatewaySettings, 'listen' | 'timeouts'> & CertificateSettings,
  clock: Clock,
  handle: (client: Client, arrival: Arrival) => Promise<void>,
): Promise<Listener> {
  const { timeouts } = settings;
  let authorities = createClientAuthorities(settings, secureContext(settings.listen));
  let front = createFront(settings.listen);
  const server: Http2SecureServer = createSecureServer(serverOptions(settings, () => authorities));
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<TLSSocket>();
  const known = new WeakMap<object, Connection>();
  const answers = new Places<AnswerUnderWay>();
  const peers = new PeerCount(MAX_OF_PEER);
  let draining = false;
  let leaving = false;
  server.maxConnections = MAX_CONNECTIONS;

  function connectionOf(owner: object, socket: TLSSocket): Connection {
    let connection = known.get(owner);
    if (connection === undefined) {
      connection = describe(socket, clock.monotonic(), {
        peer: front.peerOf(socket),
        certificateAt: (name) => authorities.shown(socket, name),
      });
      known.set(owner, connection);
    }
    return connection;
  }

  function arrivalOn(connection: Connection, request: IncomingMessage | Http2ServerRequest): Arrival {
    const { tls, peer } = connection;
    const client = front.clientOf(peer, request.rawHeaders);
    return {
      id: newRequestId(),
      arrivedAt: clock.monotonic(),
      tls,
      peer: client ?? peer,
      fault: client === undefined ? 'forwarding-unclear' : undefined,
      doom: () => (connection.doomed = true),
    };
  }

  function take(
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
    expectsContinue: boolean,
  ): void {
    // A connection that breaks is an ordinary event; whoever reads or writes at that moment notices by itself.
    request.on('error', () => {});
    response.on('error', () => {});
    if ('stream' in request) {
      const connection = known.get(request.stream.session ?? request.stream);
      if (connection === undefined) {
        request.stream.close();
        return;
      }
      connection.streams += 1;
      const answer: AnswerUnderWay = { response: response as Http2ServerResponse, since: 0 };
      const place = answers.take(answer);
      // Not the response's own event: for a HEAD that is reset, it never comes.
      request.stream.once('close', () => {
        answers.leave(place, answer);
        connection.streams -= 1;
        connection.idleSince = clock.monotonic();
      });
      void handle(new Client(request, response, { expectsContinue }), arrivalOn(connection, request));
      return;
    }
    const connection = connectionOf(request.socket, request.socket as TLSSocket);
    connection.response = response as ServerResponse;
    if (leaving) (response as ServerResponse).shouldKeepAlive = false;
    if (draining) lastOn(connection, request.socket);
    inTurn(connection, request.socket, () => {
      begin(connection, response as ServerResponse);
      return handle(new Client(request, response, { expectsContinue }), arrivalOn(connection, request));
    });
  }

  server.on('request', (request, response) => take(request, response, false));
  server.on('checkContinue', (request, response) => take(request, response, true));
  server.on('checkExpectation', (request: IncomingMessage | Http2ServerRequest, response: ServerResponse) => {
    if ('stream' in request) {
      request.stream.respond({ ':status': 417 }, { endStream: true });
      return;
    }
    const connection = connectionOf(request.socket, request.socket as TLSSocket);
    if (isBusy(connection)) {
      doom(connection, request.socket);
      return;
    }
    connection.doomed = true;
    response.writeHead(417, { connection: 'close', 'content-length': 0 }).end();
  });
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const { socket } = request;
    request.on('error', () => {});
    stream.on('error', () => {});
    socket.on('error', () => {});
    unwatch(socket);
    const connection = connectionOf(socket, socket as TLSSocket);
    // From here on Node does not look after this connection any more: an answer that is still under way on
    // it would not get to its end, and where the request's own body ends nobody would know.
    if ((isBusy(connection) && connection.response?.writableEnded !== true) || !request.complete) {
      doom(connection, socket);
      return;
    }
    inTurn(connection, socket, () => {
      // An upgrade that is refused is answered like any other request, over the same connection.
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.on('error', () => {});
      response.assignSocket(socket);
      response.once('finish', () => socket.destroySoon());
      connection.response = response;
      begin(connection, response);
      return handle(
        new Client(request, response, { upgrade: { socket, head } }),
        arrivalOn(connection, request),
      );
    });
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => socket.destroy());
  server.on('clientError', (_error: Error, socket: Duplex) => {
    malformed(known.get(socket), socket);
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('sessionError', () => {});
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    if (socket.alpnProtocol !== 'h2') watch(socket, () => malformed(connectionOf(socket, socket), socket));
    socket.once('close', () => {
      sockets.delete(socket);
      const connection = known.get(socket);
      if (connection === undefined) return;
      connection.doomed = true;
      connection.waiting.length = 0;
    });
  });
  // Counted, and told whose it is, before anything of TLS is made for it.
  const secure = server.listeners('connection') as ((this: Http2SecureServer, socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    front.admit(socket, settings.timeouts.headersMs, (address) => {
      if (address !== undefined && !peers.admit(socket, peerKey(address))) socket.destroy();
      else for (const begin of secure) begin.call(server, socket);
    });
  });

  server.on('session', (session) => {
    sessions.add(session);
    connectionOf(session, session.socket as TLSSocket);
    session.once('close', () => sessions.delete(session));
    session.on('error', () => {});
  });

  const look = createLook({ sessions, sockets, known, answers, clock, idleMs: timeouts.idleMs });
  const sweep = setInterval(look, SWEEP_MS);
  sweep.unref();

  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(
    { host: settings.listen.host, port: settings.listen.port, reusePort: true, backlog: 1024 },
    () => resolve(),
  );
  await promise;
  server.removeListener('error', reject);
  server.on('error', () => {});
  const address = server.address();

  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get connections() {
      return sockets.size;
    },
    updateCertificate(next) {
      const base = secureContext(next.listen);
      authorities = createClientAuthorities(next, base);
      front = createFront(next.listen);
      server.setSecureContext({ ...base, ...authorities.options });
      // What the server's constructor was told stands in this property, from which each connection takes it.
      Object.assign(server, { requestCert: authorities.asks });
      for (const session of sessions) if (showed(known.get(session))) session.close();
      for (const socket of sockets) {
        const connection = known.get(socket);
        if (showed(connection)) lastOn(connection, socket);
      }
    },
    leave() {
      leaving = true;
      // Streams under way are finished; one that begins meanwhile is refused unseen, and its client may send it again.
      for (const session of sessions) session.close();
    },
    async drain(graceMs) {
      draining = true;
      const closed = new Promise<void>((done) => server.close(() => done()));
      // GOAWAY lets streams under way finish (RFC 9113 §6.8).
      for (const session of sessions) session.close();
      for (const socket of sockets) {
        if (socket.alpnProtocol !== 'h2') lastOn(known.get(socket), socket);
      }
      const cut = setTimeout(() => {
        for (const session of sessions) session.destroy();
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await Promise.race([closed, new Promise<void>((done) => setTimeout(done, graceMs + 250))]);
      clearTimeout(cut);
      clearInterval(sweep);
    },
  };
}
