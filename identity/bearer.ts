/** The longest `Authorization` value that is looked at, in characters (all of them ASCII, so bytes too). */
export const MAX_AUTHORIZATION = 8192;

/** RFC 6750 §2.1 with exactly one space; the scheme's case does not matter (RFC 9110 §11.1). */
const CREDENTIALS = /^bearer ([A-Za-z0-9\-._~+/]+=*)$/i;

export type BearerParse =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly detail: 'oversized' | 'scheme' | 'syntax' };

/** Takes the token out of an `Authorization` value. Only one scheme, one token, nothing around them. */
export function parseBearer(authorization: string): BearerParse {
  if (authorization.length > MAX_AUTHORIZATION) return OVERSIZED;
  const token = CREDENTIALS.exec(authorization)?.[1];
  if (token !== undefined) return { ok: true, token };
  return /^bearer(?: |$)/i.test(authorization) ? SYNTAX : SCHEME;
}

const OVERSIZED = Object.freeze({ ok: false, detail: 'oversized' } as const);
const SYNTAX = Object.freeze({ ok: false, detail: 'syntax' } as const);
const SCHEME = Object.freeze({ ok: false, detail: 'scheme' } as const);
