/** The longest `Authorization` value that is looked at, in characters (all of them ASCII, so bytes too). */
export const MAX_AUTHORIZATION = 8192;

/** One scheme, exactly one space, one credential; the scheme's case does not matter (RFC 9110 §11.1). */
const TOKEN = /^(bearer|dpop) ([A-Za-z0-9\-._~+/]+=*)$/i;
/** RFC 7617 §2 */
const BASIC = /^basic ([A-Za-z0-9+/]+={0,2})$/i;

export type CredentialParse =
  /** RFC 6750 §2.1, RFC 9449 §7.1 */
  | { readonly ok: true; readonly scheme: 'bearer' | 'dpop'; readonly token: string }
  /** `token` is the base64 of name and secret. */
  | { readonly ok: true; readonly scheme: 'basic'; readonly token: string }
  | { readonly ok: false; readonly detail: 'oversized' | 'scheme' | 'syntax' };

/** Takes the credential out of an `Authorization` value. Only one scheme, one credential, nothing around them. */
export function parseCredential(authorization: string): CredentialParse {
  if (authorization.length > MAX_AUTHORIZATION) return OVERSIZED;
  const match = TOKEN.exec(authorization);
  const token = match?.[2];
  if (token !== undefined) return { ok: true, scheme: match?.[1]?.length === 4 ? 'dpop' : 'bearer', token };
  const basic = BASIC.exec(authorization)?.[1];
  if (basic !== undefined) return { ok: true, scheme: 'basic', token: basic };
  return /^(?:bearer|dpop|basic)(?: |$)/i.test(authorization) ? SYNTAX : SCHEME;
}

const OVERSIZED = Object.freeze({ ok: false, detail: 'oversized' } as const);
const SYNTAX = Object.freeze({ ok: false, detail: 'syntax' } as const);
const SCHEME = Object.freeze({ ok: false, detail: 'scheme' } as const);
