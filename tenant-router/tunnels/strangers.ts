import { setTimeout as sleep } from 'node:timers/promises';
import type { TunnelGrant } from '../../contracts/tunnel.ts';
import { userOf } from './observe.ts';
import type { TunnelServer } from './server-configuration.ts';
import { LISTENING, listensAt, owners, readSockets, runs, type Socket } from './sockets.ts';

/** Milliseconds that a process gets to end when it is asked to, and after it was made to. */
const END_MS = 1_000;
const LOOK_MS = 20;

interface Strangers {
  readonly pids: readonly number[];
  /** There are more, whose processes who asks may not see. */
  readonly unseen: boolean;
}

/**
 * Ends every connection to the server that serves no granted port: whoever came by a key that is refused now, also one
 * that asked for nothing yet and could take its port, or the next tenant's, at any time. Clinics that were just
 * connecting dial again within a second.
 *
 * @param grants those that remain
 * @returns whether nobody is left
 */
export async function endStrangers(grants: readonly TunnelGrant[], server: TunnelServer): Promise<boolean> {
  const { pids, unseen } = strangers(grants, server);
  const ended = await Promise.all(pids.map(endProcess));
  return !unseen && ended.every((each) => each);
}

function strangers(grants: readonly TunnelGrant[], server: TunnelServer): Strangers {
  const all = readSockets();
  const owned = owners();
  const uid = userOf(server);
  const ports = new Set(grants.map(({ port }) => port));
  const pidsOf = (which: (socket: Socket) => boolean) => new Set(all.filter(which).flatMap(owned.of));
  // The server itself, which has a connection in its hands while it makes a process for it.
  const daemon = pidsOf((each) => each.localPort === server.port && each.state === LISTENING);
  const serving = pidsOf((each) => ports.has(each.localPort) && listensAt(each, each.localPort));
  const lines = all.filter(
    (each) =>
      each.localPort === server.port &&
      each.state !== LISTENING &&
      each.uid === uid &&
      // One that is over: no process has it.
      each.inode !== '0',
  );
  // A connection is of two processes, sshd's monitor and the one that serves its port.
  const strange = lines.map(owned.of).filter((pids) => !pids.some((pid) => serving.has(pid)));
  const pids = new Set(strange.flat().filter((pid) => !daemon.has(pid)));
  return { pids: [...pids], unseen: owned.blind && lines.some((line) => owned.of(line).length === 0) };
}

async function endProcess(pid: number): Promise<boolean> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      // It may have ended by itself.
      return !runs(pid);
    }
    for (let waited = 0; waited < END_MS; waited += LOOK_MS) {
      await sleep(LOOK_MS);
      if (!runs(pid)) return true;
    }
  }
  return false;
}
