import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Database } from './database.ts';
import type { Recorder } from './recorder.ts';

/** The running system. */
export interface Emr {
  readonly clinic: string;
  /** Its own notion of where it lives, in every absolute URL it writes. */
  readonly origin: string;
  readonly hostname: string;
  readonly product: string;
  readonly database: Database;
  readonly recorder: Recorder;
}

/** One request and its answer. */
export interface Exchange {
  readonly emr: Emr;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Decoded once as a whole, `%2F` included. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** What the route's pattern captured. */
  readonly captures: readonly string[];
}

export type Handler = (exchange: Exchange) => Promise<void> | void;

/** A method, a pattern over the decoded path, and who answers. GET answers HEAD too. */
export type RouteEntry = readonly [method: string, pattern: RegExp, handler: Handler];

/** The last value of a repeated parameter, as CGI libraries of the time did. */
export function parameter(exchange: Exchange, name: string): string | undefined {
  return exchange.query.getAll(name).at(-1);
}

export function capture(exchange: Exchange, index: number): string {
  return exchange.captures[index] ?? '';
}

export function send(exchange: Exchange, status: number, type: string, body: string | Buffer): void {
  exchange.response.statusCode = status;
  exchange.response.setHeader('Content-Type', type);
  exchange.response.setHeader('Content-Length', Buffer.byteLength(body));
  exchange.response.end(body);
}

/** Always absolute: RFC 2616 §14.30 knew no other form. */
export function redirect(exchange: Exchange, path: string): void {
  exchange.response.setHeader('Location', `${exchange.emr.origin}${path}`);
  send(exchange, 302, 'text/html; charset=utf-8', '<p>Moved.</p>\n');
}

/** The whole body in memory, as such systems read it. @throws RangeError beyond `limit` bytes */
export async function readBody(request: IncomingMessage, limit = 10 * 1024 * 1024): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = chunk as Buffer;
    length += bytes.length;
    if (length > limit) throw new RangeError(`body of more than ${limit} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
