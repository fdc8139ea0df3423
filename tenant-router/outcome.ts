/**
 * How one exchange with a back end went. `ok`: it answered, whatever the status. `connect-failed`:
 * no connection, TLS included. `timeout`: connected, but the answer did not come in time.
 * `protocol`: the connection broke or what came was not HTTP.
 */
export const BACKEND_OUTCOMES = ['ok', 'connect-failed', 'timeout', 'protocol'] as const;
export type BackendOutcome = (typeof BACKEND_OUTCOMES)[number];

/** What a breaker is told. `unwell`: it answered that it cannot serve (502, 503, 504; RFC 9110 §15.6). */
export type BackendReport = BackendOutcome | 'unwell';

const TIMEOUTS: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
/** The request was given up on this side: nothing is learned about the back end. */
const OURS: ReadonlySet<string> = new Set([
  'UND_ERR_ABORTED',
  'UND_ERR_ABORT',
  'ABORT_ERR',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);
const UNREACHABLE: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPROTO',
  // Of a Unix socket: not there, or not for this user.
  'ENOENT',
  'EACCES',
]);
/** Codes of OpenSSL's certificate verification and of Node's TLS layer. */
const TLS_FAILURE =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH_)/;

/**
 * What an error of undici says about the back end; undefined when the gateway or the client ended the
 * request, which must not count against it.
 */
export function outcomeOfError(error: unknown): Exclude<BackendOutcome, 'ok'> | undefined {
  const code = codeOf(error);
  if (OURS.has(code)) return undefined;
  if (TIMEOUTS.has(code)) return 'timeout';
  if (UNREACHABLE.has(code) || TLS_FAILURE.test(code)) return 'connect-failed';
  return 'protocol';
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('name' in error && error.name === 'AbortError') return 'ABORT_ERR';
  return '';
}
