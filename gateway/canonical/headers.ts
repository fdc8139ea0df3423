import type { ReasonCode } from '../../contracts/reasons.ts';

/** Hop-by-hop fields (RFC 9110 §7.6.1) and those that only the gateway may write towards the back end. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
]);

/** Fields that may stand once only; a second one is refused, whatever it says. */
const SINGLE: ReadonlySet<string> = new Set([
  'host',
  'authorization',
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
  'transfer-encoding',
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-none-exist',
  'origin',
  'referer',
  'user-agent',
  'upgrade',
  'expect',
  'sec-websocket-key',
  'sec-websocket-version',
]);

/** A token of RFC 9110 §5.6.2, as every option of `Connection` is. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** Fields that `Connection` may not name: taking them away would change what the request means. */
const NOT_REMOVABLE: ReadonlySet<string> = new Set([
  'host',
  'authorization',
  'content-length',
  'content-type',
  'content-encoding',
  'cookie',
  'accept',
  'transfer-encoding',
  'dpop',
]);

/**
 * Names by which back ends and proxies are told who is asking, from where, or for what else. Clients have no
 * business sending them: they are dropped, and the gateway writes its own (underscore spellings never get
 * this far: a name with anything but letters, digits and hyphens is dropped first).
 */
const IDENTITY =
  /^(?:forwarded|via|x-forwarded(?:-.*)?|x-real-ip|x-client-ip|client-ip|true-client-ip|cf-connecting-ip|fastly-client-ip|x-cluster-client-ip|x-original-.*|x-originating-.*|x-replaced-.*|x-rewrite-.*|x-custom-ip-.*|x-waws-.*|x-arr-.*|x-script-name|script-name|x-http-method.*|x-http-.*override|x-method-override|x-host|x-scheme|x-url-scheme|front-end-https|x-remote-.*|remote-.*|x-user(?:-.*)?|x-groups?|x-roles?|x-auth(?:-.*)?|x-authenticated-.*|x-webauth-.*|x-ssl-.*|ssl-.*|x-client-cert.*|client-cert.*|x-envoy-.*|x-amzn-oidc-.*|x-goog-.*|x-ms-client-.*|x-token.*|x-request-id|x-correlation-id|proxy(?:-.*)?|x-chartgate(?:-.*)?)$/;

const NAME = /^[a-z0-9-]{1,64}$/;
const BAD_VALUE = /[\u0000-\u0008\u000a-\u001f\u007f]/;

export const MAX_HEADERS = 100;

export interface HeaderReading {
  /** What survives, lower-case names. */
  readonly headers: Map<string, string>;
  /** What clients have no business sending, taken away: name and value. Undefined when there was none. */
  readonly dropped: readonly (readonly [name: string, value: string])[] | undefined;
  readonly host: string | undefined;
  readonly contentLength: string | undefined;
  readonly transferEncoding: string | undefined;
  readonly upgrade: string | undefined;
  readonly connection: string | undefined;
}

const verdicts = new Map<string, 'keep' | 'drop'>();

/** Whether a field of this name is kept; remembered, since clients send the same few names again and again. */
function fate(name: string): 'keep' | 'drop' {
  const known = verdicts.get(name);
  if (known !== undefined) return known;
  const verdict = NAME.test(name) && !IDENTITY.test(name) ? 'keep' : 'drop';
  // Bounded, so that a client that invents names cannot fill the memory; begun anew when full, so that it
  // cannot keep the common names out either. What is longer than a name may be is not worth remembering.
  if (name.length > 64) return verdict;
  if (verdicts.size >= 1024) verdicts.clear();
  verdicts.set(name, verdict);
  return verdict;
}

/**
 * Reads a raw header list (name, value, name, value…) once. Pseudo-fields of HTTP/2 are skipped; the caller
 * has them. Returns the reason code when the list cannot be given one meaning.
 */
export function readHeaders(raw: readonly string[]): HeaderReading | ReasonCode {
  if (raw.length > MAX_HEADERS * 2) return 'header-ambiguous';
  const headers = new Map<string, string>();
  let connection: string | undefined;
  let transferEncoding: string | undefined;
  let upgrade: string | undefined;
  let host: string | undefined;
  let dropped: [string, string][] | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const written = raw[at] as string;
    if (written.charCodeAt(0) === 0x3a) continue;
    const name = written.toLowerCase();
    const value = raw[at + 1] as string;
    if (BAD_VALUE.test(value)) return 'header-ambiguous';
    if (HOP_BY_HOP.has(name)) {
      if (name === 'connection') connection = connection === undefined ? value : `${connection},${value}`;
      else if (name === 'transfer-encoding') {
        if (transferEncoding !== undefined) return 'framing-ambiguous';
        transferEncoding = value;
      } else if (name === 'upgrade') {
        if (upgrade !== undefined) return 'upgrade-unsupported';
        upgrade = value;
      }
      continue;
    }
    if (name === 'host') {
      if (host !== undefined) return 'authority-ambiguous';
      host = value;
      continue;
    }
    if (fate(name) === 'drop') {
      dropped ??= [];
      dropped.push([name, value]);
      continue;
    }
    const before = headers.get(name);
    if (before === undefined) {
      headers.set(name, value);
    } else if (SINGLE.has(name)) {
      if (name === 'authorization') return 'credential-repeated';
      return name === 'content-length' ? 'framing-ambiguous' : 'header-ambiguous';
    } else {
      // RFC 9113 §8.2.3: cookie crumbs join with a semicolon; other lists with a comma (RFC 9110 §5.3).
      headers.set(name, name === 'cookie' ? `${before}; ${value}` : `${before}, ${value}`);
    }
  }
  if (connection !== undefined) {
    const fault = removeNamed(connection, headers);
    if (fault !== undefined) return fault;
  }
  const contentLength = headers.get('content-length');
  headers.delete('content-length');
  return { headers, dropped, host, contentLength, transferEncoding, upgrade, connection };
}

/** Takes away every field that `Connection` names (RFC 9110 §7.6.1), before anything of our own is added. */
function removeNamed(connection: string, headers: Map<string, string>): ReasonCode | undefined {
  for (const option of connection.toLowerCase().split(',')) {
    const name = option.trim();
    if (name === '' || name === 'close' || name === 'keep-alive' || name === 'upgrade') continue;
    if (NOT_REMOVABLE.has(name) || !TOKEN.test(name)) return 'header-ambiguous';
    headers.delete(name);
  }
  return undefined;
}

/**
 * Whether a trailer of this name would say something about framing, routing, who asks or how the body is to be read,
 * which no trailer may (RFC 9110 §6.5.1). The others are not forwarded either.
 */
export function isControlling(name: string): boolean {
  const lower = name.toLowerCase();
  return (
    HOP_BY_HOP.has(lower) ||
    SINGLE.has(lower) ||
    NOT_REMOVABLE.has(lower) ||
    lower.startsWith('sec-') ||
    fate(lower) === 'drop'
  );
}
