import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What the proxy does with what it carries. `slow` delays every answer of the server; `silent` carries nothing any
 * more while every connection stays open; `shut` refuses and cuts.
 */
export type Conduct = 'pass' | 'slow' | 'silent' | 'shut';

/** Between the checker and its database: everything that a network does. */
export class DatabaseProxy {
  readonly port: number;
  /** Where connections go that are made from now on. */
  target: number;
  /** Of `slow`, milliseconds. */
  delayMs = 3_000;
  #conduct: Conduct = 'pass';
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();

  private constructor(server: Server, port: number, target: number) {
    this.#server = server;
    this.port = port;
    this.target = target;
  }

  static async start(target: number): Promise<DatabaseProxy> {
    let proxy: DatabaseProxy | undefined;
    const server = createServer((socket) => {
      if (proxy === undefined) socket.destroy();
      else proxy.#accept(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    proxy = new DatabaseProxy(server, address.port, target);
    return proxy;
  }

  get conduct(): Conduct {
    return this.#conduct;
  }

  set conduct(conduct: Conduct) {
    this.#conduct = conduct;
    if (conduct === 'shut') this.cut();
  }

  /** Every connection ends at once, without a goodbye. */
  cut(): void {
    for (const pair of [...this.#pairs]) pair.end();
  }

  /** The connections that are there now never carry anything again; later ones do. */
  freezePresent(): void {
    for (const pair of this.#pairs) pair.frozen = true;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    if (this.#conduct === 'shut') {
      client.resetAndDestroy();
      return;
    }
    const pair = new Pair(client, connect(this.target, '127.0.0.1'), this);
    this.#pairs.add(pair);
    pair.ended = () => this.#pairs.delete(pair);
  }
}

class Pair {
  frozen = false;
  ended: () => void = () => {};
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #proxy: DatabaseProxy;
  /** What came while nothing was carried. */
  readonly #held: (() => void)[] = [];

  constructor(client: Socket, server: Socket, proxy: DatabaseProxy) {
    this.#client = client;
    this.#server = server;
    this.#proxy = proxy;
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.end());
      socket.on('close', () => this.end());
    }
    client.on('data', (chunk: Buffer) => this.#carry(() => server.write(chunk), 0));
    server.on('data', (chunk: Buffer) => this.#carry(() => client.write(chunk), proxy.delayMs));
  }

  end(): void {
    this.#client.destroy();
    this.#server.destroy();
    this.ended();
  }

  #carry(pass: () => void, delayMs: number): void {
    const { conduct } = this.#proxy;
    if (this.frozen || conduct === 'silent') this.#held.push(pass);
    else if (conduct === 'slow' && delayMs > 0) setTimeout(() => this.#pass(pass), delayMs).unref();
    else this.#pass(pass);
  }

  /** What was held back for good is never sent later: order is kept by sending nothing after it. */
  #pass(pass: () => void): void {
    if (this.#held.length === 0 && !this.#client.destroyed && !this.#server.destroyed) pass();
  }
}
