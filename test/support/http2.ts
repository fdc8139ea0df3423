import { type ClientHttp2Session, connect } from 'node:http2';

export interface H2Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** A client of the gateway that speaks HTTP/2, verified, over loopback. */
export class H2Client {
  readonly #session: ClientHttp2Session;
  readonly #authority: string;

  constructor(origin: string, authority: string) {
    const url = new URL(origin);
    this.#authority = url.host;
    this.#session = connect(`https://127.0.0.1:${url.port}`, { ca: authority, servername: url.hostname });
    this.#session.on('error', () => {});
  }

  request(
    path: string,
    options: {
      method?: string;
      token?: string;
      headers?: Record<string, string>;
      body?: string | Buffer;
      authority?: string;
    } = {},
  ): Promise<H2Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<H2Reply>();
    const stream = this.#session.request(
      {
        ':method': options.method ?? 'GET',
        ':path': path,
        ':scheme': 'https',
        ':authority': options.authority ?? this.#authority,
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...options.headers,
      },
      { endStream: options.body === undefined },
    );
    let head: Record<string, string | string[] | undefined> = {};
    const chunks: Buffer[] = [];
    stream.on('response', (headers) => {
      head = headers as typeof head;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('error', reject);
    stream.once('close', () => {
      const status = Number(head[':status'] ?? 0);
      if (status === 0) reject(new Error('the stream closed without an answer'));
      else resolve({ status, headers: head, text: Buffer.concat(chunks).toString('utf8') });
    });
    if (options.body !== undefined) stream.end(options.body);
    return promise;
  }

  close(): void {
    this.#session.destroy();
  }
}
