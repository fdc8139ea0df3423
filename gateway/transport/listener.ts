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
import type { TlsFacts } from '../../contracts/facts.ts';
import type { GatewaySettings } from '../../contracts/settings.ts';
import { MAX_HEADERS } from '../canonical/headers.ts';
import type { Arrival } from '../canonical/request.ts';
import { newRequestId } from '../canonical/request-id.ts';
import { Client } from './client.ts';

/** TLS 1.3's suites, and for 1.2 only those with forward secrecy and authenticated encryption (RFC 9325 §4.2). */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':');
/** The hybrid exchange first: what is recorded today should not be readable by tomorrow's machines. */
const GROUPS = 'X25519MLKEM768:X25519:P-256:P-384';
const MAX_HEADER_BYTES = 16 * 1024;

export interface Listener {
  readonly port: number;
  readonly connections: number;
  /** A new certificate for connections from now on. */
  updateCertificate(listen: GatewaySettings['listen']): void;
  /** Stops accepting, lets what is under way end within `graceMs`, then cuts. */
  drain(graceMs: number): Promise<void>;
}

/** Requests that a client may pipeline on one connection; beyond, the connection is closed. */
const MAX_PIPELINED = 16;

interface Connection {
  readonly tls: TlsFacts;
  readonly peer: string;
  /** HTTP/1.1 only: a request is being handled. */
  busy: boolean;
  /** Pipelined requests that wait for it. */
  readonly waiting: (() => void)[];
  /** The connection's state is in doubt: nothing that came on it after this counts. */
  doomed: boolean;
}

/**
 * The gateway's listener: TLS 1.3 (1.2 only where configured), HTTP/2 and HTTP/1.1 by ALPN, on a port that
 * several workers share (`SO_REUSEPORT`). What the parsers refuse is answered with a bare 400 and closed.
 */
export async function listen(
  settings: Pick<GatewaySettings, 'listen' | 'timeouts'>,
  clock: Clock,
  handle: (client: Client, arrival: Arrival) => Promise<void>,
): Promise<Listener> {
  const { timeouts } = settings;
  const server: Http2SecureServer = createSecureServer({
    allowHTTP1: true,
    ...secureContext(settings.listen),
    ciphers: CIPHERS,
    honorCipherOrder: true,
    ecdhCurve: GROUPS,
    handshakeTimeout: timeouts.headersMs,
    // HTTP/1.1. A pipelined second request waits for the first; leniency is off everywhere.
    headersTimeout: Math.min(timeouts.headersMs, timeouts.requestMs),
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.idleMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    // Ours to refuse: Node's own answer would leave what follows on the connection to be read.
    requireHostHeader: false,
    // HTTP/2: enough for a browser, little enough that a flood of streams or settings ends the session.
    settings: {
      maxConcurrentStreams: 128,
      enablePush: false,
      maxHeaderListSize: MAX_HEADER_BYTES,
      enableConnectProtocol: false,
    },
    maxHeaderListPairs: MAX_HEADERS + 8,
    maxSessionInvalidFrames: 10,
    maxSessionRejectedStreams: 20,
    peerMaxConcurrentStreams: 128,
    unknownProtocolTimeout: 1000,
  } as Parameters<typeof createSecureServer>[0]);
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<TLSSocket>();
  const known = new WeakMap<object, Connection>();
  let draining = false;

  function connectionOf(owner: object, socket: TLSSocket): Connection {
    let connection = known.get(owner);
    if (connection === undefined) {
      connection = describe(socket);
      known.set(owner, connection);
    }
    return connection;
  }

  function arrivalOn(connection: Connection): Arrival {
    const { tls, peer } = connection;
    return {
      id: newRequestId(),
      arrivedAt: clock.monotonic(),
      tls,
      peer,
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
      const { session } = request.stream;
      if (session === undefined) {
        request.stream.close();
        return;
      }
      const connection = connectionOf(session, session.socket as TLSSocket);
      void handle(new Client(request, response, { expectsContinue }), arrivalOn(connection));
      return;
    }
    if (draining && !response.headersSent) response.setHeader('connection', 'close');
    const connection = connectionOf(request.socket, request.socket as TLSSocket);
    inTurn(connection, request.socket, () =>
      handle(new Client(request, response, { expectsContinue }), arrivalOn(connection)),
    );
  }

  /**
   * One request at a time on an HTTP/1.1 connection. Node hands over a pipelined request while the one
   * before it is still being judged; if that one turns out to be malformed, what follows it may be part of it.
   */
  function inTurn(connection: Connection, socket: Duplex, start: () => Promise<void>): void {
    if (connection.doomed) return;
    if (connection.busy) {
      if (connection.waiting.length >= MAX_PIPELINED) doom(connection, socket);
      else connection.waiting.push(() => inTurn(connection, socket, start));
      return;
    }
    connection.busy = true;
    start().finally(() => {
      connection.busy = false;
      connection.waiting.shift()?.();
    });
  }

  function doom(connection: Connection, socket: Duplex): void {
    connection.doomed = true;
    connection.waiting.length = 0;
    socket.destroy();
  }

  server.on('request', (request, response) => take(request, response, false));
  server.on('checkContinue', (request, response) => take(request, response, true));
  server.on('checkExpectation', (request: IncomingMessage | Http2ServerRequest, response: ServerResponse) => {
    response.writeHead(417, { connection: 'close' }).end();
    request.destroy();
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // An upgrade that is refused is answered like any other request, over the same connection.
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.once('finish', () => (socket as Socket).destroySoon());
    request.on('error', () => {});
    response.on('error', () => {});
    socket.on('error', () => {});
    const connection = connectionOf(socket, socket as TLSSocket);
    inTurn(connection, socket, () =>
      handle(new Client(request, response, { upgrade: { socket, head } }), arrivalOn(connection)),
    );
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => socket.destroy());
  server.on('clientError', (_error: Error, socket: Duplex) => {
    const connection = known.get(socket);
    // With an answer still on its way, these bytes would stand in the middle of it.
    if (connection?.busy === true) doom(connection, socket);
    else if (socket.writable)
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('sessionError', () => {});
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.setTimeout(timeouts.idleMs + timeouts.requestMs, () => session.close());
    session.once('close', () => sessions.delete(session));
    session.on('error', () => {});
  });

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
    updateCertificate: (next) => server.setSecureContext(secureContext(next)),
    async drain(graceMs) {
      draining = true;
      const closed = new Promise<void>((done) => server.close(() => done()));
      // GOAWAY lets streams under way finish (RFC 9113 §6.8); idle HTTP/1.1 connections are closed by `close`.
      for (const session of sessions) session.close();
      const cut = setTimeout(() => {
        for (const session of sessions) session.destroy();
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await Promise.race([closed, new Promise<void>((done) => setTimeout(done, graceMs + 250))]);
      clearTimeout(cut);
    },
  };
}

function secureContext(listen: GatewaySettings['listen']): {
  cert: Buffer;
  key: Buffer;
  minVersion: 'TLSv1.2' | 'TLSv1.3';
  maxVersion: 'TLSv1.3';
} {
  return {
    cert: listen.certificate,
    key: listen.key.reveal(),
    minVersion: listen.minimumTls,
    maxVersion: 'TLSv1.3',
  };
}

function describe(socket: TLSSocket): Connection {
  const address = socket.remoteAddress ?? '';
  return {
    tls: Object.freeze({
      version: socket.getProtocol() === 'TLSv1.2' ? 'TLSv1.2' : 'TLSv1.3',
      cipher: socket.getCipher()?.name ?? '',
      serverName: typeof socket.servername === 'string' ? socket.servername.toLowerCase() : '',
    }),
    peer: address.startsWith('::ffff:') ? address.slice(7) : address,
    busy: false,
    waiting: [],
    doomed: false,
  };
}
