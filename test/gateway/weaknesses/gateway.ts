import { createHash } from 'node:crypto';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Stack } from '../../../examples/demo/stack.ts';
import { type Ask, ask, type Reply } from '../../../examples/support/https-client.ts';
import { bytes, HostileEmr, type Received, type Script } from '../../support/hostile-emr.ts';
import { raw, statuses } from '../../support/raw.ts';
import { stackFor } from '../../support/stack.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok';

/** The connection of a request with a body is closed: the back end here does not look where one ends. */
const answering: Script = ({ socket, head }) => {
  if (!/\r\ncontent-length: [1-9]|\r\ntransfer-encoding:/i.test(head)) {
    socket.write(OK);
    return;
  }
  socket.end(OK.replace('\r\n', '\r\nConnection: close\r\n'));
};

/** Takes the upgrade and sends back what it gets. */
const switching: Script = (request: Received) => {
  const key = /\r\nsec-websocket-key: (\S+)/i.exec(request.head)?.[1] ?? '';
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  request.socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  request.socket.on('data', (chunk: Buffer) => request.socket.write(chunk));
};

/** A whole gateway, in front of a back end that keeps every byte that reaches it. */
export interface Guarded {
  readonly stack: Stack;
  readonly emr: HostileEmr;
  readonly host: string;
  /** Reads patients, and nothing else. */
  readonly reader: string;
  /** Sees the EMR's pages and its feed. */
  readonly desk: string;
  readonly writer: string;
  send(path: string, more?: Omit<Ask, 'url' | 'authority'>): Promise<Reply>;
  /** Bytes over TLS exactly as given. */
  raw(text: string): Promise<string>;
  /** The same from a head without its last line break, with `Host` and the reader's token. */
  get(path: string, head?: string, token?: string): string;
  dial(alpn: 'h2' | 'http/1.1'): Promise<TLSSocket>;
  /** What reached the back end since the last call. */
  reached(): readonly Received[];
  stop(): Promise<void>;
}

export async function startGuarded(): Promise<Guarded> {
  const emr = new HostileEmr({
    fine: answering,
    switch: switching,
    refuse: bytes('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n', 'stay'),
  });
  await emr.listen();
  const plenty = () => ({ requests: 100_000, window: '10s' });
  const stack = await stackFor('weaknesses', {
    workers: 1,
    limits: { perPeer: plenty(), perPrincipal: plenty() },
    backends: { north: `http://127.0.0.1:${emr.port}` },
    // What an issuer said is believed for no longer than this.
    adjust: (usual) => ({
      ...usual,
      issuers: (usual.issuers as object[]).map((issuer) => ({ ...issuer, cache: { maxAge: '1s' } })),
    }),
  });
  const { origin } = stack.tenants.north;
  const url = new URL(origin);
  const [reader, desk, writer] = await Promise.all([
    stack.token({ tenant: 'north', scopes: ['system/Patient.rs'] }),
    stack.token({
      tenant: 'north',
      client: 'front-desk',
      scopes: ['emr/pages', 'emr/documents', 'emr/feed'],
    }),
    stack.token({ tenant: 'north', scopes: ['system/Patient.cruds', 'system/Observation.cruds'] }),
  ]);
  let from = 0;
  return {
    stack,
    emr,
    host: url.host,
    reader,
    desk,
    writer,
    send: (path, more = {}) => ask({ url: `${origin}${path}`, authority: stack.authority, ...more }),
    raw: (text) => raw(origin, stack.authority, text, { quietMs: 300 }),
    get: (path, head = '', token = reader) =>
      `GET ${path} HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization: Bearer ${token}\r\n${head}\r\n`,
    async dial(alpn) {
      const socket = connectTls({
        host: '127.0.0.1',
        port: Number(url.port),
        servername: url.hostname,
        ca: stack.authority,
        ALPNProtocols: [alpn],
      });
      socket.on('error', () => {});
      await new Promise((resolve, reject) => {
        socket.once('secureConnect', resolve);
        socket.once('close', () => reject(new Error('not connected')));
      });
      return socket;
    },
    reached() {
      const new_ = emr.requests.slice(from);
      from = emr.requests.length;
      return new_;
    },
    async stop() {
      await stack.stop();
      await emr.close();
    },
  };
}

/** The head that reached the back end last, with names in lower case. */
export function headOf(requests: readonly Received[]): ReadonlyMap<string, readonly string[]> {
  const head = requests.at(-1)?.head ?? '';
  const fields = new Map<string, string[]>();
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [line.slice(colon + 1).trim()]);
    else values.push(line.slice(colon + 1).trim());
  }
  return fields;
}

/** Whether all that came back, if anything did, is one refusal of the request itself. */
export function refused(answer: string): boolean {
  const [first, ...more] = statuses(answer);
  return more.length === 0 && (first === undefined || first === 400);
}

export { statuses };
