import { createHash, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { BackendSettings } from '../contracts/settings.ts';

export interface PoolSettings {
  readonly connectTimeoutMs: number;
  /** How long an idle connection is kept when the back end does not say; its own hint is honoured up to 60 s. */
  readonly keepAliveTimeoutMs: number;
}

/**
 * Opens one verified connection to a back end that speaks HTTP/1.1; for transports that do not use the pool
 * (upgrades). Calls back once; of a TLS connection that was not verified nobody gets hold.
 */
export type BackendConnect = (done: (error: Error | null, socket: Socket | null) => void) => void;

const KEEP_ALIVE_MAX_MS = 60_000;
/** Requests at once on one HTTP/2 connection, where the back end allows as many (RFC 9113 §5.1.2 advises at least 100). */
export const STREAMS = 100;

interface Target {
  readonly hostname: string;
  readonly host: string;
  readonly protocol: string;
  readonly port: string;
  /** Sent as SNI and verified; undefined for an address, which is verified itself, and for plain HTTP. */
  readonly servername: string | undefined;
}

function targetOf(origin: string): Target {
  const { protocol, hostname, host, port } = new URL(origin);
  const isAddress = hostname.startsWith('[') || /^[0-9.]+$/.test(hostname);
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    hostname: bare,
    host,
    protocol,
    port,
    servername: protocol !== 'https:' || isAddress ? undefined : hostname,
  };
}

/** The connections to one back end of one tenant. Nothing is opened before the first request. */
export function createPool(settings: BackendSettings, pools: PoolSettings): Pool {
  const target = targetOf(settings.origin);
  const allowH2 = settings.http2 === true;
  const connector = verified(settings, pools, allowH2);
  const options: Pool.Options = {
    connections: settings.connections,
    // A second request on a connection would wait behind the first, and a failure would take both.
    pipelining: 1,
    allowH2,
    ...(allowH2 ? { h2Options: { maxConcurrentStreams: STREAMS } } : {}),
    keepAliveTimeout: pools.keepAliveTimeoutMs,
    keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
    // undici would take the server name from the request's Host header, which names the gateway's own
    // tenant, and verify the back end's certificate against that: the name is pinned here instead.
    connect: ({ servername: _fromHost, ...asked }, callback) => {
      connector(
        target.servername === undefined ? asked : { ...asked, servername: target.servername },
        callback,
      );
    },
  };
  // For an address the pool's name is only a constant: the connector above sends none.
  const pinned = target.protocol === 'https:' ? (target.servername ?? target.hostname) : undefined;
  return new PinnedPool(settings.origin, options, pinned);
}

/** As the pool connects, without HTTP/2: an upgrade (RFC 6455) is asked for in HTTP/1.1. */
export function createConnect(settings: BackendSettings, pools: PoolSettings): BackendConnect {
  const { servername, ...target } = targetOf(settings.origin);
  const connector = verified(settings, pools, false);
  return (done) =>
    connector({ ...target, ...(servername === undefined ? {} : { servername }) }, (error, socket) => {
      if (error !== null) done(error, null);
      else done(null, socket);
    });
}

/**
 * The one place that decides whom a connection may lead to: whoever has a certificate for the origin's name by the
 * back end's authority, or one of the pinned keys, or both where both are given.
 */
function verified(
  settings: BackendSettings,
  pools: PoolSettings,
  allowH2: boolean,
): buildConnector.connector {
  const { authority, pinnedKeys, clientCertificate, unixSocket } = settings;
  const secure = settings.origin.startsWith('https:');
  const pins = pinnedKeys?.map((pin) => Buffer.from(pin, 'base64'));
  const connector = buildConnector({
    timeout: pools.connectTimeoutMs,
    allowH2,
    // A back end that speaks both is meant to be asked in HTTP/2, or the setting would do nothing.
    preferH2: allowH2,
    ...(unixSocket === undefined ? {} : { socketPath: unixSocket }),
    ...(secure
      ? {
          // Spelled out, because NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would change the default.
          // Pinned keys alone need no authority: they are compared below, before anything is sent.
          rejectUnauthorized: pins === undefined || authority !== undefined,
          minVersion: 'TLSv1.2',
          ...(authority === undefined ? {} : { ca: authority }),
          ...(clientCertificate === undefined
            ? {}
            : { cert: clientCertificate.certificate, key: clientCertificate.key.reveal() }),
          // A resumed session shows no certificate of this very handshake.
          ...(pins === undefined ? {} : { maxCachedSessions: 0 }),
        }
      : {}),
  });
  if (!secure || pins === undefined) return connector;
  return (target, callback) =>
    connector(target, (...[error, socket]) => {
      if (error !== null) callback(error, null);
      else if (isPinned(socket, pins)) callback(null, socket);
      else {
        socket.destroy();
        callback(new PinnedKeyError(), null);
      }
    });
}

/** The public key of the certificate that was shown, as in RFC 7469 §2.4: SHA-256 of its SubjectPublicKeyInfo. */
function isPinned(socket: Socket, pins: readonly Buffer[]): boolean {
  if (!(socket instanceof TLSSocket)) return false;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return false;
  const key = createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
  return pins.some((pin) => pin.length === key.length && timingSafeEqual(pin, key));
}

/** Counts as a failure to connect, like any other of the handshake. */
class PinnedKeyError extends Error {
  readonly code = 'ERR_TLS_PINNED_KEY';

  constructor() {
    super('the back end showed a certificate whose key is none of those that are pinned');
  }
}

/**
 * A pool whose requests all carry one server name. Without it, undici closes and reopens a TLS
 * connection each time the Host header differs from that of the request before.
 */
class PinnedPool extends Pool {
  readonly #servername: string | undefined;

  constructor(origin: string, options: Pool.Options, servername: string | undefined) {
    super(origin, options);
    this.#servername = servername;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (this.#servername === undefined) return super.dispatch(options, handler);
    const pinned = { ...options, servername: this.#servername };
    return super.dispatch(pinned, handler);
  }
}
