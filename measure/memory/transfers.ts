import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { Agent, type RequestOptions, request } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { connect as connectTls } from 'node:tls';

/** Where to, and on whose behalf. Connections always go to 127.0.0.1. */
export interface Destination {
  /** `host:port` for SNI and `Host`. */
  readonly authority: string;
  /** PEM of the authority of the gateway's certificate. */
  readonly trust: string;
  readonly token: string;
}

export interface Transfer {
  readonly status: number;
  readonly bytes: number;
  /** Of what was received (download) or sent (upload), hex. */
  readonly sha256: string;
  /** The answer to an upload. */
  readonly answer: string;
}

/** A reader that takes so many bytes a second and once stops entirely; `undefined`: as fast as it can. */
export type Pace = { readonly bytesPerSecond: number; readonly stallMs: number } | undefined;

export const UPLOAD_PATH = '/documents/upload';
export const DOWNLOAD_PATH = '/download/large';

const BLOCK = 64 * 1024;
/** No transfer may hang for longer. */
const BOUND_MS = 60_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function target(authority: string): { readonly host: string; readonly port: number } {
  const url = new URL(`https://${authority}`);
  return { host: url.hostname, port: Number(url.port === '' ? 443 : url.port) };
}

/** Reads everything at the pace, keeping nothing but the count and the hash. */
async function drain(source: Readable, pace: Pace): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  const began = performance.now();
  let bytes = 0;
  let stalled = 0;
  for await (const chunk of source) {
    const piece = chunk as Buffer;
    hash.update(piece);
    bytes += piece.length;
    if (pace === undefined) continue;
    if (stalled === 0 && bytes > 4 * 1024 * 1024) {
      stalled = pace.stallMs;
      await sleep(stalled);
    }
    const ahead = (bytes / pace.bytesPerSecond) * 1000 + stalled - (performance.now() - began);
    if (ahead > 5) await sleep(ahead);
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** A body of so many bytes, made as it is read; its hash is complete once it has been. */
function content(bytes: number): { readonly stream: Readable; digest(): string } {
  const hash = createHash('sha256');
  function* blocks(): Generator<Buffer> {
    for (let sent = 0; sent < bytes; sent += BLOCK) {
      const block = Buffer.alloc(Math.min(BLOCK, bytes - sent), (sent / BLOCK) % 251);
      hash.update(block);
      yield block;
    }
  }
  return {
    stream: Readable.from(blocks(), { objectMode: false, highWaterMark: BLOCK }),
    digest: () => hash.digest('hex'),
  };
}

async function text(source: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function http1Options(to: Destination, agent: Agent | false): RequestOptions {
  const { host, port } = target(to.authority);
  return { host: '127.0.0.1', port, servername: host, ca: to.trust, agent, timeout: BOUND_MS };
}

const uploadHeaders = (to: Destination, bytes: number): Record<string, string> => ({
  authorization: `Bearer ${to.token}`,
  'content-type': 'application/octet-stream',
  'content-length': String(bytes),
});

export async function downloadHttp1(to: Destination, pace: Pace): Promise<Transfer> {
  const sent = request({
    ...http1Options(to, false),
    path: DOWNLOAD_PATH,
    headers: { host: to.authority, authorization: `Bearer ${to.token}` },
  });
  sent.end();
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  return { status: response.statusCode ?? 0, ...(await drain(response, pace)), answer: '' };
}

export async function uploadHttp1(
  to: Destination,
  bytes: number,
  agent: Agent | false = false,
): Promise<Transfer> {
  const sent = request({
    ...http1Options(to, agent),
    method: 'POST',
    path: UPLOAD_PATH,
    headers: { host: to.authority, ...uploadHeaders(to, bytes) },
  });
  const answered = once(sent, 'response') as Promise<[import('node:http').IncomingMessage]>;
  const body = content(bytes);
  // An answer may come before the whole body was taken: a refusal. It is the answer that counts.
  const delivered = pipeline(body.stream, sent).catch(() => {});
  const [response] = await answered;
  const answer = await text(response);
  await delivered;
  return { status: response.statusCode ?? 0, bytes, sha256: body.digest(), answer };
}

async function http2Session(to: Destination) {
  const { host, port } = target(to.authority);
  const socket = connectTls({
    host: '127.0.0.1',
    port,
    servername: host,
    ca: to.trust,
    ALPNProtocols: ['h2'],
  });
  await once(socket, 'secureConnect', { signal: AbortSignal.timeout(BOUND_MS) });
  const session = connect(`https://${to.authority}`, { createConnection: () => socket });
  // Whoever waits is told by the rejection of the stream.
  session.on('error', () => {});
  return session;
}

export async function downloadHttp2(to: Destination, pace: Pace): Promise<Transfer> {
  const session = await http2Session(to);
  try {
    const stream = session.request({ ':path': DOWNLOAD_PATH, authorization: `Bearer ${to.token}` });
    stream.on('error', () => {});
    stream.end();
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    return { status: Number(headers[':status']), ...(await drain(stream, pace)), answer: '' };
  } finally {
    session.close();
  }
}

export async function uploadHttp2(to: Destination, bytes: number): Promise<Transfer> {
  const session = await http2Session(to);
  try {
    const stream = session.request({ ':method': 'POST', ':path': UPLOAD_PATH, ...uploadHeaders(to, bytes) });
    stream.on('error', () => {});
    const answered = once(stream, 'response') as Promise<[IncomingHttpHeaders]>;
    const body = content(bytes);
    // `pipeline` would wait for the answer's end as well, which nobody reads before it has ended.
    body.stream.pipe(stream);
    const [headers] = await answered;
    const answer = await text(stream);
    return { status: Number(headers[':status']), bytes, sha256: body.digest(), answer };
  } finally {
    session.close();
  }
}

/** Many small uploads over one connection, so that code and pools are warm before memory is looked at. */
export async function warmUp(to: Destination, times: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (let done = 0; done < times; done += 1) {
      const { status } = await uploadHttp1(to, 16 * 1024, agent);
      if (status !== 201) throw new Error(`a small upload was answered ${status}`);
    }
  } finally {
    agent.destroy();
  }
}
