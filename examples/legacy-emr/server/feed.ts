import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { Emr } from './exchange.ts';

/** Notices that follow the greeting. */
const NOTICES = ['waiting room opened', 'laboratory connected'];

/** The WebSocket feed of the reception: a greeting, some notices, then every message sent back. */
export class Feed {
  readonly #emr: Emr;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 1024 * 1024,
  });

  constructor(emr: Emr) {
    this.#emr = emr;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#sockets.handleUpgrade(request, socket, head, (client) => this.#greet(client));
  }

  #greet(client: WebSocket): void {
    client.on('error', () => client.terminate());
    client.on('message', (data: RawData, binary: boolean) => {
      // Text comes back wrapped, binary as it was.
      if (binary) client.send(data, { binary: true });
      else client.send(JSON.stringify({ type: 'echo', text: data.toString() }));
    });
    client.send(JSON.stringify({ type: 'greeting', clinic: this.#emr.clinic, server: this.#emr.product }));
    for (const text of NOTICES) client.send(JSON.stringify({ type: 'notice', text }));
  }

  close(): void {
    for (const client of this.#sockets.clients) client.terminate();
    this.#sockets.close();
  }
}
