import type { SecureServerOptions } from 'node:http2';
import type { GatewaySettings } from '../../contracts/settings.ts';
import { MAX_HEADERS } from '../canonical/headers.ts';
import type { createClientAuthorities } from './client-certificates.ts';
import { SWEEP_MS } from './listener-sweep.ts';
import { secureContext } from './tls-context.ts';
import { MAX_HEADER_BYTES } from './wire.ts';

/**
 * How a listener's server is made: TLS, and what its parsers of HTTP/1.1 and HTTP/2 take.
 * @param authorities those in force, which a reload replaces
 */
export function serverOptions(
  settings: Pick<GatewaySettings, 'listen' | 'timeouts'>,
  authorities: () => ReturnType<typeof createClientAuthorities>,
): SecureServerOptions {
  const { timeouts } = settings;
  return {
    allowHTTP1: true,
    ...secureContext(settings.listen),
    ...authorities().options,
    requestCert: authorities().asks,
    // A certificate that does not count is no certificate; whether one is needed is decided by tenant and route.
    rejectUnauthorized: false,
    SNICallback: (name, use) => use(null, authorities().contextOf(name.toLowerCase())),
    handshakeTimeout: timeouts.headersMs,
    // HTTP/1.1. A pipelined second request waits for the first; leniency is off everywhere.
    headersTimeout: Math.min(timeouts.headersMs, timeouts.requestMs),
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.idleMs,
    connectionsCheckingInterval: SWEEP_MS,
    noDelay: true,
    // A peer that vanished without a word is noticed.
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
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
  } as SecureServerOptions;
}
