import type { RequestId } from './identifiers.ts';

/** The methods the gateway knows. Anything else is refused before it is parsed further (RFC 9110 §9). */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
export type Method = (typeof METHODS)[number];

/** Methods that are safe in the sense of RFC 9110 §9.2.1. */
export const SAFE_METHODS: ReadonlySet<Method> = new Set<Method>(['GET', 'HEAD', 'OPTIONS']);

/**
 * Spellings of a path that servers read in different ways. A path with one is refused, unless its route allows exactly
 * that one.
 */
export const PATH_ODDITIES = [
  /** `%2F`: one segment here, two where it is decoded first. Sent as `%2F`. */
  'encoded-slash',
  /** `%5C`: a separator to some. */
  'encoded-backslash',
  /** `%25`: a second decoding may follow. */
  'encoded-percent',
  /** `%3F` and `%23`: the end of the path to whoever decodes first. */
  'encoded-delimiter',
  /** `;`: path parameters, such as `;jsessionid=…`. Sent as it is. */
  'semicolon',
  /** `%3B`. Sent as `%3B`. */
  'encoded-semicolon',
  /** `//`, but never at the beginning, where it would name a host. */
  'empty-segment',
  /** A segment that ends with a dot, which some file systems drop. */
  'trailing-dot',
  /** White space other than a plain space between other characters. */
  'unusual-space',
] as const;
export type PathOddity = (typeof PATH_ODDITIES)[number];

declare const canonical: unique symbol;

/**
 * A path in its one form: decoded once, valid UTF-8, no empty, `.` or `..` segment, no encoded
 * separator. Made only by the gateway's canonicaliser.
 */
export interface CanonicalPath {
  readonly [canonical]: true;
  /** As it is sent to the back end: each segment percent-encoded anew, always starting with `/`. */
  readonly text: string;
  /** Decoded segments. `/` has none; `/a/` is `['a', '']`: only the last may be empty. */
  readonly segments: readonly string[];
  /** What servers could read differently; only a route that allows all of it matches. Undefined: nothing. */
  readonly odd?: ReadonlySet<PathOddity> | undefined;
}

/**
 * A certificate that the client showed in this connection's handshake (so it holds the key), that leads to the
 * authority of the tenant whose name the handshake asked for, and that its revocation list does not name.
 */
export interface ClientCertificateFacts {
  /** SHA-256 of the DER, base64url (RFC 8705 §3.1). */
  readonly thumbprint: string;
  /** One line, outermost attribute first, as in `O=Riverside, CN=lab-1`; for comparing with settings. */
  readonly subject: string;
  /** Subject alternative names, `DNS:`, `URI:` or `email:` and the name; of other types none. */
  readonly names: readonly string[];
  /** Wall-clock milliseconds from which on it does not count any more. */
  readonly notAfter: number;
  /** The certificate itself: DER, base64. */
  readonly der: string;
}

export interface TlsFacts {
  readonly version: 'TLSv1.2' | 'TLSv1.3';
  readonly cipher: string;
  /** The server name of the handshake (SNI), lower case. */
  readonly serverName: string;
  /** Absent where the tenant asks for none, and where what was shown does not count. */
  readonly certificate?: ClientCertificateFacts | undefined;
  /** Why the one that was shown does not count, in OpenSSL's word for it such as `CERT_REVOKED`; for records. */
  readonly certificateFault?: string | undefined;
}

/** How a request carries a body. `chunked` also stands for an HTTP/2 body without a declared length. */
export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' };

/**
 * Everything that is known of a request once it has one meaning. Frozen. After the first stage
 * nothing sees the raw URL or the raw header list.
 */
export interface RequestFacts {
  readonly id: RequestId;
  /** Monotonic milliseconds at which the request's head was complete; deadlines count from here. */
  readonly arrivedAt: number;
  /** Wall-clock milliseconds of the same instant, for records. */
  readonly receivedAt: number;
  readonly protocol: 'HTTP/1.1' | 'HTTP/2';
  readonly method: Method;
  /** Host name and port in canonical form: lower case, no trailing dot, port omitted when it is 443. */
  readonly authority: string;
  /** The host name alone. */
  readonly host: string;
  readonly path: CanonicalPath;
  /** The query as it is sent to the back end, re-encoded, without `?`; empty when there is none. */
  readonly query: string;
  /** Decoded query parameters in order of appearance, every value of a repeated name kept. */
  readonly parameters: ReadonlyMap<string, readonly string[]>;
  /**
   * Request headers that survived: lower-case names; hop-by-hop, `Connection`-named, forwarding and
   * identity headers are gone. `authorization` is here; it is never forwarded unless the route says so.
   */
  readonly headers: ReadonlyMap<string, string>;
  /**
   * Fields that were taken away because clients have no business sending them: lower-case name and value. Never
   * forwarded and never believed; only looked into, since they too tell an attack. Undefined when there were none.
   */
  readonly dropped?: readonly (readonly [name: string, value: string])[] | undefined;
  /** The protocol asked for by `Upgrade`, lower case, when the request asked for one (only `websocket`). */
  readonly upgrade: 'websocket' | undefined;
  readonly body: BodyFraming;
  /** Media type of the body without parameters, lower case. */
  readonly mediaType: string | undefined;
  /** The peer's IP address; IPv4-mapped IPv6 addresses in IPv4 form. */
  readonly peer: string;
  readonly tls: TlsFacts;
}
