import type { SecureVersion } from 'node:tls';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { BackendSettings } from '../contracts/settings.ts';
import { Circuit, type CircuitSettings } from './circuit.ts';
import type { BackendOutcome } from './outcome.ts';

/** What a TLS client needs to verify this back end; for transports that do not use the pool (upgrades). */
export interface BackendTls {
  readonly ca: Buffer | undefined;
  /** Sent as SNI and verified; undefined for an origin with an IP address, which is verified itself. */
  readonly servername: string | undefined;
  readonly rejectUnauthorized: true;
  readonly minVersion: SecureVersion;
}

export interface Backend {
  /** Origin as configured. */
  readonly origin: string;
  /** Belongs to this back end of this tenant alone. Time-outs of the answer are set per request. */
  readonly dispatcher: Pool;
  /** Undefined for plain HTTP. */
  readonly tls: BackendTls | undefined;
  /** Tells the breaker how a request went; call it once per request that `pick` was called for. */
  report(outcome: BackendOutcome): void;
}

export interface PoolSettings {
  readonly connectTimeoutMs: number;
  /** How long an idle connection is kept when the back end does not say; its own hint is honoured up to 60 s. */
  readonly keepAliveTimeoutMs: number;
}

const KEEP_ALIVE_MAX_MS = 60_000;

/** A back end with its pool and its breaker. */
export class PooledBackend implements Backend {
  readonly settings: BackendSettings;
  readonly origin: string;
  readonly dispatcher: Pool;
  readonly tls: BackendTls | undefined;
  readonly circuit: Circuit;

  constructor(settings: BackendSettings, pools: PoolSettings, circuit: CircuitSettings) {
    this.settings = settings;
    this.origin = settings.origin;
    this.tls = tlsOf(settings);
    this.dispatcher = createPool(settings, this.tls, pools);
    this.circuit = new Circuit(circuit);
  }

  report(outcome: BackendOutcome): void {
    this.circuit.report(outcome);
  }
}

function tlsOf(settings: BackendSettings): BackendTls | undefined {
  const { protocol, hostname } = new URL(settings.origin);
  if (protocol !== 'https:') return undefined;
  const isAddress = hostname.startsWith('[') || /^[0-9.]+$/.test(hostname);
  return Object.freeze({
    ca: settings.authority,
    servername: isAddress ? undefined : hostname,
    // Spelled out, because NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would change the default.
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  });
}

function createPool(settings: BackendSettings, tls: BackendTls | undefined, pools: PoolSettings): Pool {
  const connector = buildConnector({
    timeout: pools.connectTimeoutMs,
    allowH2: false,
    ...(tls === undefined
      ? {}
      : {
          rejectUnauthorized: tls.rejectUnauthorized,
          minVersion: tls.minVersion,
          ...(tls.ca === undefined ? {} : { ca: tls.ca }),
        }),
  });
  const options: Pool.Options = {
    connections: settings.connections,
    // A second request on a connection would wait behind the first, and a failure would take both.
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: pools.keepAliveTimeoutMs,
    keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
    // undici would take the server name from the request's Host header, which names the gateway's own
    // tenant, and verify the back end's certificate against that: the name is pinned here instead.
    connect: ({ servername: _fromHost, ...target }, callback) => {
      connector(tls?.servername === undefined ? target : { ...target, servername: tls.servername }, callback);
    },
  };
  // For an address the pool's name is only a constant: the connector above sends none.
  const pinned = tls === undefined ? undefined : (tls.servername ?? new URL(settings.origin).hostname);
  return new PinnedPool(settings.origin, options, pinned);
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
