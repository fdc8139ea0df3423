import { readFileSync, writeFileSync } from 'node:fs';
import { connectServer, readSecretFile } from '../../../audit-sql/connect.ts';
import { type AuditNames, auditNames } from '../../../audit-sql/index.ts';
import { ChartgateError } from '../../../contracts/errors.ts';
import type { ServerOptions } from './options.ts';

export type Connection = Awaited<ReturnType<typeof connectServer>>;

/** @throws ChartgateError `usage` unless it is a whole number in the range */
export function wholeNumber(option: string, text: string, minimum: number, maximum: number): number {
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number < minimum || number > maximum) {
    throw new ChartgateError('usage', `${option} must be a number from ${minimum} to ${maximum}.`);
  }
  return number;
}

export function readInput(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ChartgateError('usage', `The file ${file} cannot be read.`, { cause: error });
  }
}

export function writeOutput(
  file: string,
  bytes: string | Buffer,
  options: { mode?: number; flag?: string } = {},
): void {
  try {
    writeFileSync(file, bytes, options);
  } catch (error) {
    const exists = (error as { code?: unknown }).code === 'EEXIST';
    throw new ChartgateError(
      'usage',
      exists
        ? `The file ${file} exists already and is not overwritten.`
        : `The file ${file} cannot be written.`,
      { cause: error },
    );
  }
}

export function namesOf(options: ServerOptions): AuditNames {
  return auditNames({ emrSchema: options.schema, auditSchema: options.auditSchema });
}

export async function connect(options: ServerOptions): Promise<Connection> {
  if (options.socket !== undefined && (options.host !== undefined || options.port !== undefined)) {
    throw new ChartgateError('usage', 'Give either --socket or --host and --port.');
  }
  return connectServer({
    host: options.host,
    port: options.port === undefined ? undefined : wholeNumber('--port', options.port, 1, 65_535),
    socket: options.socket,
    user: options.user,
    password: options.passwordFile === undefined ? undefined : readSecretFile(options.passwordFile),
    authority: options.ca === undefined ? undefined : readInput(options.ca),
  });
}

/** Connects, does the work, and ends the connection however the work ended. */
export async function onServer<Result>(
  options: ServerOptions,
  work: (connection: Connection, names: AuditNames) => Promise<Result>,
): Promise<Result> {
  const names = namesOf(options);
  const connection = await connect(options);
  try {
    return await work(connection, names);
  } finally {
    // A server that went away makes this fail too; the work's own error is the one that counts.
    await connection.end().catch(() => connection.destroy());
  }
}

/** @returns when everything is written; a reader that went away (`| head`) is no error */
export function print(text: string): Promise<void> {
  return new Promise((resolve) => {
    const ignore = (): void => {};
    process.stdout.once('error', ignore);
    process.stdout.write(text, (error) => {
      // The event of a failed write comes after this.
      if (error == null) process.stdout.removeListener('error', ignore);
      resolve();
    });
  });
}

export function printJson(value: unknown): Promise<void> {
  return print(`${JSON.stringify(value)}\n`);
}
