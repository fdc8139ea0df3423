import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import type { Account } from './accounts.ts';

/** A running process, as far as its limits go. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly account: Account;
  readonly command: readonly string[];
  /** Effective capabilities, one bit each (capabilities(7)). */
  readonly capabilities: bigint;
  readonly noNewPrivileges: boolean;
  /** 0 none, 1 strict, 2 filter (proc_pid_status(5)). */
  readonly seccomp: number;
  /** Bytes of a core dump at most. */
  readonly coreBytes: number;
}

/** Somebody listening on a TCP port of this machine. */
export interface Listening {
  readonly address: string;
  readonly port: number;
  readonly uid: number;
  readonly inode: string;
}

/** @returns undefined when it has ended */
export function processOf(pid: number): Process | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string): string =>
      new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim() ?? '';
    const first = (name: string): number => Number(field(name).split(/\s+/)[0]);
    const gid = first('Gid');
    const groups = field('Groups').split(/\s+/).filter(Boolean).map(Number);
    return {
      pid,
      parent: first('PPid'),
      account: { uid: first('Uid'), gid, groups: groups.filter((group) => group !== gid) },
      command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1),
      capabilities: BigInt(`0x${field('CapEff') || '0'}`),
      noNewPrivileges: field('NoNewPrivs') === '1',
      seccomp: first('Seccomp'),
      coreBytes: coreBytes(pid),
    };
  } catch {
    return undefined;
  }
}

function coreBytes(pid: number): number {
  const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
  const soft = /^Max core file size\s+(\S+)/m.exec(limits)?.[1] ?? '0';
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}

/** Processes that hold one of these sockets; those of other users are seen by root alone. */
export function holdersOf(inodes: ReadonlySet<string>): readonly Process[] {
  if (inodes.size === 0) return [];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => holds(pid, inodes)).flatMap((pid) => processOf(Number(pid)) ?? []);
}

function holds(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
        return inode !== undefined && inodes.has(inode);
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}

/** The listening socket's inode at a Unix path; undefined when nobody listens there. */
export function unixListener(path: string): string | undefined {
  for (const line of read('/proc/net/unix')) {
    // Num RefCount Protocol Flags Type St Inode Path; flag 0x10000: listening (unix(7), __SO_ACCEPTCON).
    const [, , , flags = '', , , inode, ...rest] = line.trim().split(/\s+/);
    if (rest.join(' ') === path && (Number.parseInt(flags, 16) & 0x10000) !== 0) return inode;
  }
  return undefined;
}

/** Everybody who listens on a TCP port here. */
export function tcpListeners(port: number): readonly Listening[] {
  return [...read('/proc/net/tcp'), ...read('/proc/net/tcp6')].flatMap((line) => {
    const [, local = '', , state, , , , uid, , inode = ''] = line.trim().split(/\s+/);
    const [address = '', portHex = ''] = local.split(':');
    if (state !== '0A' || Number.parseInt(portHex, 16) !== port) return [];
    return [{ address: addressOf(address), port, uid: Number(uid), inode }];
  });
}

function read(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(1).filter(Boolean);
  } catch {
    return [];
  }
}

/** The kernel's hexadecimal: each 32-bit word in the machine's own byte order, here little-endian. */
function addressOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex')].reverse());
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, at) =>
    (((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0)).toString(16),
  );
  const text = words.join(':');
  if (text === '0:0:0:0:0:0:0:0') return '::';
  if (text === '0:0:0:0:0:0:0:1') return '::1';
  if (text.startsWith('0:0:0:0:0:ffff:')) return bytes.slice(12).join('.');
  return text;
}

/** Whether an address is this machine's alone. */
export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || address === 'localhost' || (isIPv4(address) && address.startsWith('127.'));
}
