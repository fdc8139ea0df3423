import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  CONTROL_LIMIT,
  CONTROL_PATH_LIMIT,
  CONTROL_SOCKET,
  type ControlAnswer,
  type ControlAsk,
} from '../../contracts/control.ts';
import { parseTenantId, type TenantId } from '../../contracts/identifiers.ts';
import { log } from './log.ts';

/** Milliseconds in which a question has to be there; the answer may take longer. */
const ASKED_MS = 2000;
const MOST_CONNECTIONS = 16;

export interface Control {
  close(): Promise<void>;
}

export interface Commands {
  status(): Promise<ControlAnswer>;
  /** @returns what was wrong, if anything */
  takeTenants(ids: readonly TenantId[]): Promise<string | undefined>;
}

/**
 * Listens for commands beside the activity log, whose folder is this gateway's alone. Nothing depends on it: where the
 * socket cannot be made, the log says so, and SIGHUP remains.
 */
export async function listenForCommands(directory: string, commands: Commands): Promise<Control> {
  const path = join(directory, CONTROL_SOCKET);
  try {
    if (Buffer.byteLength(path) > CONTROL_PATH_LIMIT)
      throw new TypeError('the path is too long for a Unix socket');
    await takePath(path);
    return await bind(path, commands);
  } catch (error) {
    log('warning', 'control-unavailable', { why: error instanceof Error ? error.message : 'unknown' });
    return { close: async () => {} };
  }
}

async function bind(path: string, commands: Commands): Promise<Control> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => {});
    void converse(socket, commands);
  });
  server.maxConnections = MOST_CONNECTIONS;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.once('listening', resolve);
  // The file must not be open to others even for the instant before its mode is set.
  const mask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(mask);
  }
  await promise;
  server.off('error', reject);
  server.on('error', () => {});
  chmodSync(path, 0o600);
  return {
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** What a gateway left that was killed. One that answers would be another gateway's: then this fails. */
async function takePath(path: string): Promise<void> {
  try {
    if (!lstatSync(path).isSocket()) throw new TypeError('another file is in the place of the socket');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const answers = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => resolve(true));
    probe.once('error', () => resolve(false));
    probe.once('close', () => probe.destroy());
  });
  if (answers) throw new TypeError('another process answers at the socket');
  unlinkSync(path);
}

async function converse(socket: Socket, commands: Commands): Promise<void> {
  let answer: ControlAnswer;
  try {
    answer = await obey(parseAsk(await question(socket)), commands);
  } catch {
    answer = { ok: false, message: 'this gateway does not know what was asked' };
  }
  if (socket.destroyed) return;
  // Who does not leave is made to.
  socket.end(`${JSON.stringify(answer)}\n`, () => socket.destroySoon());
}

function question(socket: Socket): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const late = setTimeout(() => reject(new TypeError('too late')), ASKED_MS);
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (part: string) => {
    text += part;
    if (text.length > CONTROL_LIMIT) reject(new TypeError('too long'));
    else if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
  });
  socket.once('end', () => reject(new TypeError('nothing asked')));
  socket.once('close', () => reject(new TypeError('gone')));
  return promise.finally(() => {
    clearTimeout(late);
    // Whatever else comes is not kept.
    socket.removeAllListeners('data').resume();
  });
}

/** @throws TypeError for anything that is no question */
export function parseAsk(text: string): ControlAsk {
  const said: unknown = JSON.parse(text);
  if (typeof said !== 'object' || said === null || !('do' in said)) throw new TypeError('no question');
  if (said.do === 'status') return { do: 'status' };
  if (said.do !== 'take-tenants' || !('ids' in said) || !Array.isArray(said.ids))
    throw new TypeError('no question');
  const ids = said.ids.map((id: unknown) => (typeof id === 'string' ? parseTenantId(id) : undefined));
  const known = ids.filter((id) => id !== undefined);
  if (known.length === 0 || known.length !== ids.length) throw new TypeError('no tenants');
  return { do: 'take-tenants', ids: known };
}

async function obey(ask: ControlAsk, commands: Commands): Promise<ControlAnswer> {
  if (ask.do === 'status') return commands.status();
  const from = performance.now();
  const fault = await commands.takeTenants(ask.ids as readonly TenantId[]);
  const milliseconds = Math.round((performance.now() - from) * 10) / 10;
  return fault === undefined ? { ok: true, do: 'take-tenants', milliseconds } : { ok: false, message: fault };
}
