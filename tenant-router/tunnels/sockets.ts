import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** States of a TCP socket in /proc/net/tcp (include/net/tcp_states.h). */
export const ESTABLISHED = '01';
export const LISTENING = '0A';
/** `sysconf(_SC_CLK_TCK)`: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Addresses at which a listener gets what is sent to 127.0.0.1, as they are written here. */
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '0.0.0.0', '0:0:0:0:0:0:0:0']);

export interface Socket {
  readonly state: string;
  readonly local: string;
  readonly localPort: number;
  readonly peer: string;
  readonly peerPort: number;
  /** Of the user that made it. */
  readonly uid: number;
  /** `0`: no process has it any more. */
  readonly inode: string;
}

/** IPv4 as the kernel prints it: bytes in the machine's order, which is little-endian on all that matter here. */
export function parseSockets(text: string): readonly Socket[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const [, here = '', there = '', state = ''] = fields;
      const inode = fields[9];
      if (inode === undefined) return [];
      const [local = '', localPort = ''] = here.split(':');
      const [peer = '', peerPort = ''] = there.split(':');
      return [
        {
          state,
          local: addressOf(local),
          localPort: Number.parseInt(localPort, 16),
          peer: addressOf(peer),
          peerPort: Number.parseInt(peerPort, 16),
          uid: Number(fields[7]),
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

export function readSockets(): readonly Socket[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => {
    try {
      return parseSockets(readFileSync(path, 'utf8'));
    } catch {
      return [];
    }
  });
}

/** Listens where the gateway would reach it, at a loopback port. */
export function listensAt(socket: Socket, port: number): boolean {
  return socket.state === LISTENING && socket.localPort === port && LOOPBACK.has(socket.local);
}

/** Loopback ports that somebody listens on, whoever it is. */
export function portsInUse(): ReadonlySet<number> {
  return new Set(
    readSockets()
      .filter((socket) => listensAt(socket, socket.localPort))
      .map(({ localPort }) => localPort),
  );
}

export interface Owners {
  /** Processes of any `sshd` that have the socket of this inode. */
  of(socket: Socket): readonly number[];
  /** There are some that may not be looked into: who asks is neither root nor, on older kernels, their user. */
  readonly blind: boolean;
}

export function owners(): Owners {
  const found = new Map<string, number[]>();
  let blind = false;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('sshd')) continue;
      for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
        const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`)) ?? [];
        if (inode === undefined) continue;
        const pids = found.get(inode);
        if (pids === undefined) found.set(inode, [Number(pid)]);
        else pids.push(Number(pid));
      }
    } catch (error) {
      // Somebody else's; or gone meanwhile.
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EACCES' || code === 'EPERM') blind = true;
    }
  }
  return { of: ({ inode }) => found.get(inode) ?? [], blind };
}

/** From its state on (proc_pid_stat(5)); undefined: there is no such process. */
function statOf(pid: number): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Its name may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** Whether it has not ended, even if nobody has taken note of that yet. */
export function runs(pid: number): boolean {
  const state = statOf(pid)?.[0];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** Wall-clock milliseconds at which a process began. */
export function startOf(pid: number): number | undefined {
  const ticks = Number(statOf(pid)?.[19]);
  const boot = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1];
  if (boot === undefined || !Number.isFinite(ticks)) return undefined;
  return Number(boot) * 1000 + (ticks * 1000) / TICKS_PER_SECOND;
}
