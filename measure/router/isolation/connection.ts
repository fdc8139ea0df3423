import { connect as connectHttp2 } from 'node:http2';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';

/** What came back: the status, and of a 200 what the back end said. */
export interface Came {
  readonly status: number;
  readonly body: string;
}

export interface Sent {
  readonly authority: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** A connection that was refused, or ended before the answer. */
export const CUT: Came = Object.freeze({ status: 0, body: '' });

const LIMIT_MS = 20_000;

/** Asks one after the other on one HTTP/1.1 connection, as the texts are; what follows its end is `CUT`. */
export async function overHttp1(options: ConnectionOptions, all: readonly Sent[]): Promise<readonly Came[]> {
  const socket = await open({ ...options, ALPNProtocols: ['http/1.1'] });
  if (socket === undefined) return all.map(() => CUT);
  const reader = new Reader(socket);
  const came: Came[] = [];
  for (const { authority, target, headers } of all) {
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    if (!reader.ended) socket.write(`GET ${target} HTTP/1.1\r\nHost: ${authority}\r\n${lines}\r\n`);
    came.push(await reader.next());
  }
  socket.destroy();
  return came;
}

function open(options: ConnectionOptions): Promise<TLSSocket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(options, () => resolve(socket));
    socket.setTimeout(LIMIT_MS, () => socket.destroy());
    socket.on('error', () => resolve(undefined));
  });
}

/** Answers with a length, one after the other. */
class Reader {
  #text = '';
  #wake: () => void = () => {};
  ended = false;

  constructor(socket: TLSSocket) {
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#text += text;
      this.#wake();
    });
    socket.on('close', () => {
      this.ended = true;
      this.#wake();
    });
  }

  async next(): Promise<Came> {
    for (;;) {
      const head = this.#text.indexOf('\r\n\r\n');
      if (head >= 0) {
        const length = Number(/^content-length: (\d+)/im.exec(this.#text.slice(0, head))?.[1] ?? 0);
        const end = head + 4 + length;
        if (this.#text.length >= end) {
          const came = { status: Number(this.#text.slice(9, 12)), body: this.#text.slice(head + 4, end) };
          this.#text = this.#text.slice(end);
          return came;
        }
      }
      if (this.ended) return CUT;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Asks all at once on one HTTP/2 connection. */
export async function overHttp2(options: ConnectionOptions, all: readonly Sent[]): Promise<readonly Came[]> {
  const session = connectHttp2('https://127.0.0.1', {
    createConnection: () => connect({ ...options, ALPNProtocols: ['h2'] }),
  });
  session.on('error', () => {});
  const came = await Promise.all(
    all.map(
      ({ authority, target, headers }) =>
        new Promise<Came>((resolve) => {
          const stream = session.request({
            ...Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
            ':path': target,
            ':authority': authority,
          });
          let status = 0;
          let body = '';
          stream.setEncoding('utf8');
          stream.setTimeout(LIMIT_MS, () => stream.destroy());
          stream.on('response', (head) => {
            status = Number(head[':status']);
          });
          stream.on('data', (text: string) => {
            body += text;
          });
          stream.on('error', () => {});
          stream.on('close', () => resolve({ status, body }));
          stream.end();
        }),
    ),
  );
  session.destroy();
  return came;
}
