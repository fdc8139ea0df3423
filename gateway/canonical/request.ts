import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { Clock } from '../../contracts/clock.ts';
import { METHODS, type Method, type RequestFacts, type TlsFacts } from '../../contracts/facts.ts';
import type { RequestId } from '../../contracts/identifiers.ts';
import type { ReasonCode } from '../../contracts/reasons.ts';
import { canonicalAuthority } from './authority.ts';
import { framingOf, framingOfStream } from './framing.ts';
import { readHeaders } from './headers.ts';
import { canonicalMediaType } from './media-type.ts';
import { readPath } from './path.ts';
import { canonicalQuery } from './query.ts';

/** What the listener knows of a request beside its text. */
export interface Arrival {
  readonly id: RequestId;
  readonly arrivedAt: number;
  readonly tls: TlsFacts;
  readonly peer: string;
  /** Why the request has no meaning although its text may have one, such as a proxy that does not say whose it is. */
  readonly fault?: ReasonCode | undefined;
  /** Nothing that came on this connection after this request is to be looked at. */
  doom(): void;
}

const KNOWN: ReadonlySet<string> = new Set(METHODS);

/** Splits a request target (RFC 9112 §3.2); absolute form is read only when it names our own authority. */
function originForm(target: string, authority: string): string | undefined {
  if (target.charCodeAt(0) === 0x2f) return target;
  const match = /^https:\/\/([^/?#]+)(\/.*)$/.exec(target);
  if (match === null) return undefined;
  return canonicalAuthority(match[1] as string)?.authority === authority ? match[2] : undefined;
}

/**
 * A request's one meaning as frozen facts, or the reason why it has none. After this nobody looks at the
 * raw URL or the raw headers again.
 */
export function canonicalRequest(
  request: IncomingMessage | Http2ServerRequest,
  arrival: Arrival,
  clock: Clock,
): RequestFacts | ReasonCode {
  if (arrival.fault !== undefined) return arrival.fault;
  const method = request.method as string;
  if (!KNOWN.has(method)) return 'method-unknown';
  const stream = 'stream' in request ? request.stream : undefined;
  if (stream === undefined && request.httpVersion !== '1.1') return 'request-malformed';

  const read = readHeaders(request.rawHeaders);
  if (typeof read === 'string') return read;

  // RFC 9113 §8.3.1: `:authority` rules, and a Host beside it must say the same.
  const named = 'authority' in request && stream !== undefined ? request.authority || read.host : read.host;
  const where = named === undefined ? undefined : canonicalAuthority(named);
  if (where === undefined) return 'authority-ambiguous';
  if (stream !== undefined && read.host !== undefined) {
    if (canonicalAuthority(read.host)?.authority !== where.authority) return 'authority-ambiguous';
  }
  if (stream !== undefined && 'scheme' in request && request.scheme !== 'https') return 'request-malformed';

  const target = originForm(request.url as string, where.authority);
  if (target === undefined || target.includes('#')) return 'path-ambiguous';
  const mark = target.indexOf('?');
  const path = readPath(mark < 0 ? target : target.slice(0, mark));
  if (path === undefined) return 'path-ambiguous';
  const query = canonicalQuery(mark < 0 ? '' : target.slice(mark + 1));
  if (query === undefined) return 'query-ambiguous';

  const body =
    stream === undefined
      ? framingOf(read.contentLength, read.transferEncoding)
      : framingOfStream(read.contentLength, stream.endAfterHeaders);
  if (body === undefined) return 'framing-ambiguous';

  const upgrade = upgradeOf(read.upgrade, read.connection);
  if (upgrade === 'unsupported') return 'upgrade-unsupported';
  if (upgrade !== undefined && (body.kind !== 'none' || method !== 'GET')) return 'upgrade-unsupported';

  const written = read.headers.get('content-type');
  const type = written === undefined ? undefined : canonicalMediaType(written);
  if (written !== undefined) {
    if (type === undefined) return 'header-ambiguous';
    if (type.text !== written) read.headers.set('content-type', type.text);
  }
  return Object.freeze({
    id: arrival.id,
    arrivedAt: arrival.arrivedAt,
    receivedAt: clock.wall(),
    protocol: stream === undefined ? 'HTTP/1.1' : 'HTTP/2',
    method: method as Method,
    authority: where.authority,
    host: where.host,
    path,
    query: query.text,
    parameters: query.parameters,
    headers: read.headers,
    dropped: read.dropped,
    upgrade,
    body,
    mediaType: type?.essence,
    peer: arrival.peer,
    tls: arrival.tls,
  } satisfies RequestFacts);
}

function upgradeOf(
  upgrade: string | undefined,
  connection: string | undefined,
): 'websocket' | 'unsupported' | undefined {
  if (upgrade === undefined) return undefined;
  const asked = connection
    ?.toLowerCase()
    .split(',')
    .some((option) => option.trim() === 'upgrade');
  return upgrade.trim().toLowerCase() === 'websocket' && asked === true ? 'websocket' : 'unsupported';
}
