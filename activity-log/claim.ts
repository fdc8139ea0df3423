import { randomBytes } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode, unavailable } from './directory.ts';

const ATTEMPTS = 5;
/** Longest path of a Unix socket on Linux is 107 bytes (unix(7)); a longer one would be cut silently. */
const MAX_SOCKET_PATH = 107;

/** The right to write one chain, until released or until the process ends. */
export interface Claim {
  release(): Promise<void>;
}

/**
 * Claims a chain for this process. Node has no flock, and a file with a process id goes stale after a
 * kill and lies when ids are used again or differ between containers. So a claim is a listening Unix
 * socket: the kernel ends it with the process, whatever kills that, and anybody who sees the file can
 * ask whether it lives. Each claim has a name of its own, never used again, and gets it (by rename)
 * only when it listens: so a name that refuses a connection is dead for good and can be removed
 * without a race. Everybody claims first and looks afterwards; of two who do so at once, at least one
 * sees the other and withdraws. Valid on one machine: keep the log on a local file system.
 * @throws ChartgateError activity-log-unavailable when another process holds the chain
 */
export async function claimChain(directory: string, chain: string): Promise<Claim> {
  const prefix = `${chain}.claim-`;
  for (let attempt = 1; ; attempt += 1) {
    const name = `${prefix}${randomBytes(8).toString('hex')}`;
    const path = join(directory, name);
    const server = await listen(directory, path);
    if (!(await othersLive(directory, prefix, name))) return { release: () => release(server, path) };
    await release(server, path);
    if (attempt === ATTEMPTS) throw unavailable(directory, `another process is writing the chain ${chain}`);
    await sleep(10 + Math.random() * 40 * attempt);
  }
}

async function listen(directory: string, path: string): Promise<Server> {
  const making = `${path}.new`;
  if (Buffer.byteLength(making) > MAX_SOCKET_PATH) {
    throw unavailable(
      directory,
      `its path is too long; with a file name it may have ${MAX_SOCKET_PATH} bytes`,
    );
  }
  const server = createServer((connection) => connection.destroy());
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      // `exclusive`: a cluster's primary must not listen in a worker's place.
      server.listen({ path: making, exclusive: true }, resolve);
    });
    server.unref();
    await rename(making, path);
    return server;
  } catch (error) {
    server.close();
    throw unavailable(directory, errorCode(error), error);
  }
}

async function othersLive(directory: string, prefix: string, own: string): Promise<boolean> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix) || name === own || name.endsWith('.new')) continue;
    if (await answers(join(directory, name))) return true;
    await rm(join(directory, name), { force: true });
  }
  return false;
}

/** Only a refusal or a vanished file proves that nobody listens; anything else counts as alive. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(path);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', (error) => {
      const code = errorCode(error);
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT');
    });
  });
}

async function release(server: Server, path: string): Promise<void> {
  await rm(path, { force: true });
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
