import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What one back end saw of one request. */
export interface Seen {
  /** Number of the request, as its client gave it. */
  readonly probe: number;
  /** Number of the back end. */
  readonly at: number;
  /** Number of the connection. */
  readonly connection: number;
  readonly host: string;
  /** What the gateway said of the tenant; empty: nothing. */
  readonly told: string;
}

/**
 * Many small EMRs in a process of its own: each says which it is and what it was told, and remembers what it saw.
 * Arguments: how many. Messages: `report` is answered with everything that was seen.
 */
if (process.send !== undefined) {
  const count = Number(process.argv[2]);
  const seen: Seen[] = [];
  let connections = 0;
  const ports: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const numbers = new WeakMap<object, number>();
    const server = createServer((request, response) => {
      const connection = numbers.get(request.socket) ?? 0;
      const told = String(request.headers['x-clinic'] ?? '');
      const probe = Number(request.headers['x-probe'] ?? -1);
      const host = request.headers.host ?? '';
      seen.push({ probe, at, connection, host, told });
      const body = JSON.stringify({ probe, at, told, host });
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      });
      response.end(body);
    });
    server.keepAliveTimeout = 30_000;
    server.on('connection', (socket) => {
      connections += 1;
      numbers.set(socket, connections);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports.push((server.address() as AddressInfo).port);
  }
  process.on('message', (message) => {
    if (message === 'report') process.send?.({ seen });
  });
  process.on('disconnect', () => process.exit(0));
  process.send({ ports });
}
