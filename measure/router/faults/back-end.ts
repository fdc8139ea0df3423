import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What ails a back end. */
export const MODES = [
  'well',
  'hangs',
  'resets',
  'slow',
  'garbage',
  'closes-after-headers',
  'unwell',
  'refuses',
  'flaps',
  'closes-idle',
] as const;
export type Mode = (typeof MODES)[number];

/** Milliseconds of an answer that is slow, and of each state of one that flaps. */
const SLOW_MS = 800;
const FLAP_MS = 700;

/** An EMR that knows every patient, and has something wrong with it. Real sockets; counts what reaches it. */
export class FaultyEmr {
  /** Requests that arrived, whatever became of them. */
  attempts = 0;
  /** Of these, those that would have changed something. */
  writes = 0;
  readonly #sockets = new Set<Socket>();
  readonly #served = new WeakMap<Socket, number>();
  #server: Server;
  #port = 0;
  #mode: Mode = 'well';
  #flapping: NodeJS.Timeout | undefined;
  readonly #answerMs: number;

  /** @param answerMs how long a good answer takes */
  constructor(answerMs = 0) {
    this.#answerMs = answerMs;
    this.#server = this.#make();
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** @returns its origin, the same for good */
  async start(): Promise<string> {
    await this.#listen();
    return `http://127.0.0.1:${this.#port}`;
  }

  async become(mode: Mode): Promise<void> {
    clearInterval(this.#flapping);
    this.#mode = mode;
    const down = mode === 'refuses';
    if (down) await this.#down();
    else await this.#up();
    if (mode !== 'flaps') return;
    let up = true;
    this.#flapping = setInterval(() => {
      up = !up;
      void (up ? this.#up() : this.#down());
    }, FLAP_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#flapping);
    await this.#down();
  }

  #make(): Server {
    const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
      void this.#answer(request, response);
    });
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
    });
    return server;
  }

  async #listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #up(): Promise<void> {
    if (this.#server.listening) return;
    this.#server = this.#make();
    await this.#listen();
  }

  /** As when its process dies. */
  async #down(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => {});
    request.resume();
    const { socket } = request;
    const served = (this.#served.get(socket) ?? 0) + 1;
    this.#served.set(socket, served);
    const check = request.url === '/health';
    if (!check) {
      this.attempts += 1;
      if (request.method !== 'GET') this.writes += 1;
    }
    switch (this.#mode) {
      case 'hangs':
        return;
      case 'resets':
        socket.resetAndDestroy();
        return;
      case 'garbage':
        socket.end('220 mail.example ESMTP\r\n');
        return;
      case 'closes-after-headers':
        if (check) break;
        socket.write(
          'HTTP/1.1 200 OK\r\ncontent-type: application/fhir+json\r\ncontent-length: 5000\r\n\r\n{"resourceType":',
        );
        socket.end();
        return;
      case 'unwell':
        response.writeHead(503, { 'content-type': 'text/plain' });
        response.end('database is gone');
        return;
      case 'slow':
        await sleep(SLOW_MS);
        break;
      case 'closes-idle':
        // As one that closes a kept connection in the moment in which it is used again.
        if (served > 1) {
          socket.destroy();
          return;
        }
    }
    if (this.#answerMs > 0) await sleep(this.#answerMs);
    const id = /\/Patient\/(\d+)/.exec(request.url ?? '')?.[1];
    const created = request.method === 'POST';
    response.writeHead(created ? 201 : 200, {
      'content-type': 'application/fhir+json',
      ...(created ? { location: '/fhir/Patient/1' } : {}),
    });
    response.end(JSON.stringify({ resourceType: 'Patient', id: id ?? '1' }));
  }
}
