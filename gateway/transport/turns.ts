import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Connection, isBusy } from './connection.ts';

/** Requests that a client may pipeline on one connection; beyond, the connection is closed. */
const MAX_PIPELINED = 16;
/** Milliseconds that a client gets to read that what it sent is no HTTP. */
const FAREWELL_MS = 1000;

/**
 * One request at a time on an HTTP/1.1 connection, until its answer is out. Node hands over a pipelined
 * request while the one before it is still being judged; if that one turns out to be malformed, what
 * follows it may be part of it.
 */
export function inTurn(connection: Connection, socket: Duplex, start: () => Promise<void>): void {
  if (connection.doomed) return;
  if (isBusy(connection)) {
    if (connection.waiting.length >= MAX_PIPELINED) {
      doom(connection, socket);
      return;
    }
    if (connection.waiting.length === 0) nextWhenOut(connection);
    connection.waiting.push(() => inTurn(connection, socket, start));
    return;
  }
  void start();
}

function nextWhenOut(connection: Connection): void {
  connection.current?.once('close', () => connection.waiting.shift()?.());
}

export function begin(connection: Connection, response: ServerResponse): void {
  connection.current = response;
  // Those that were waiting already; whoever comes later sees to it itself.
  if (connection.waiting.length > 0) nextWhenOut(connection);
}

/** No further request on this HTTP/1.1 connection; the answer that is under way still goes out, whole. */
export function lastOn(connection: Connection | undefined, socket: Duplex): void {
  const response = connection?.response;
  if (connection === undefined || response === undefined || response.writableFinished) {
    socket.end();
    return;
  }
  // Those that wait were not begun: their client may send them elsewhere (RFC 9112 §9.3.2).
  connection.waiting.length = 0;
  // Written as `Connection: close`, and kept, where the head is not out yet; else the end has to be made.
  response.shouldKeepAlive = false;
  if (response.headersSent) response.once('finish', () => (socket as Socket).destroySoon());
}

export function doom(connection: Connection, socket: Duplex): void {
  connection.doomed = true;
  connection.waiting.length = 0;
  socket.destroy();
}

/** Bytes of HTTP/1.1 that are none: a bare 400, and nothing more is read. */
export function malformed(connection: Connection | undefined, socket: Duplex): void {
  // Both parsers may find the same.
  if (connection?.refused === true) return;
  // With an answer still on its way, these bytes would stand in the middle of it.
  if (connection !== undefined && isBusy(connection)) {
    doom(connection, socket);
    return;
  }
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  if (connection !== undefined) {
    connection.refused = true;
    connection.doomed = true;
    connection.waiting.length = 0;
  }
  socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  // A client that neither reads it nor closes would stay.
  const timer = setTimeout(() => socket.destroy(), FAREWELL_MS);
  socket.once('close', () => clearTimeout(timer));
}
