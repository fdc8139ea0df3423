import { BlockList, isIP, type Socket } from 'node:net';
import type { GatewaySettings } from '../../contracts/settings.ts';
import { peerOf } from './connection.ts';
import { plainAddress, receiveProxyHeader } from './proxy-protocol.ts';

/** Characters of all `X-Forwarded-For` fields together; a chain of proxies needs a few dozen. */
const MOST_CHARACTERS = 2048;

/** Where clients are, when proxies of one's own stand in front of the gateway. */
export interface Front {
  /** Whether connections begin with a PROXY protocol header. */
  readonly announces: boolean;
  /**
   * Calls `then` when a connection may go on, with the address it counts under; undefined: it is a proxy's, which many
   * clients share. Destroys the one that may not.
   */
  admit(socket: Socket, limitMs: number, then: (peer: string | undefined) => void): void;
  /** The address at the other end of a connection, or the one that was announced for it. */
  peerOf(socket: Socket): string;
  /** Where the client of a request is. `undefined`: a proxy that was trusted to say it did not, or not clearly. */
  clientOf(peer: string, rawHeaders: readonly string[]): string | undefined;
}

/** The networks as Node compares addresses with them. Whatever is not an address is in none. */
function networks(list: readonly string[]): (address: string) => boolean {
  const block = new BlockList();
  for (const network of list) {
    const [address = '', prefix] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) block.addAddress(address, family);
    else block.addSubnet(address, Number(prefix), family);
  }
  return (address) => {
    const family = isIP(address);
    return family !== 0 && block.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}

/** Addresses that proxies announced, by the connection's own ends: a TLS socket does not name the one below it. */
class Announced {
  readonly #byPort = new Map<number, Map<string, Map<string, string>>>();

  add(socket: Socket, address: string): void {
    const { remotePort = 0, remoteAddress = '', localAddress = '' } = socket;
    let byRemote = this.#byPort.get(remotePort);
    if (byRemote === undefined) {
      byRemote = new Map();
      this.#byPort.set(remotePort, byRemote);
    }
    let byLocal = byRemote.get(remoteAddress);
    if (byLocal === undefined) {
      byLocal = new Map();
      byRemote.set(remoteAddress, byLocal);
    }
    const mine = byLocal;
    mine.set(localAddress, address);
    socket.once('close', () => {
      mine.delete(localAddress);
      if (mine.size === 0) byRemote.delete(remoteAddress);
      if (byRemote.size === 0 && this.#byPort.get(remotePort) === byRemote) this.#byPort.delete(remotePort);
    });
  }

  of(socket: Socket): string | undefined {
    return this.#byPort
      .get(socket.remotePort ?? 0)
      ?.get(socket.remoteAddress ?? '')
      ?.get(socket.localAddress ?? '');
  }
}

export function createFront(
  listen: Pick<GatewaySettings['listen'], 'trustedProxies' | 'proxyProtocol'>,
): Front {
  const { trustedProxies, proxyProtocol } = listen;
  if (trustedProxies === undefined || trustedProxies.length === 0) return DIRECT;
  const trusted = networks(trustedProxies);
  return proxyProtocol === 'required' ? announced(trusted) : forwarded(trusted);
}

const DIRECT: Front = Object.freeze({
  announces: false,
  admit: (socket: Socket, _limitMs: number, then: (peer: string | undefined) => void) => then(peerOf(socket)),
  peerOf,
  clientOf: (peer: string) => peer,
});

/** Only listed proxies may connect, and each connection begins with their word for whose it is. */
function announced(trusted: (address: string) => boolean): Front {
  const known = new Announced();
  return Object.freeze({
    announces: true,
    admit(socket: Socket, limitMs: number, then: (peer: string | undefined) => void) {
      const proxy = peerOf(socket);
      if (!trusted(proxy)) {
        socket.destroy();
        return;
      }
      receiveProxyHeader(socket, limitMs, (header) => {
        if (header === undefined || socket.destroyed) {
          socket.destroy();
          return;
        }
        if (header.kind === 'client') known.add(socket, header.address);
        then(header.kind === 'client' ? header.address : undefined);
      });
    },
    peerOf: (socket: Socket) => known.of(socket) ?? peerOf(socket),
    clientOf: (peer: string) => peer,
  });
}

/**
 * `X-Forwarded-For`, from right to left: each proxy that is trusted vouches for the entry before its own. The first
 * address that is none of theirs is the client; what stands to its left anybody may have written.
 */
function forwarded(trusted: (address: string) => boolean): Front {
  return Object.freeze({
    announces: false,
    admit(socket: Socket, _limitMs: number, then: (peer: string | undefined) => void) {
      const peer = peerOf(socket);
      then(trusted(peer) ? undefined : peer);
    },
    peerOf,
    clientOf(peer: string, rawHeaders: readonly string[]) {
      if (!trusted(peer)) return peer;
      const entries = entriesOf(rawHeaders);
      for (let at = entries.length - 1; at >= 0; at -= 1) {
        const entry = entries[at]?.trim() ?? '';
        if (isIP(entry) === 0) return undefined;
        const address = plainAddress(entry.replace(/%.*$/, ''));
        if (!trusted(address)) return address;
        if (at === 0) return address;
      }
      return undefined;
    },
  });
}

function entriesOf(rawHeaders: readonly string[]): readonly string[] {
  let joined: string | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() !== 'x-forwarded-for') continue;
    joined = joined === undefined ? rawHeaders[at + 1] : `${joined},${rawHeaders[at + 1]}`;
    if ((joined?.length ?? 0) > MOST_CHARACTERS) return [];
  }
  return joined === undefined ? [] : joined.split(',');
}

/** How many connections each client has; one more than its number is not taken. */
export class PeerCount {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** @param peer what the client counts under */
  admit(socket: Socket, peer: string): boolean {
    const count = (this.#counts.get(peer) ?? 0) + 1;
    if (count > this.#most) return false;
    this.#counts.set(peer, count);
    socket.once('close', () => {
      const left = (this.#counts.get(peer) ?? 1) - 1;
      if (left > 0) this.#counts.set(peer, left);
      else this.#counts.delete(peer);
    });
    return true;
  }
}
