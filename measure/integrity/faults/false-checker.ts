import { createHmac, randomBytes } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import {
  type AttestRequest,
  encodeFrame,
  FrameReader,
  MAXIMUM_REQUEST,
  parseAttest,
  parseProve,
  proofInput,
  seal,
  spell,
} from '../../../contracts/attestation.ts';
import { parseDatabaseId } from '../../../contracts/identifiers.ts';

/** One connection of the gateway to whoever sits at the checker's socket. */
export interface Victim {
  readonly socket: Socket;
  /** A frame as it is, whatever it holds. */
  raw(bytes: Buffer | string): void;
  frame(message: string): void;
  /** A sealed verdict, "intact" unless told otherwise, with this connection's own key. */
  verdict(request: AttestRequest, changes?: Readonly<Record<string, unknown>>): string;
  /** The questions of this connection so far. */
  readonly asked: AttestRequest[];
}

/** What somebody at the checker's socket does, with the right secret or without. */
export interface Deceit {
  readonly name: string;
  readonly secret: 'right' | 'wrong';
  /** Instead of the hello. */
  readonly hello?: (victim: Victim) => void;
  readonly answer: (request: AttestRequest, victim: Victim) => void;
}

const say = (victim: Victim, text: string): void => victim.frame(text);

/** Everything but a valid verdict for the question that was asked. */
export const DECEITS: readonly Deceit[] = [
  {
    name: 'noise in place of the greeting',
    secret: 'right',
    hello: (victim) => victim.raw(randomBytes(4096)),
    answer: () => {},
  },
  { name: 'silence from the start', secret: 'right', hello: () => {}, answer: () => {} },
  { name: 'closes at once', secret: 'right', hello: ({ socket }) => socket.destroy(), answer: () => {} },
  {
    name: 'a frame of 4 GiB',
    secret: 'right',
    hello: (victim) => victim.raw(Buffer.from([255, 255, 255, 255, 1])),
    answer: () => {},
  },
  {
    name: 'does not know the secret',
    secret: 'wrong',
    answer: (request, victim) => say(victim, victim.verdict(request)),
  },
  { name: 'silence when asked', secret: 'right', answer: () => {} },
  { name: 'noise when asked', secret: 'right', answer: (_, victim) => victim.raw(randomBytes(512)) },
  {
    name: 'half a verdict, then silence',
    secret: 'right',
    answer: (request, victim) => {
      const bytes = encodeFrame(victim.verdict(request), 1 << 16);
      victim.raw(bytes.subarray(0, bytes.length / 2));
    },
  },
  {
    name: "another tenant's verdict",
    secret: 'right',
    answer: (request, victim) => say(victim, victim.verdict(request, { database: parseDatabaseId('south') })),
  },
  {
    name: 'an old verdict: old number, old nonce',
    secret: 'right',
    answer: (request, victim) => {
      const old = victim.asked.at(-2) ?? { ...request, id: request.id + 1_000, nonce: 'A'.repeat(22) };
      say(victim, victim.verdict(old));
    },
  },
  {
    name: 'an old verdict under the new number',
    secret: 'right',
    answer: (request, victim) => say(victim, victim.verdict(request, { nonce: 'A'.repeat(22) })),
  },
  {
    name: 'a verdict with another seal',
    secret: 'right',
    answer: (request, victim) =>
      say(victim, victim.verdict(request).replace(/"mac":"[^"]*"/, `"mac":"${'A'.repeat(43)}"`)),
  },
  {
    name: 'a sealed "broken" changed to "intact" on the way',
    secret: 'right',
    answer: (request, victim) =>
      say(
        victim,
        victim
          .verdict(request, { state: 'broken', epoch: '', findings: ['trigger-missing'] })
          .replace('"state":"broken"', '"state":"intact"'),
      ),
  },
  {
    name: '"intact" without an epoch',
    secret: 'right',
    answer: (request, victim) => say(victim, victim.verdict(request, { epoch: '' })),
  },
  {
    name: '"intact" with a finding',
    secret: 'right',
    answer: (request, victim) => say(victim, victim.verdict(request, { findings: ['trigger-missing'] })),
  },
  {
    name: 'another spelling of the same verdict',
    secret: 'right',
    answer: (request, victim) => say(victim, victim.verdict(request).replace('{', '{ ')),
  },
  {
    name: 'an answer before the question',
    secret: 'right',
    hello: (victim) =>
      victim.frame(
        victim.verdict({
          type: 'attest',
          id: 1,
          database: parseDatabaseId('north') as never,
          nonce: 'A'.repeat(22),
        }),
      ),
    answer: () => {},
  },
  {
    name: '"intact", but after the time limit',
    secret: 'right',
    answer: (request, victim) => {
      setTimeout(() => victim.socket.writable && say(victim, victim.verdict(request)), 1_500).unref();
    },
  },
  {
    name: 'says "unverified"',
    secret: 'right',
    answer: (request, victim) =>
      say(
        victim,
        victim.verdict(request, { state: 'unverified', epoch: '', findings: ['checker-starting'] }),
      ),
  },
  {
    name: 'says "broken"',
    secret: 'right',
    answer: (request, victim) =>
      say(victim, victim.verdict(request, { state: 'broken', epoch: '', findings: ['trigger-missing'] })),
  },
];

/** Somebody who took the checker's socket. */
export class FalseChecker {
  readonly #secret: Buffer;
  readonly #deceit: Deceit;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #path = '';

  constructor(secret: Buffer, deceit: Deceit) {
    this.#secret = deceit.secret === 'right' ? secret : randomBytes(32);
    this.#deceit = deceit;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  async listen(path: string): Promise<void> {
    this.#path = path;
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(path, resolve);
    });
    // Whoever runs this need not be the account whose socket the gateway expects.
    chmodSync(path, 0o666);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    rmSync(this.#path, { force: true });
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    const nonce = randomBytes(32).toString('base64url');
    const hmac = (input: string): Buffer => createHmac('sha256', this.#secret).update(input).digest();
    let key: Buffer | undefined;
    const victim: Victim = {
      socket,
      asked: [],
      raw: (bytes) => void socket.write(bytes),
      frame: (message) => void socket.write(encodeFrame(message, 1 << 20)),
      verdict: (request, changes = {}) => {
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
        const mac = createHmac('sha256', key ?? this.#secret)
          .update(text)
          .digest('base64url');
        return seal(text, mac);
      },
    };
    const reader = new FrameReader(MAXIMUM_REQUEST);
    socket.on('data', (chunk: Buffer) => {
      reader.push(chunk, (message) => {
        if (key === undefined) {
          const prove = parseProve(message);
          key = hmac(proofInput('session', nonce, prove.nonce));
          const proof = hmac(proofInput('checker', nonce, prove.nonce)).toString('base64url');
          victim.frame(spell({ type: 'proved', proof }));
          return;
        }
        const request = parseAttest(message);
        victim.asked.push(request);
        this.#deceit.answer(request, victim);
      });
    });
    if (this.#deceit.hello === undefined) victim.frame(spell({ type: 'hello', nonce }));
    else this.#deceit.hello(victim);
  }
}
