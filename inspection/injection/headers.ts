/**
 * Headers whose values have a grammar of their own. A value that keeps to it cannot be an injection; one that does not
 * is judged like any other text.
 */
const TOKEN = '[A-Za-z0-9!#$%&*+.^_|~-]{1,64}';
const MEDIA = String.raw`(?:\*|[A-Za-z0-9.+-]{1,64})/(?:\*|[A-Za-z0-9.+-]{1,127})`;
const PARAMETER = String.raw`\s{0,3};\s{0,3}[A-Za-z0-9-]{1,32}\s{0,3}=\s{0,3}(?:[A-Za-z0-9.+_/:-]{1,128}|"[A-Za-z0-9.+_ /:#-]{0,128}")`;
const list = (item: string): RegExp => new RegExp(`^${item}(?:\\s{0,3},\\s{0,3}(?:${item})){0,63}$`);

const MEDIA_LIST = list(`${MEDIA}(?:${PARAMETER}){0,8}`);
const CODING_LIST = list(String.raw`[A-Za-z*][A-Za-z0-9*-]{0,31}(?:\s{0,3};\s{0,3}q=[01](?:\.\d{0,3})?)?`);
const DATE = /^[A-Za-z]{3}, \d{2} [A-Za-z]{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const TAGS = list(String.raw`(?:W/)?"[A-Za-z0-9._:+/=-]{0,128}"|\*`);
const WORDS = list('[A-Za-z0-9-]{1,64}(?:=(?:[A-Za-z0-9._-]{1,64}|"[A-Za-z0-9 ._-]{0,64}"))?');
const ORIGIN = /^(?:null|https?:\/\/[A-Za-z0-9.-]{1,255}(?::\d{1,5})?)$/;
const BASE64 = /^[A-Za-z0-9+/=_-]{1,4096}$/;
const CREDENTIALS = /^(?:Bearer|DPoP|Basic) [A-Za-z0-9._~+/=-]{1,16384}$/i;
const HINT = /^[A-Za-z0-9 ,;:="?._()/-]{1,512}$/;

const TYPED: ReadonlyMap<string, RegExp> = new Map([
  ['accept', MEDIA_LIST],
  ['content-type', MEDIA_LIST],
  ['accept-encoding', CODING_LIST],
  ['accept-language', CODING_LIST],
  ['accept-charset', CODING_LIST],
  ['content-encoding', CODING_LIST],
  ['content-language', CODING_LIST],
  ['authorization', CREDENTIALS],
  // Its own verifier reads it (RFC 9449); a JWS in compact form.
  ['dpop', /^[A-Za-z0-9._-]{1,16384}$/],
  ['date', DATE],
  ['if-modified-since', DATE],
  ['if-unmodified-since', DATE],
  ['if-match', TAGS],
  ['if-none-match', TAGS],
  ['if-range', new RegExp(`${DATE.source}|${TAGS.source}`)],
  ['range', /^bytes=[\d,\s-]{1,256}$/],
  ['content-range', /^bytes [\d*/-]{1,64}$/],
  ['cache-control', WORDS],
  ['pragma', WORDS],
  ['prefer', WORDS],
  ['priority', WORDS],
  ['origin', ORIGIN],
  ['access-control-request-method', /^[A-Z]{3,10}$/],
  ['access-control-request-headers', WORDS],
  ['dnt', /^[01]$/],
  ['sec-gpc', /^1$/],
  ['upgrade-insecure-requests', /^1$/],
  ['max-forwards', /^\d{1,3}$/],
  ['content-md5', BASE64],
  ['sec-websocket-key', BASE64],
  ['sec-websocket-version', /^\d{1,3}$/],
  ['sec-websocket-protocol', list(TOKEN)],
  ['sec-fetch-site', WORDS],
  ['sec-fetch-mode', WORDS],
  ['sec-fetch-dest', WORDS],
  ['sec-fetch-user', /^\?[01]$/],
  ['x-requested-with', /^[A-Za-z0-9.]{1,64}$/],
  ['traceparent', /^[0-9a-f-]{1,64}$/],
]);

export function isTypedHeader(name: string, value: string): boolean {
  const grammar = TYPED.get(name);
  if (grammar !== undefined) return grammar.test(value);
  return name.startsWith('sec-ch-') && HINT.test(value);
}

const PRODUCT = '[A-Za-z0-9._+-]{1,64}';
const VERSION = '/[A-Za-z0-9._+-]{1,64}';
const COMMENT = String.raw`\([A-Za-z0-9 ._+;:,/@-]{0,256}\)`;
/**
 * Products and comments (RFC 9110 §10.1.5), the first with its version, every comment closed and without anything
 * that a shell, a database or a browser would take for its own.
 */
const USER_AGENT = new RegExp(
  `^${PRODUCT}${VERSION}(?: (?:${PRODUCT}${VERSION}|${COMMENT}|[A-Z][A-Za-z]{1,32}\\b)){0,16}$`,
);

export function isUserAgent(value: string): boolean {
  return (
    value.length <= 512 &&
    USER_AGENT.test(value) &&
    !/\.\.|\/\/(?!\w)|\/etc\/|\/bin\/|\/proc\/|\/dev\//i.test(value)
  );
}

/** An address of this very host is no address elsewhere: what is left of it is judged. */
export function withoutOwnOrigin(value: string, authority: string): string {
  const own = `https://${authority}`;
  if (value.length >= own.length && value.slice(0, own.length).toLowerCase() === own) {
    const rest = value.slice(own.length);
    if (rest === '' || rest.startsWith('/') || rest.startsWith('?')) return rest;
  }
  return value;
}
