import { statSync } from 'node:fs';
import type { TunnelGrant, TunnelStatus } from '../../contracts/tunnel.ts';
import { roundTrips } from './round-trips.ts';
import type { TunnelServer } from './server-configuration.ts';
import { ESTABLISHED, listensAt, owners, readSockets, startOf } from './sockets.ts';

export interface Observed extends TunnelStatus {
  /** Somebody listens on its port who is not the server for tunnels: the gateway would be talking to them. */
  readonly taken: boolean;
}

/**
 * What is up, as the kernel says it and not as anybody claims: whose port is listened on, by which process, since
 * when, and where that process's client is. Linux only.
 */
export function observeTunnels(grants: readonly TunnelGrant[], server: TunnelServer): readonly Observed[] {
  const all = readSockets();
  const owned = owners();
  const uid = userOf(server);
  const trips = roundTrips();
  const lines = all.filter(({ localPort }) => localPort === server.port);
  const own = new Set(lines.flatMap((line) => owned.of(line)));
  return grants.map((grant) => {
    const listeners = all.filter((socket) => listensAt(socket, grant.port));
    const listener = listeners.find(({ local }) => local === '127.0.0.1') ?? listeners[0];
    const pid = listener === undefined ? undefined : owned.of(listener).find((each) => own.has(each));
    // Who may not look into the server's processes can tell their user alone.
    const up = pid !== undefined || (owned.blind && listener !== undefined && listener.uid === uid);
    const line =
      pid === undefined
        ? undefined
        : lines.find((each) => each.state === ESTABLISHED && owned.of(each).includes(pid));
    return {
      grant,
      up,
      taken: listener !== undefined && !up,
      since: pid === undefined ? undefined : startOf(pid),
      peer: line?.peer,
      roundTripMs: line === undefined ? undefined : trips.get(`${line.peer}:${line.peerPort}`),
    };
  });
}

/** The server runs as the user whose folder it is. */
export function userOf({ directory }: TunnelServer): number | undefined {
  return statSync(directory, { throwIfNoEntry: false })?.uid;
}
