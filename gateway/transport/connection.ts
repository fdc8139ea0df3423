import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsFacts } from '../../contracts/facts.ts';

/** What the listener knows of a connection: an HTTP/1.1 socket, or an HTTP/2 session. */
export interface Connection {
  readonly tls: TlsFacts;
  readonly peer: string;
  /** HTTP/1.1 only: the answer to the request that is being handled; until it is closed no other one begins. */
  current: ServerResponse | undefined;
  /** HTTP/1.1 only: an answer that was all handed over and not read to its end, and since when. */
  unread: { readonly response: ServerResponse; readonly since: number } | undefined;
  /** HTTP/2 only: streams that are open. */
  streams: number;
  /** HTTP/2 only: monotonic milliseconds since which none is. */
  idleSince: number;
  /** Pipelined requests that wait for it. */
  readonly waiting: (() => void)[];
  /** The connection's state is in doubt: nothing that came on it after this counts. */
  doomed: boolean;
  /** HTTP/1.1 only: it was answered that what came is no HTTP. */
  refused: boolean;
  /** HTTP/1.1 only: the answer to the newest request. */
  response: ServerResponse | undefined;
}

/** HTTP/1.1: a request is being handled, or its answer is not out yet. */
export function isBusy(connection: Connection): boolean {
  return connection.current !== undefined && !connection.current.closed;
}

/** The address at the other end; an IPv4 address that was mapped into IPv6 in its own form. */
export function peerOf(socket: Socket): string {
  const address = socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

/**
 * @param now monotonic milliseconds
 * @param about `peer`: where the client is; `certificateAt`: what its certificate is worth at a server name
 */
export function describe(
  socket: TLSSocket,
  now: number,
  about: {
    readonly peer: string;
    readonly certificateAt: (serverName: string) => Pick<TlsFacts, 'certificate' | 'certificateFault'>;
  },
): Connection {
  const serverName = typeof socket.servername === 'string' ? socket.servername.toLowerCase() : '';
  return {
    tls: Object.freeze({
      version: socket.getProtocol() === 'TLSv1.2' ? 'TLSv1.2' : 'TLSv1.3',
      cipher: socket.getCipher()?.name ?? '',
      serverName,
      ...about.certificateAt(serverName),
    }),
    peer: about.peer,
    current: undefined,
    unread: undefined,
    streams: 0,
    idleSince: now,
    waiting: [],
    doomed: false,
    refused: false,
    response: undefined,
  };
}
