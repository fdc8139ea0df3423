import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import mysql from 'mysql2/promise';
import { ChartgateError } from '../contracts/errors.ts';
import { printable } from './names.ts';

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

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * Connects. TCP beyond loopback is always TLS with the server's certificate and name verified.
 * @throws ChartgateError `database-unavailable` or `privilege-missing`; no password is in its message
 */
export async function connectServer(options: ConnectOptions): Promise<mysql.Connection> {
  const host = options.host ?? '127.0.0.1';
  const encrypted = options.socket === undefined && (!isLoopback(host) || options.authority !== undefined);
  try {
    return await mysql.createConnection({
      ...(options.socket === undefined
        ? { host, port: options.port ?? 3306 }
        : { socketPath: options.socket }),
      user: options.user,
      password: options.password?.toString('utf8') ?? '',
      charset: 'utf8mb4',
      connectTimeout: 10_000,
      ...(encrypted
        ? {
            ssl: {
              ...(options.authority === undefined ? {} : { ca: options.authority }),
              rejectUnauthorized: true,
              verifyIdentity: true,
              minVersion: 'TLSv1.2',
            },
          }
        : {}),
    });
  } catch (error) {
    const code = String((error as { code?: unknown }).code ?? 'unknown');
    const where = options.socket ?? `${host}:${options.port ?? 3306}`;
    if (code === 'ER_ACCESS_DENIED_ERROR' || code === 'ER_ACCOUNT_HAS_BEEN_LOCKED') {
      throw new ChartgateError(
        'privilege-missing',
        `The database at ${where} refused the SQL user ${printable(options.user)}.`,
        { cause: error },
      );
    }
    throw new ChartgateError('database-unavailable', `No connection to the database at ${where} (${code}).`, {
      cause: error,
    });
  }
}
