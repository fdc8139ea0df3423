import { createHmac } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import {
  type AttestRequest,
  type AttestVerdict,
  encodeFrame,
  FrameReader,
  MAXIMUM_REQUEST,
  parseAttest,
  parseProve,
  proofInput,
  seal,
  spell,
} from '../../../contracts/attestation.ts';

/** What the fake does with one question; `reply` sends a sealed verdict, by default the right one. */
export type Conduct = (request: AttestRequest, fake: FakeConnection) => void;

export interface FakeConnection {
  readonly socket: Socket;
  reply(request: AttestRequest, changes?: Partial<AttestVerdict>): void;
  sendRaw(bytes: Buffer | string): void;
  /** Sends a message that was sealed for an earlier question once more. */
  readonly sent: string[];
}

/** Something that sits at the checker's socket, knows the secret (or another), and misbehaves on demand. */
export class FakeChecker {
  conduct: Conduct = (request, fake) => fake.reply(request);
  /** Sent in place of the hello when set. */
  hello: Buffer | undefined;
  connections = 0;
  requests = 0;
  readonly #secret: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(secret: string) {
    this.#secret = secret;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve) => this.#server.listen(path, resolve));
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.dropAll();
    await closed;
  }

  dropAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    if (this.hello !== undefined) {
      socket.write(this.hello);
      return;
    }
    const nonce = 'C'.repeat(43);
    const reader = new FrameReader(MAXIMUM_REQUEST);
    const hmac = (input: string): Buffer => createHmac('sha256', this.#secret).update(input).digest();
    const send = (message: string): void => {
      socket.write(encodeFrame(message, 1 << 20));
    };
    let key: Buffer | undefined;
    const sent: string[] = [];
    const fake: FakeConnection = {
      socket,
      sent,
      sendRaw: (bytes) => {
        socket.write(bytes);
      },
      reply: (request, changes = {}) => {
        const text = spell({
          type: 'verdict',
          id: request.id,
          database: request.database,
          nonce: request.nonce,
          state: 'intact',
          epoch: 'e'.repeat(32),
          findings: [],
          micros: 1,
          ...changes,
        });
        const sealed = seal(
          text,
          createHmac('sha256', key ?? '')
            .update(text)
            .digest('base64url'),
        );
        sent.push(sealed);
        send(sealed);
      },
    };
    socket.on('data', (chunk: Buffer) => {
      reader.push(chunk, (message) => {
        if (key === undefined) {
          const prove = parseProve(message);
          key = hmac(proofInput('session', nonce, prove.nonce));
          const proof = hmac(proofInput('checker', nonce, prove.nonce)).toString('base64url');
          send(spell({ type: 'proved', proof }));
          return;
        }
        this.requests += 1;
        this.conduct(parseAttest(message), fake);
      });
    });
    send(spell({ type: 'hello', nonce }));
  }
}
