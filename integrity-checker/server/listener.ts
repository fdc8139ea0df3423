import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { ChartgateError } from '../../contracts/errors.ts';
import type { Secret } from '../../contracts/settings.ts';
import type { Log } from '../log.ts';
import type { Watch } from '../watch/types.ts';
import { Alarms } from './alarms.ts';
import { Peer } from './peer.ts';

/** Connections that proved themselves: one per gateway worker and database. */
const PROVED_LIMIT = 1_024;
const UNPROVED_LIMIT = 64;
/** How often it is checked that the socket file is still ours. */
const GUARD_MS = 1_000;

export interface ListenerOptions {
  readonly path: string;
  readonly secret: Secret;
  readonly watches: ReadonlyMap<string, Watch>;
  readonly log: Log;
}

/** The checker's Unix socket and everybody connected to it. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #alarms: Alarms;
  readonly #proved = new Set<Peer>();
  readonly #unproved = new Set<Peer>();
  #server: Server | undefined;
  #inode = 0;
  #guard: NodeJS.Timeout | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#alarms = new Alarms(options.log);
  }

  get alarms(): number {
    return this.#alarms.count;
  }

  /** @throws ChartgateError `checker-unavailable` when the path cannot be taken */
  async listen(): Promise<void> {
    await takePath(this.#options.path);
    await this.#bind();
    this.#guard = setInterval(() => void this.#renew(), GUARD_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#guard);
    for (const peer of [...this.#unproved, ...this.#proved]) peer.close();
    await closeServer(this.#server);
  }

  async #bind(): Promise<void> {
    const { path } = this.#options;
    const server = createServer((socket) => this.#accept(socket));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', () => {
      reject(new ChartgateError('checker-unavailable', `Cannot listen on ${path}.`));
    });
    server.once('listening', resolve);
    // The file must not be open to others even for the instant before its mode is set.
    const mask = process.umask(0o117);
    try {
      server.listen(path);
    } finally {
      process.umask(mask);
    }
    await promise;
    server.on('error', () => {});
    chmodSync(path, 0o660);
    this.#inode = lstatSync(path).ino;
    this.#server = server;
  }

  /** Somebody removed the socket's file: nobody could reach the checker again, so it is made anew. */
  async #renew(): Promise<void> {
    const { path, log } = this.#options;
    if (this.#server === undefined || inodeOf(path) === this.#inode) return;
    log({ level: 'error', event: 'socket', sentence: 'The socket file was removed or replaced.' });
    const old = this.#server;
    this.#server = undefined;
    // Not awaited: it ends with its last connection. Its file name is given up at once.
    void closeServer(old);
    try {
      await takePath(path);
      await this.#bind();
      log({ level: 'info', event: 'socket', sentence: 'Listening on the socket again.' });
    } catch {
      // Somebody else answers there, or the folder is closed to us: tried again.
      this.#server = old;
    }
  }

  #accept(socket: Socket): void {
    if (this.#unproved.size >= UNPROVED_LIMIT || !this.#alarms.admit()) {
      socket.destroy();
      return;
    }
    const peer = new Peer({
      socket,
      secret: this.#options.secret,
      watches: this.#options.watches,
      alarm: (why) => this.#alarms.raise(why),
      proved: () => {
        this.#unproved.delete(peer);
        this.#proved.add(peer);
        if (this.#proved.size > PROVED_LIMIT) peer.close();
      },
    });
    this.#unproved.add(peer);
    socket.once('close', () => {
      this.#unproved.delete(peer);
      this.#proved.delete(peer);
    });
  }
}

function inodeOf(path: string): number {
  try {
    return lstatSync(path).ino;
  } catch {
    return -1;
  }
}

function closeServer(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (server === undefined) resolve();
    else server.close(() => resolve());
  });
}

/** Removes a socket file that nobody answers at. Anything else at that path is left alone and is an error. */
async function takePath(path: string): Promise<void> {
  let found: ReturnType<typeof lstatSync>;
  try {
    found = lstatSync(path);
  } catch {
    return;
  }
  if (found?.isSocket() !== true) {
    throw new ChartgateError('checker-unavailable', `${path} exists and is not a socket.`);
  }
  if (await answers(path)) {
    throw new ChartgateError('checker-unavailable', `Another process already listens on ${path}.`);
  }
  unlinkSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => end(true));
    socket.once('connect', () => end(true));
    // Only a refused connection proves that nobody listens; whatever else goes wrong, the file stays.
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code !== 'ECONNREFUSED'));
  });
}
