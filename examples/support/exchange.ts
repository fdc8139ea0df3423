import type { IncomingHttpHeaders } from 'node:http';
import { type RequestOptions, request } from 'node:https';

/** What became of one request, as its client saw it. */
export interface Exchanged {
  /** 0: no answer, or not the whole of one. */
  readonly status: number;
  /** Empty without an answer. */
  readonly requestId: string;
  readonly headers: IncomingHttpHeaders;
  /** What went wrong when there was no whole answer; else empty. */
  readonly error: string;
}

/**
 * One request to its end, tried once; the answer's body is read and thrown away. Never rejects.
 * @param patienceMs milliseconds after which the client gives it up
 */
export function exchange(
  options: RequestOptions,
  body: Buffer | undefined,
  patienceMs: number,
): Promise<Exchanged> {
  const { promise, resolve } = Promise.withResolvers<Exchanged>();
  const failed = (error: string) => resolve({ status: 0, requestId: '', headers: {}, error });
  const outgoing = request(options, (incoming) => {
    incoming.on('error', (error: NodeJS.ErrnoException) => failed(`in the answer: ${error.code}`));
    incoming.on('end', () =>
      resolve({
        status: incoming.complete ? (incoming.statusCode ?? 0) : 0,
        requestId: String(incoming.headers['x-request-id'] ?? ''),
        headers: incoming.headers,
        error: incoming.complete ? '' : 'truncated',
      }),
    );
    incoming.resume();
  });
  outgoing.on('error', (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
  const timer = setTimeout(() => {
    failed('no answer');
    outgoing.destroy();
  }, patienceMs);
  outgoing.once('close', () => clearTimeout(timer));
  outgoing.end(body);
  return promise;
}
