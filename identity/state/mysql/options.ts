import { connect, isIP, isIPv4, type Socket } from 'node:net';
import type { ConnectionOptions } from 'mysql2/promise';
import { ChartgateError } from '../../../contracts/errors.ts';
import type { MysqlStateSettings } from '../../../contracts/state.ts';

const CONNECT_MS = 3_000;

function loopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/**
 * The driver's options.
 * @throws ChartgateError `configuration-invalid` for a server beyond loopback without an authority
 */
export function optionsOf(settings: MysqlStateSettings): ConnectionOptions {
  const { socketPath, authority, host = '127.0.0.1', port = 3306 } = settings;
  if (socketPath === undefined && authority === undefined && !loopback(host)) {
    throw new ChartgateError(
      'configuration-invalid',
      'The state store: a database beyond loopback is reached with TLS only; give the authority of its certificate.',
    );
  }
  return {
    ...(socketPath === undefined ? { host, port } : { socketPath }),
    ...(authority === undefined
      ? {}
      : {
          ssl: { ca: authority, rejectUnauthorized: true, verifyIdentity: true, minVersion: 'TLSv1.2' },
          ...(socketPath === undefined && isIP(host) !== 0 ? { stream: streamTo(host, port) } : {}),
        }),
    database: settings.database,
    user: settings.user,
    password: settings.password.reveal().toString('utf8'),
    charset: 'utf8mb4',
    connectTimeout: CONNECT_MS,
    enableKeepAlive: true,
    keepAliveInitialDelay: 10_000,
    // A server that was taken over could ask its clients for their files.
    flags: ['-LOCAL_FILES'],
    multipleStatements: false,
    supportBigNumbers: true,
  };
}

/**
 * For a host given as an IP address the driver (mysql2 3.24) names no host to `tls.connect`, and Node would
 * compare the certificate with `localhost`. It takes the name from the socket when that has one (RFC 9525, 6.3).
 */
function streamTo(host: string, port: number): () => Socket {
  return () => {
    const socket = connect({ host, port });
    socket.setNoDelay(true);
    Object.defineProperty(socket, '_host', { value: host, configurable: true, writable: true });
    return socket;
  };
}
