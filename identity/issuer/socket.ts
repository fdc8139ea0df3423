import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { ChartgateError } from '../../contracts/errors.ts';

/** Milliseconds in which a process that is there answers. */
const ANSWER_MS = 500;

/**
 * Listens on a Unix socket that its owner and group may connect to.
 * @throws ChartgateError `issuer-unavailable` when the path cannot be taken
 */
export async function listenOn(server: Server, path: string): Promise<void> {
  await takePath(path);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', () => reject(new ChartgateError('issuer-unavailable', `Cannot listen on ${path}.`)));
  server.once('listening', resolve);
  // The file must not be open to others even for the instant before its mode is set.
  const mask = process.umask(0o117);
  try {
    server.listen(path);
  } finally {
    process.umask(mask);
  }
  await promise;
  chmodSync(path, 0o660);
}

/** Removes a socket file that nobody answers at. Anything else at that path is left alone and is an error. */
async function takePath(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw new ChartgateError('issuer-unavailable', `${path} exists and is not a socket.`);
  if (await answers(path)) {
    throw new ChartgateError('issuer-unavailable', `Another process already listens on ${path}.`);
  }
  unlinkSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ANSWER_MS, () => end(true));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
