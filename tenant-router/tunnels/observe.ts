import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { TunnelGrant, TunnelStatus } from '../../contracts/tunnel.ts';
import { roundTrips } from './round-trips.ts';

/** State of a TCP socket in /proc/net/tcp (include/net/tcp_states.h). */
const ESTABLISHED = '01';
const LISTENING = '0A';
/** `sysconf(_SC_CLK_TCK)`: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

interface Socket {
  readonly state: string;
  readonly localPort: number;
  readonly peer: string;
  readonly peerPort: number;
  readonly inode: string;
}

/** IPv4 as the kernel prints it: bytes in the machine's order, which is little-endian on all that matter here. */
export function parseSockets(text: string): readonly Socket[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const [, local = '', remote = '', state = ''] = fields;
      const inode = fields[9];
      if (inode === undefined) return [];
      const [address = '', port = ''] = remote.split(':');
      return [
        {
          state,
          localPort: Number.parseInt(local.split(':')[1] ?? '', 16),
          peer: addressOf(address),
          peerPort: Number.parseInt(port, 16),
          inode,
        },
      ];
    });
}

function addressOf(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) =>
    (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)),
  );
  if (bytes.length === 4) return bytes.join('.');
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (mapped) return bytes.slice(12).join('.');
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0)).toString(16),
  );
  return groups.join(':');
}

function sockets(): readonly Socket[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => {
    try {
      return parseSockets(readFileSync(path, 'utf8'));
    } catch {
      return [];
    }
  });
}

/** Process by socket, of those that may be looked into: one's own, and everybody's for root. */
function owners(): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('sshd')) continue;
      for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
        const link = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`));
        if (link?.[1] !== undefined) found.set(link[1], Number(pid));
      }
    } catch {
      // Somebody else's, or gone meanwhile.
    }
  }
  return found;
}

/** Wall-clock milliseconds at which a process began. */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
    const boot = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1];
    if (boot === undefined || !Number.isFinite(ticks)) return undefined;
    return Number(boot) * 1000 + (ticks * 1000) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

export interface Observed extends TunnelStatus {
  /** The process that serves it; undefined when it is down, or who asks may not see it. */
  readonly pid: number | undefined;
}

/**
 * What is up, as the kernel says it and not as anybody claims: whose port is listened on, by which process, since
 * when, and where that process's client is. Linux only.
 *
 * @param serverPort the port that clinics dial
 */
export function observeTunnels(grants: readonly TunnelGrant[], serverPort: number): readonly Observed[] {
  const all = sockets();
  const owned = owners();
  const trips = roundTrips();
  return grants.map((grant) => {
    const listener = all.find(({ state, localPort }) => state === LISTENING && localPort === grant.port);
    const pid = listener === undefined ? undefined : owned.get(listener.inode);
    const line = all.find(
      ({ state, localPort, inode }) =>
        state === ESTABLISHED && localPort === serverPort && pid !== undefined && owned.get(inode) === pid,
    );
    return {
      grant,
      up: listener !== undefined,
      since: pid === undefined ? undefined : startOf(pid),
      peer: line?.peer,
      roundTripMs: line === undefined ? undefined : trips.get(`${line.peer}:${line.peerPort}`),
      pid,
    };
  });
}
