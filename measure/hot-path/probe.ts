import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type RequestOptions, request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';

export interface ProbeRequest {
  /** `host:port` as it stands in a URL; the connection always goes to 127.0.0.1. */
  readonly authority: string;
  readonly path: string;
  /** PEM of the authority that the certificate must come from. */
  readonly trust: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ProbeAnswer {
  readonly status: number;
  readonly body: Buffer;
  readonly tls: string;
}

const BOUND_MS = 10_000;

function hostAndPort(authority: string): { host: string; port: number } {
  const url = new URL(`https://${authority}`);
  return { host: url.hostname, port: Number(url.port === '' ? 443 : url.port) };
}

/** One verified GET over HTTP/1.1 on a connection of its own, to see what a load generator cannot say. */
export async function probeHttp1(wanted: ProbeRequest): Promise<ProbeAnswer> {
  const { host, port } = hostAndPort(wanted.authority);
  const options: RequestOptions = {
    host: '127.0.0.1',
    port,
    servername: host,
    ca: wanted.trust,
    path: wanted.path,
    headers: { host: wanted.authority, ...wanted.headers },
    agent: false,
    timeout: BOUND_MS,
  };
  const sent = request(options);
  sent.once('timeout', () => sent.destroy(new Error(`no answer within ${BOUND_MS} ms`)));
  sent.end();
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  const tls = (response.socket as TLSSocket).getProtocol() ?? 'none';
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks), tls };
}

/** The same over HTTP/2. */
export async function probeHttp2(wanted: ProbeRequest): Promise<ProbeAnswer> {
  const { host, port } = hostAndPort(wanted.authority);
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: host,
    ca: wanted.trust,
    ALPNProtocols: ['h2'],
  });
  await once(socket, 'secureConnect', { signal: AbortSignal.timeout(BOUND_MS) });
  if (socket.alpnProtocol !== 'h2') {
    socket.destroy();
    throw new Error('HTTP/2 was not agreed on');
  }
  const session = connectHttp2(`https://${wanted.authority}`, { createConnection: () => socket });
  // Whoever waits is told by the rejection; a connection that is cut once the answer is there is no news.
  session.on('error', () => {});
  try {
    const stream = session.request({ ':path': wanted.path, ...wanted.headers });
    stream.on('error', () => {});
    stream.end();
    const [headers] = (await once(stream, 'response', { signal: AbortSignal.timeout(BOUND_MS) })) as [
      import('node:http2').IncomingHttpHeaders,
    ];
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return {
      status: Number(headers[':status']),
      body: Buffer.concat(chunks),
      tls: socket.getProtocol() ?? 'none',
    };
  } finally {
    session.close();
  }
}
