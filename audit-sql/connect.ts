import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import mysql from 'mysql2/promise';
import { ChartgateError } from '../contracts/errors.ts';
import { printable } from './names.ts';
import { identifiedStream } from './tls-stream.ts';
import { SQL_MODE } from './writers/script.ts';

/** How to reach a server as its administrator. */
export interface ConnectOptions {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Path of the server's Unix socket; excludes host and port. */
  readonly socket?: string | undefined;
  readonly user: string;
  readonly password?: Buffer | undefined;
  /** PEM of the authority that signed the server's certificate; the system's authorities when undefined. */
  readonly authority?: Buffer | undefined;
}

/**
 * A secret from a file, without a trailing line break.
 * @throws ChartgateError `secret-unreadable`, or `secret-exposed` when others could read it
 */
export function readSecretFile(file: string): Buffer {
  let mode: number;
  let bytes: Buffer;
  try {
    mode = statSync(file).mode;
    bytes = readFileSync(file);
  } catch (error) {
    throw new ChartgateError('secret-unreadable', `The file ${printable(file)} cannot be read.`, {
      cause: error,
    });
  }
  if ((mode & 0o077) !== 0) {
    throw new ChartgateError('secret-exposed', `Others may read ${printable(file)}; run: chmod 600 on it.`);
  }
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? -2 : -1) : bytes.length;
  return bytes.subarray(0, end);
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** What is wrong with a certificate, by the sentence that OpenSSL or Node says, and what to do. */
const UNTRUSTED: readonly (readonly [RegExp, string])[] = [
  [
    /self-signed certificate in certificate chain|unable to verify the first|unable to get (local )?issuer/i,
    'its certificate is signed by an authority that is not trusted here. If it is the one you expect, give it with --ca',
  ],
  [
    /self-signed certificate/i,
    'its certificate is signed by nobody but itself. Give the server one of an authority, and that authority with --ca',
  ],
  [/signature failure/i, 'its certificate was not signed by the authority that it names'],
  [/has expired/i, 'its certificate has expired. Renew it on the server'],
  [/not yet valid/i, "its certificate is not valid yet. Look at this machine's clock and the server's"],
  [
    /altnames|does not match certificate/i,
    'its certificate is for another name. Connect by the name or address that it was issued for',
  ],
  [
    /unsupported protocol|protocol version/i,
    'it speaks no TLS 1.2 or later. Update the server or its TLS settings',
  ],
];

/** Why there is no connection, by the driver's code, and what to do. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  HANDSHAKE_NO_SSL_SUPPORT:
    'it does not offer TLS, without which passwords and rows would cross the network in the clear. Turn TLS on in the server',
  ECONNREFUSED: 'nothing listens there. Is the server running, and is the port right',
  ENOENT: 'there is no such socket. Is the server running, and is the path right',
  ENOTFOUND: 'no such host is known',
  EAI_AGAIN: 'the name could not be looked up now',
  ETIMEDOUT: 'it did not answer in 10 seconds. Is a firewall between',
  ECONNRESET: 'it ended the connection',
  PROTOCOL_CONNECTION_LOST: 'it ended the connection. Is this a MySQL or MariaDB port',
  ER_HOST_NOT_PRIVILEGED: 'it lets no SQL user in from this host',
  ER_HOST_IS_BLOCKED: 'it blocks this host after too many failed connections',
  ER_CON_COUNT_ERROR: 'it has no connection left. Raise max_connections or end some',
  ER_SERVER_SHUTDOWN: 'it is shutting down',
};

const REFUSED_USER: ReadonlySet<string> = new Set([
  'ER_ACCESS_DENIED_ERROR',
  'ER_ACCESS_DENIED_NO_PASSWORD_ERROR',
  'ER_ACCOUNT_HAS_BEEN_LOCKED',
  'ER_MUST_CHANGE_PASSWORD_LOGIN',
]);

function refusal(error: unknown, where: string, options: ConnectOptions): ChartgateError {
  const { code: given, message } = error as { code?: unknown; message?: unknown };
  const code = String(given ?? 'unknown');
  if (REFUSED_USER.has(code)) {
    return new ChartgateError(
      'privilege-missing',
      `The database at ${where} refused the SQL user ${printable(options.user)}: wrong password, locked, or not allowed from here.`,
      { cause: error },
    );
  }
  // The driver puts a code of its own over OpenSSL's and keeps only the sentence.
  const untrusted = UNTRUSTED.find(([sentence]) => sentence.test(String(message ?? '')))?.[1];
  const why =
    code === 'HANDSHAKE_SSL_ERROR' ? (untrusted ?? 'TLS could not be agreed on') : UNREACHABLE[code];
  return new ChartgateError(
    'database-unavailable',
    why === undefined
      ? `No connection to the database at ${where} (${code}).`
      : `No connection to the database at ${where}: ${why} (${code}).`,
    { cause: error },
  );
}

/**
 * What a server may have set for every session, and what of it would change an answer without an error: names
 * filled up with blanks or quoted otherwise, lists that end early, statements that nobody commits.
 */
const SESSION = [
  `sql_mode = '${SQL_MODE}'`,
  'autocommit = 1',
  'sql_select_limit = 18446744073709551615',
  'sql_quote_show_create = 1',
].map((setting) => `SESSION ${setting}`);

/**
 * Connects. TCP beyond loopback is always TLS with the server's certificate and name verified.
 * @throws ChartgateError `database-unavailable` or `privilege-missing`, saying why and what to do; no password
 *   is in its message
 */
export async function connectServer(options: ConnectOptions): Promise<mysql.Connection> {
  const host = options.host ?? '127.0.0.1';
  const port = options.port ?? 3306;
  const encrypted = options.socket === undefined && (!isLoopback(host) || options.authority !== undefined);
  try {
    const connection = await mysql.createConnection({
      ...(options.socket === undefined ? { host, port } : { socketPath: options.socket }),
      user: options.user,
      password: options.password?.toString('utf8') ?? '',
      charset: 'utf8mb4',
      connectTimeout: 10_000,
      ...(encrypted
        ? {
            ...identifiedStream(host, port),
            ssl: {
              ...(options.authority === undefined ? {} : { ca: options.authority }),
              rejectUnauthorized: true,
              verifyIdentity: true,
              minVersion: 'TLSv1.2',
            },
          }
        : {}),
    });
    try {
      await connection.query(`SET ${SESSION.join(', ')}`);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    return connection;
  } catch (error) {
    throw refusal(error, options.socket ?? `${host}:${port}`, options);
  }
}
